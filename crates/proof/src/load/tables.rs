//! The tables of the load.
//!
//! What must stay true: one of them has all that follows from a write: a local and a global index, a stream, a time to live.

use serde_json::{Value, json};
use stator_driver::client::Client;

use super::item::{INDEXED, PLAIN};
use crate::verdict::{Violation, found};

/// A key of two parts over attributes that every table of the load has.
fn key_schema(partition: &str, sort: &str) -> Value {
    json!([{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}])
}

fn definitions(with_indexes: bool) -> Value {
    let define = |(name, kind): (&str, &str)| json!({"AttributeName": name, "AttributeType": kind});
    let all = [("owner", "S"), ("place", "N"), ("number", "N"), ("kind", "S")];
    Value::Array(all.into_iter().take(if with_indexes { 4 } else { 2 }).map(define).collect())
}

/// The global index by kind, under a name.
pub(crate) fn by_kind(name: &str) -> Value {
    json!({"IndexName": name, "KeySchema": key_schema("kind", "number"), "Projection": {"ProjectionType": "ALL"}})
}

/// The definitions that a table with [`by_kind`] needs.
pub(crate) fn definitions_of_indexed() -> Value {
    definitions(true)
}

/// A table with the load's key and nothing else.
pub(crate) fn plain(name: &str) -> Value {
    json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": definitions(false), "KeySchema": key_schema("owner", "place")})
}

/// A table with everything that follows from a write.
pub(crate) fn indexed(name: &str) -> Value {
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": definitions_of_indexed(), "KeySchema": key_schema("owner", "place"),
        "LocalSecondaryIndexes": [{"IndexName": "by-number", "KeySchema": key_schema("owner", "number"), "Projection": {"ProjectionType": "ALL"}}],
        "GlobalSecondaryIndexes": [by_kind("by-kind")],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    })
}

/// Makes the tables that all clients write to.
pub(crate) fn create(client: &mut Client) -> Result<(), Violation> {
    call(client, "CreateTable", &indexed(INDEXED))?;
    call(client, "CreateTable", &plain(PLAIN))?;
    let enable = json!({"TableName": INDEXED, "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    call(client, "UpdateTimeToLive", &enable)?;
    Ok(())
}

/// A call that has to succeed while nothing is wrong.
pub(crate) fn call(client: &mut Client, operation: &str, body: &Value) -> Result<Value, Violation> {
    client.call(operation, &body.to_string()).map_err(|failure| found(failure.0))
}
