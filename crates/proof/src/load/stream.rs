//! Reads the stream of the load as a consumer does, and compares it with what clients know.
//!
//! It walks shards from parents to children and notes how far it came in each, across restarts of the server. What must stay
//! true: every change of an item has one record, in order, and its images are whole.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use stator_driver::client::Client;

use super::item::{self, INDEXED, State};
use super::knowledge::Knowledge;
use super::tables::call;
use super::verify::whole;
use crate::verdict::{Violation, found};

/// Where an item lies: its owner and its place.
type Lies = (u64, u64);

/// A consumer.
#[derive(Default, Clone)]
pub(super) struct Consumer {
    arn: String,
    /// The last sequence number met in a shard.
    noted: HashMap<String, String>,
    ended: HashSet<String>,
    /// The state of an item after its last record.
    last: HashMap<Lies, State>,
    /// States met since the last comparison.
    met: HashMap<Lies, Vec<State>>,
    /// Records met at all.
    pub(super) records: u64,
    /// Their bytes, as they are told.
    pub(super) record_bytes: u64,
}

impl Consumer {
    /// Reads all there is.
    pub(super) fn read(&mut self, client: &mut Client) -> Result<(), Violation> {
        if self.arn.is_empty() {
            let answer = call(client, "DescribeTable", &json!({"TableName": INDEXED}))?;
            answer["Table"]["LatestStreamArn"].as_str().unwrap_or_default().clone_into(&mut self.arn);
        }
        // Children become due when their parents have ended.
        while {
            let before = self.ended.len();
            self.walk(client)?;
            self.ended.len() > before
        } {}
        Ok(())
    }

    fn walk(&mut self, client: &mut Client) -> Result<(), Violation> {
        let mut request = json!({"StreamArn": self.arn});
        loop {
            let answer = call(client, "DescribeStream", &request)?;
            let description = &answer["StreamDescription"];
            for shard in description["Shards"].as_array().into_iter().flatten() {
                let id = shard["ShardId"].as_str().unwrap_or_default();
                let is_due = shard["ParentShardId"].as_str().is_none_or(|parent| self.ended.contains(parent));
                if is_due && !self.ended.contains(id) {
                    self.read_shard(client, id)?;
                }
            }
            match &description["LastEvaluatedShardId"] {
                Value::Null => return Ok(()),
                last => request["ExclusiveStartShardId"] = last.clone(),
            }
        }
    }

    fn read_shard(&mut self, client: &mut Client, shard: &str) -> Result<(), Violation> {
        let mut request = json!({"StreamArn": self.arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
        if let Some(number) = self.noted.get(shard) {
            request["ShardIteratorType"] = json!("AFTER_SEQUENCE_NUMBER");
            request["SequenceNumber"] = json!(number);
        }
        let mut iterator = call(client, "GetShardIterator", &request)?["ShardIterator"].take();
        loop {
            let answer = call(client, "GetRecords", &json!({"ShardIterator": iterator}))?;
            let records = answer["Records"].as_array().map_or(&[][..], Vec::as_slice);
            for record in records {
                self.meet(shard, &record["dynamodb"])?;
            }
            match &answer["NextShardIterator"] {
                Value::Null => {
                    self.ended.insert(shard.to_owned());
                    return Ok(());
                }
                _ if records.is_empty() => return Ok(()),
                next => iterator = next.clone(),
            }
        }
    }

    fn meet(&mut self, shard: &str, record: &Value) -> Result<(), Violation> {
        self.records += 1;
        self.record_bytes += record.to_string().len() as u64;
        let number = record["SequenceNumber"].as_str().unwrap_or_default();
        let noted = self.noted.insert(shard.to_owned(), number.to_owned()).unwrap_or_default();
        if noted.as_str() >= number {
            return Err(found(format!("stream: sequence number {number} comes after {noted} in shard {shard}")));
        }
        let lies = item::place_of(&record["Keys"]).ok_or_else(|| found(format!("stream: a record without a key: {record}")))?;
        let image = |name: &str| match &record[name] {
            Value::Null => Ok(None),
            image => whole(image).map(|(_, number)| Some(number)),
        };
        let (old, new) = (image("OldImage")?, image("NewImage")?);
        let last = self.last.insert(lies, new).unwrap_or_default();
        if last != old {
            return Err(found(format!(
                "stream: client {}, place {}: after {last:?} comes a record of {old:?} becoming {new:?}",
                lies.0, lies.1
            )));
        }
        self.met.entry(lies).or_default().push(new);
        Ok(())
    }

    /// Compares what was met with what a client knows, and lets both begin anew.
    pub(super) fn compare(&mut self, knowledge: &mut Knowledge) -> Result<(), Violation> {
        for (place, known) in (0_u64..).zip(&mut knowledge.places).filter(|(place, _)| item::table(*place) == INDEXED) {
            let mut met = self.met.remove(&(knowledge.owner, place)).unwrap_or_default();
            let (mut history, maybe) = (std::mem::take(&mut known.history), std::mem::take(&mut known.maybe));
            if item::is_fleeting(place) {
                // Items go there by themselves, also one whose write nobody knows of.
                history.retain(Option::is_some);
                met.retain(|state| state.is_some_and(|number| !maybe.contains(&number)) || history.contains(state) && state.is_some());
            }
            if met != history {
                let at = met.iter().zip(&history).take_while(|(met, known)| met == known).count();
                return Err(found(format!(
                    "stream: client {}, place {place}: of {} changes {} have records; after {at} that agree comes {:?}, and should {:?}",
                    knowledge.owner,
                    history.len(),
                    met.len(),
                    met.get(at),
                    history.get(at)
                )));
            }
        }
        Ok(())
    }
}
