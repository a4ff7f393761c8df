//! Whether a stream tells what happened: a record for every change of an item, in the order of the changes.
//!
//! What must stay true: records are compared item by item, because nothing is promised of the order of different items;
//! within a shard their numbers rise.

use std::collections::BTreeMap;

use super::call_in;
use super::judge::canonical;
use crate::json::Json;
use crate::oracle::{Change, Oracle, item, key};
use crate::target::Target;

/// Records by the key of their item.
type ByItem = BTreeMap<String, Vec<Json>>;

/// Compares the records of a stream with the changes; answers how many there are.
///
/// # Errors
/// What differs.
pub(super) fn judge(target: &mut dyn Target, region: &str, oracle: &Oracle, made: &Json) -> Result<u64, String> {
    let arn = made.get("TableDescription").and_then(|table| table.get("LatestStreamArn")).and_then(Json::as_str);
    let arn = Json::text(arn.ok_or("the table has no stream")?);
    let mut told = ByItem::new();
    for record in records(target, region, &arn)? {
        let changed = record.get("dynamodb").cloned().unwrap_or(Json::Null);
        let keys = changed.get("Keys").cloned().map(canonical).ok_or("a record without keys")?;
        let part = |name: &str| changed.get(name).cloned().unwrap_or(Json::Null);
        let name = record.get("eventName").cloned().unwrap_or(Json::Null);
        told.entry(keys.render()).or_default().push(canonical(Json::Array(vec![
            name,
            part("OldImage"),
            part("NewImage"),
            record.get("userIdentity").cloned().unwrap_or(Json::Null),
        ])));
    }
    let mut happened = ByItem::new();
    for change in oracle.changes() {
        happened.entry(canonical(item(&key(&change.id))).render()).or_default().push(expected(change));
    }
    for (keys, changes) in &happened {
        let records = told.remove(keys).unwrap_or_default();
        if records != *changes {
            let print = |changes: &[Json]| Json::Array(changes.to_vec()).render();
            return Err(format!("the stream tells of {keys} {} and not {}", print(&records), print(changes)));
        }
    }
    match told.into_keys().next() {
        Some(keys) => Err(format!("the stream tells of {keys}, which never changed")),
        None => Ok(u64::try_from(oracle.changes().len()).unwrap_or(u64::MAX)),
    }
}

fn expected(change: &Change) -> Json {
    let name = match (&change.old, &change.new) {
        (None, _) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (Some(_), None) => "REMOVE",
    };
    let image = |attributes: &Option<_>| attributes.as_ref().map_or(Json::Null, item);
    // Who removes an item whose time has come is the service itself.
    let service = [("PrincipalId", "dynamodb.amazonaws.com"), ("Type", "Service")];
    let service = Json::Object(service.map(|(name, value)| (name.to_owned(), Json::text(value))).into());
    let identity = if change.is_expiry { service } else { Json::Null };
    canonical(Json::Array(vec![Json::text(name), image(&change.old), image(&change.new), identity]))
}

/// All records, shard by shard from its beginning.
fn records(target: &mut dyn Target, region: &str, arn: &Json) -> Result<Vec<Json>, String> {
    let described = ask(target, region, "DescribeStream", vec![("StreamArn", arn.clone())])?;
    let shards = described.get("StreamDescription").and_then(|stream| stream.get("Shards")).map(Json::elements).unwrap_or_default();
    let mut records = Vec::new();
    for shard in shards {
        let shard = shard.get("ShardId").cloned().ok_or("a shard without a name")?;
        let from = vec![("StreamArn", arn.clone()), ("ShardId", shard), ("ShardIteratorType", Json::text("TRIM_HORIZON"))];
        let mut iterator = ask(target, region, "GetShardIterator", from)?.get("ShardIterator").cloned();
        let mut newest = String::new();
        while let Some(from) = iterator {
            let page = ask(target, region, "GetRecords", vec![("ShardIterator", from)])?;
            let found = page.get("Records").map(Json::elements).unwrap_or_default();
            for record in found {
                let number = record.get("dynamodb").and_then(|change| change.get("SequenceNumber")).and_then(Json::as_str);
                let number = number.ok_or("a record without a number")?;
                if (number.len(), number) <= (newest.len(), newest.as_str()) {
                    return Err(format!("record {number} follows {newest}"));
                }
                number.clone_into(&mut newest);
            }
            iterator = page.get("NextShardIterator").filter(|_| !found.is_empty()).cloned();
            records.extend_from_slice(found);
        }
    }
    Ok(records)
}

fn ask(target: &mut dyn Target, region: &str, operation: &str, members: Vec<(&str, Json)>) -> Result<Json, String> {
    let body = Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let exchange = call_in(target, region, operation, body);
    let answer = exchange.answer();
    if exchange.reply.status == 200 { Ok(answer) } else { Err(format!("{operation} answers {}", answer.render())) }
}
