//! What a test may do to a server: each hook and each of its refusals.
//!
//! What must stay true: the server is put together as `stator dev` does it, and everything goes over a socket.

mod clock;
mod faults;
mod lag;
mod requests;
mod routes;
mod snapshots;
mod tables;

use serde_json::{Value, json};

use crate::harness::Server;

/// A table with a string key `Id`, a global index `ByGroup` on `Group` and `Place`, and a stream.
pub(crate) async fn make_table(server: &Server, name: &str) {
    server.done("CreateTable", definition(name)).await;
}

pub(crate) fn definition(name: &str) -> Value {
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "Id", "AttributeType": "S"},
            {"AttributeName": "Group", "AttributeType": "S"},
            {"AttributeName": "Place", "AttributeType": "N"},
        ],
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "ByGroup",
            "KeySchema": [{"AttributeName": "Group", "KeyType": "HASH"}, {"AttributeName": "Place", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
    })
}

pub(crate) async fn put(server: &Server, table: &str, id: &str) {
    server.done("PutItem", json!({"TableName": table, "Item": {"Id": {"S": id}}})).await;
}

pub(crate) async fn is_there(server: &Server, table: &str, id: &str) -> bool {
    let got = server.done("GetItem", json!({"TableName": table, "Key": {"Id": {"S": id}}})).await;
    got.get("Item").is_some()
}
