//! The requests of the measures, and the loads of their tables.
//!
//! What must stay true: keys are spread over the table by fixed numbers, the same in each run.

use std::fmt::Write;

use crate::data::{PARTITION_ITEMS, Random, push_item, push_key};
use crate::load::{self, Each, Pool};
use stator_driver::client::Client;
use stator_driver::failure::Failure;
use stator_driver::request::Caller;
use stator_driver::server::Server;

/// Different requests of a measure: more than fit any cache of answers, few enough to be signed in a moment.
const POOL: u64 = 20_000;
/// Requests of many items are larger.
const POOL_OF_BATCHES: u64 = 1_000;
const BATCH_ITEMS: u64 = 25;
pub(crate) const TRANSACTION_ITEMS: u64 = 10;
/// A prime, so that steps of it meet every item before they meet one twice.
const STEP: u64 = 7_919;
const LOADERS: usize = 8;

/// Which keys of a table requests go to.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'t> {
    pub(crate) table: &'t str,
    /// Items of the table.
    pub(crate) items: u64,
    /// At most so many of them, spread over all.
    pub(crate) hot: u64,
}

impl<'t> Keys<'t> {
    pub(crate) fn all(table: &'t str, items: u64) -> Keys<'t> {
        Keys { table, items, hot: items }
    }

    /// The item that request `at` goes to.
    fn item(self, at: u64) -> u64 {
        let rank = Random::new(at).below(self.hot.min(self.items));
        // The hot ones lie everywhere in the table.
        rank * (self.items / self.hot.min(self.items)).max(1) % self.items
    }

    /// The item of member `at` of all requests that carry several: those in flight at one time have none in common.
    fn member(self, at: u64) -> u64 {
        at % self.items * STEP % self.items
    }
}

pub(crate) fn get(server: &Server, keys: Keys<'_>) -> Pool {
    Pool::of(&Caller::to(server.address()), "GetItem", POOL, |text, at| push_get(text, keys, at))
}

pub(crate) fn push_get(text: &mut String, keys: Keys<'_>, at: u64) {
    let _ = write!(text, r#"{{"TableName":"{}","Key":{{"#, keys.table);
    push_key(text, keys.item(at));
    text.push_str("}}");
}

pub(crate) fn query(server: &Server, keys: Keys<'_>) -> Pool {
    Pool::of(&Caller::to(server.address()), "Query", POOL_OF_BATCHES, |text, at| push_query(text, keys, at))
}

pub(crate) fn push_query(text: &mut String, keys: Keys<'_>, at: u64) {
    let _ = write!(
        text,
        r#"{{"TableName":"{}","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{{":p":{{"S":"customer#{:08}"}}}}}}"#,
        keys.table,
        keys.item(at) / PARTITION_ITEMS
    );
}

/// Puts that replace items by later states of them.
pub(crate) fn put(server: &Server, keys: Keys<'_>) -> Pool {
    Pool::of(&Caller::to(server.address()), "PutItem", POOL, |text, at| {
        let _ = write!(text, r#"{{"TableName":"{}","Item":"#, keys.table);
        push_item(text, keys.item(at), at + 1);
        text.push('}');
    })
}

/// Conditional increments; of one item only with `hot: 1`.
pub(crate) fn update(server: &Server, keys: Keys<'_>) -> Pool {
    Pool::of(&Caller::to(server.address()), "UpdateItem", POOL, |text, at| {
        let _ = write!(text, r#"{{"TableName":"{}","Key":{{"#, keys.table);
        push_key(text, keys.item(at));
        text.push_str(r#"},"UpdateExpression":"SET n = n + :one","ConditionExpression":"attribute_exists(pk) AND n >= :zero","#);
        text.push_str(r#""ExpressionAttributeValues":{":one":{"N":"1"},":zero":{"N":"0"}}}"#);
    })
}

/// Batches of 25 puts.
pub(crate) fn batch_write(server: &Server, keys: Keys<'_>) -> Pool {
    Pool::of(&Caller::to(server.address()), "BatchWriteItem", POOL_OF_BATCHES, |text, at| {
        push_batch(text, keys.table, |text, member| push_item(text, (keys.item(at) + member * STEP) % keys.items, at + 1));
    })
}

fn push_batch(text: &mut String, table: &str, mut item: impl FnMut(&mut String, u64)) {
    let _ = write!(text, r#"{{"RequestItems":{{"{table}":["#);
    for member in 0..BATCH_ITEMS {
        text.push_str(if member == 0 { r#"{"PutRequest":{"Item":"# } else { r#",{"PutRequest":{"Item":"# });
        item(text, member);
        text.push_str("}}");
    }
    text.push_str("]}}");
}

/// Transactions of puts, each with a token that was never used before.
pub(crate) fn transact_write<'c>(caller: &'c Caller, keys: Keys<'c>, round: usize) -> impl load::Workload + use<'c> {
    Each::of(caller, "TransactWriteItems", 0, u64::MAX, move |text: &mut String, at| {
        let _ = write!(text, r#"{{"ClientRequestToken":"bench-{round}-{at}","TransactItems":["#);
        for member in 0..TRANSACTION_ITEMS {
            let _ = write!(text, r#"{}{{"Put":{{"TableName":"{}","Item":"#, if member == 0 { "" } else { "," }, keys.table);
            push_item(text, keys.member(at * TRANSACTION_ITEMS + member), at + 1);
            text.push_str("}}");
        }
        text.push_str("]}");
    })
}

/// Makes a table of the common key schema and waits for it.
pub(crate) fn create(client: &mut Client, table: &str, attributes: &str, extra: &str) -> Result<(), Failure> {
    let body = format!(
        r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}},{{"AttributeName":"sk","KeyType":"RANGE"}}],"AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},{{"AttributeName":"sk","AttributeType":"N"}}{attributes}]{extra}}}"#
    );
    client.call("CreateTable", &body)?;
    client.await_active(table, std::time::Duration::from_secs(30))
}

/// Loads items `0..items` by batches. The items have to be a multiple of a batch.
pub(crate) fn fill(server: &Server, table: &str, items: u64) -> Result<(), Failure> {
    fill_with(server, table, items, |text, at| push_item(text, at, 0))
}

/// Loads rows of any kind.
pub(crate) fn fill_with(server: &Server, table: &str, items: u64, item: impl Fn(&mut String, u64)) -> Result<(), Failure> {
    let caller = Caller::to(server.address());
    let mut batches = Each::of(&caller, "BatchWriteItem", 0, items / BATCH_ITEMS, |text: &mut String, at| {
        push_batch(text, table, |text, member| item(text, at * BATCH_ITEMS + member));
    });
    load::drain(server.address(), LOADERS, &mut batches).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hot_keys_are_few_and_lie_everywhere() {
        let keys = Keys { table: "t", items: 1_000_000, hot: 100 };
        let mut items: Vec<u64> = (0..10_000).map(|at| keys.item(at)).collect();
        items.sort_unstable();
        items.dedup();
        assert_eq!(items.len(), 100);
        assert!(items[99] > 900_000);
    }

    #[test]
    fn batches_are_json_of_distinct_keys() {
        let mut text = String::new();
        let keys = Keys::all("t", 20_000);
        push_batch(&mut text, "t", |text, member| push_item(text, keys.member(member), 1));
        let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut keys: Vec<String> = parsed["RequestItems"]["t"]
            .as_array()
            .unwrap()
            .iter()
            .map(|put| format!("{} {}", put["PutRequest"]["Item"]["pk"]["S"], put["PutRequest"]["Item"]["sk"]["N"]))
            .collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 25);
    }
}
