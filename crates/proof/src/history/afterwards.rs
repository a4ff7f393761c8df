//! What is there in the end: lists, entries of the index, records of the stream.
//!
//! What must stay true: everything is asked of a server that has started anew; the index is given time, because nothing
//! more is promised of it than that it follows.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stator_driver::client::Client;

use super::caller::{Sighting, of_index};
use super::{ITEMS, TABLE, key, marks, number};
use crate::verdict::{Violation, found};

/// How long an index may follow.
const PATIENCE: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(20);

/// The list of each item.
pub(super) fn lists(client: &mut Client) -> Result<Vec<Vec<u64>>, Violation> {
    let get = |item| json!({"TableName": TABLE, "Key": key(item), "ConsistentRead": true}).to_string();
    (0..ITEMS).map(|item| Ok(marks(&client.call("GetItem", &get(item))?["Item"]))).collect()
}

/// Whether each list that was seen was there at some time.
pub(super) fn were(sightings: &[Sighting], last: &[Vec<u64>]) -> Result<(), Violation> {
    for Sighting { item, list, last: shown } in sightings {
        let whole = list_of(last, *item);
        if !whole.starts_with(list) || shown.is_some() && list.last() != shown.as_ref() {
            return Err(found(format!("a glance at item {item} saw {list:?} under {shown:?}, which never was; in the end: {whole:?}")));
        }
    }
    Ok(())
}

/// Whether the index comes to show what the table has.
pub(super) fn index(client: &mut Client, last: &[Vec<u64>]) -> Result<(), Violation> {
    let whole: BTreeMap<u64, Vec<u64>> = (0..).zip(last.iter().cloned()).filter(|(_, list)| !list.is_empty()).collect();
    let begin = Instant::now();
    loop {
        let answer = client.call("Query", &of_index().to_string())?;
        let entries = answer["Items"].as_array().cloned().unwrap_or_default();
        let shown: BTreeMap<u64, Vec<u64>> = entries.iter().filter_map(|entry| Some((number(entry, "item")?, marks(entry)))).collect();
        if shown == whole && entries.len() == whole.len() {
            return Ok(());
        }
        if begin.elapsed() > PATIENCE {
            return Err(found(format!("the index shows {} entries, such as {shown:?}, and the table has {whole:?}", entries.len())));
        }
        std::thread::sleep(INTERVAL);
    }
}

/// The marks in the order of the stream; it has to tell of every item's list as it grew.
pub(super) fn told(client: &mut Client, last: &[Vec<u64>]) -> Result<Vec<u64>, Violation> {
    let mut records = records(client)?;
    records.sort_by_key(|record| {
        let sequence = record["SequenceNumber"].as_str().unwrap_or_default().to_owned();
        (sequence.len(), sequence)
    });
    let (mut told, mut lengths) = (Vec::new(), BTreeMap::new());
    for record in &records {
        let item = number(&record["Keys"], "item").ok_or_else(|| found(format!("a record without a key: {record}")))?;
        let (before, after) = (marks(&record["OldImage"]), marks(&record["NewImage"]));
        let length: &mut usize = lengths.entry(item).or_default();
        let whole = list_of(last, item);
        if Some(before.as_slice()) != whole.get(..*length) || Some(after.as_slice()) != whole.get(..*length + 1) {
            return Err(found(format!("record {length} of item {item} tells of {before:?} becoming {after:?}; in the end: {whole:?}")));
        }
        *length += 1;
        told.extend(after.last());
    }
    for (item, list) in (0..).zip(last) {
        if lengths.get(&item).copied().unwrap_or_default() != list.len() {
            return Err(found(format!("the stream has {:?} records of item {item}, whose list is {list:?}", lengths.get(&item))));
        }
    }
    Ok(told)
}

fn list_of(last: &[Vec<u64>], item: u64) -> &[u64] {
    usize::try_from(item).ok().and_then(|item| last.get(item)).map_or(&[], Vec::as_slice)
}

/// All records of all shards; within a shard their numbers rise.
fn records(client: &mut Client) -> Result<Vec<Value>, Violation> {
    let arn = client.call("DescribeTable", &json!({"TableName": TABLE}).to_string())?["Table"]["LatestStreamArn"].take();
    let mut records = Vec::new();
    let mut request = json!({"StreamArn": arn});
    loop {
        let mut answer = client.call("DescribeStream", &request.to_string())?;
        for shard in answer["StreamDescription"]["Shards"].as_array().into_iter().flatten() {
            of_shard(client, &arn, &shard["ShardId"], &mut records)?;
        }
        match answer["StreamDescription"]["LastEvaluatedShardId"].take() {
            Value::Null => return Ok(records),
            last => request["ExclusiveStartShardId"] = last,
        }
    }
}

fn of_shard(client: &mut Client, arn: &Value, shard: &Value, records: &mut Vec<Value>) -> Result<(), Violation> {
    let from = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let mut iterator = client.call("GetShardIterator", &from.to_string())?["ShardIterator"].take();
    let mut newest = String::new();
    while !iterator.is_null() {
        let mut page = client.call("GetRecords", &json!({"ShardIterator": iterator}).to_string())?;
        let met = page["Records"].as_array().cloned().unwrap_or_default();
        if met.is_empty() {
            return Ok(());
        }
        for mut record in met {
            let record = record["dynamodb"].take();
            let sequence = record["SequenceNumber"].as_str().unwrap_or_default();
            if (sequence.len(), sequence) <= (newest.len(), newest.as_str()) {
                return Err(found(format!("shard {shard}: record {sequence} comes after {newest}")));
            }
            sequence.clone_into(&mut newest);
            records.push(record);
        }
        iterator = page["NextShardIterator"].take();
    }
    Ok(())
}
