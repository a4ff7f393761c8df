//! Tables that change until they are let go.

use serde_json::{Value, json};

use super::{definition, make_table, put};
use crate::harness::{Request, Server};

async fn table(server: &Server, name: &str) -> Value {
    server.done("DescribeTable", json!({"TableName": name})).await["Table"].clone()
}

#[tokio::test]
async fn a_table_is_creating_until_it_is_released() {
    let server = Server::start_with_hooks().await;
    server.hooked("PUT /_stator/table-states", r#"{"transition":"held"}"#).await;
    server.done("CreateTable", definition("Music")).await;
    server.done("CreateTable", definition("Books")).await;
    assert_eq!(table(&server, "Music").await["TableStatus"], "CREATING");
    let item = json!({"TableName": "Music", "Item": {"Id": {"S": "a"}}}).to_string();
    server.exchange(&Request::of("PutItem", item.as_bytes())).await.is_fault(400, "ResourceNotFoundException");
    server.hooked("POST /_stator/clock/advance", r#"{"by":"10d"}"#).await;
    let told = server.hooked("GET /_stator/table-states", "").await;
    let shown = |name: &str| json!({"table": name, "region": "eu-north-7", "status": "CREATING"});
    assert_eq!(told, json!({"transition": "held", "tables": [shown("Books"), shown("Music")]}));
    let released = server.hooked("POST /_stator/table-states/release", r#"{"table":"Music"}"#).await;
    assert_eq!(released["released"], json!([shown("Music")]));
    put(&server, "Music", "a").await;
    assert_eq!(table(&server, "Books").await["TableStatus"], "CREATING");
    server.hooked("POST /_stator/table-states/release", "").await;
    assert_eq!(table(&server, "Books").await["TableStatus"], "ACTIVE");
}

#[tokio::test]
async fn an_index_is_made_and_dropped_when_its_table_is_released() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    server.done("PutItem", json!({"TableName": "Music", "Item": {"Id": {"S": "a"}, "Place": {"N": "7"}}})).await;
    server.hooked("PUT /_stator/table-states", r#"{"transition":"held"}"#).await;
    let create = json!({
        "IndexName": "ByPlace",
        "KeySchema": [{"AttributeName": "Place", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    });
    let definitions =
        [("Id", "S"), ("Group", "S"), ("Place", "N")].map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}));
    let update = json!({
        "TableName": "Music", "AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": [{"Create": create}],
    });
    server.done("UpdateTable", update).await;
    let status_of = |table: &Value, index: &str| {
        let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap().clone();
        indexes.into_iter().find(|known| known["IndexName"] == index).map(|known| known["IndexStatus"].as_str().unwrap().to_owned())
    };
    let held = table(&server, "Music").await;
    assert_eq!((&held["TableStatus"], status_of(&held, "ByPlace").as_deref()), (&json!("UPDATING"), Some("CREATING")));
    let scan = json!({"TableName": "Music", "IndexName": "ByPlace"});
    assert_eq!(server.ask("Scan", scan.clone()).await.0, 400);
    put(&server, "Music", "usable").await;
    server.hooked("POST /_stator/table-states/release", "").await;
    let active = table(&server, "Music").await;
    assert_eq!((&active["TableStatus"], status_of(&active, "ByPlace").as_deref()), (&json!("ACTIVE"), Some("ACTIVE")));
    assert_eq!(server.done("Scan", scan).await["Count"], 1);
    let drop = json!({"TableName": "Music", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "ByPlace"}}]});
    server.done("UpdateTable", drop).await;
    assert_eq!(status_of(&table(&server, "Music").await, "ByPlace").as_deref(), Some("DELETING"));
    server.hooked("POST /_stator/table-states/release", "").await;
    assert_eq!(status_of(&table(&server, "Music").await, "ByPlace"), None);
}

#[tokio::test]
async fn a_table_is_deleting_until_it_is_released() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    server.hooked("PUT /_stator/table-states", r#"{"transition":"held"}"#).await;
    server.done("DeleteTable", json!({"TableName": "Music"})).await;
    assert_eq!(table(&server, "Music").await["TableStatus"], "DELETING");
    server.hooked("POST /_stator/table-states/release", "").await;
    assert_eq!(server.ask("DescribeTable", json!({"TableName": "Music"})).await.0, 400);
    server.hooked("PUT /_stator/table-states", r#"{"transition":"0s"}"#).await;
    make_table(&server, "Music").await;
    assert_eq!(table(&server, "Music").await["TableStatus"], "ACTIVE");
}

#[tokio::test]
async fn a_transition_of_some_time_follows_the_clock() {
    let server = Server::start_with_hooks().await;
    server.hooked("PUT /_stator/clock", r#"{"now":"2030-01-31T12:00:00Z","frozen":true}"#).await;
    server.hooked("PUT /_stator/table-states", r#"{"transition":"10s"}"#).await;
    make_table(&server, "Music").await;
    let told = server.hooked("GET /_stator/table-states", "").await;
    assert_eq!((&told["transition"], &told["tables"][0]["until"]), (&json!("10s"), &json!("2030-01-31T12:00:10.000Z")));
    server.hooked("POST /_stator/clock/advance", r#"{"by":"9s"}"#).await;
    assert_eq!(table(&server, "Music").await["TableStatus"], "CREATING");
    server.hooked("POST /_stator/clock/advance", r#"{"by":"1s"}"#).await;
    assert_eq!(table(&server, "Music").await["TableStatus"], "ACTIVE");
}

#[tokio::test]
async fn what_can_not_be_released_is_said() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    let (status, error) = server.refused("POST /_stator/table-states/release", r#"{"table":"Music"}"#).await;
    assert_eq!(status, 404);
    assert!(error.contains("GET /_stator/table-states"), "{error}");
    assert_eq!(server.refused("PUT /_stator/table-states", r#"{"transition":"forever"}"#).await.0, 400);
    assert_eq!(server.refused("PUT /_stator/table-states", "").await.0, 400);
}
