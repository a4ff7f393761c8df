//! States that are saved and come back.

use serde_json::{Value, json};

use super::{is_there, make_table, put};
use crate::harness::Server;

#[tokio::test]
async fn a_snapshot_brings_tables_and_items_back_as_often_as_wanted() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    put(&server, "Music", "first").await;
    let saved = server.hooked("PUT /_stator/snapshots/base", "").await;
    assert_eq!((&saved["name"], &saved["tables"]), (&json!("base"), &json!(1)));
    for _ in 0..3 {
        put(&server, "Music", "second").await;
        server.done("DeleteItem", json!({"TableName": "Music", "Key": {"Id": {"S": "first"}}})).await;
        make_table(&server, "Books").await;
        let restored = server.hooked("POST /_stator/snapshots/base/restore", "").await;
        assert!(restored["took_us"].as_u64().unwrap() < 1_000_000);
        assert_eq!(server.done("ListTables", json!({})).await["TableNames"], json!(["Music"]));
        assert_eq!((is_there(&server, "Music", "first").await, is_there(&server, "Music", "second").await), (true, false));
    }
    server.done("DeleteTable", json!({"TableName": "Music"})).await;
    server.hooked("POST /_stator/snapshots/base/restore", "").await;
    assert!(is_there(&server, "Music", "first").await);
    let described = server.done("DescribeTable", json!({"TableName": "Music"})).await;
    assert_eq!(described["Table"]["ItemCount"], 1);
}

#[tokio::test]
async fn a_restored_table_goes_on_as_if_nothing_had_been() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    server.hooked("PUT /_stator/snapshots/base", "").await;
    for round in 0..3 {
        let item = json!({"Id": {"S": "a"}, "Group": {"S": "g"}, "Place": {"N": round.to_string()}});
        server.done("PutItem", json!({"TableName": "Music", "Item": item, "ConditionExpression": "attribute_not_exists(Id)"})).await;
        let query = json!({
            "TableName": "Music",
            "IndexName": "ByGroup",
            "KeyConditionExpression": "#g = :g",
            "ExpressionAttributeNames": {"#g": "Group"},
            "ExpressionAttributeValues": {":g": {"S": "g"}},
        });
        assert_eq!(server.done("Query", query).await["Items"], json!([item]));
        server.hooked("POST /_stator/snapshots/base/restore", "").await;
    }
}

#[tokio::test]
async fn a_request_lies_before_or_behind_a_restore_and_never_across() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    let ids: Vec<String> = (0..25).map(|number| number.to_string()).collect();
    let batch = |round: &str| {
        let requests: Vec<Value> = ids.iter().map(|id| json!({"PutRequest": {"Item": {"Id": {"S": id}, "Round": {"S": round}}}})).collect();
        json!({"RequestItems": {"Music": requests}})
    };
    server.done("BatchWriteItem", batch("base")).await;
    server.hooked("PUT /_stator/snapshots/base", "").await;
    for round in 0..40 {
        let name = format!("round {round}");
        tokio::join!(server.done("BatchWriteItem", batch(&name)), server.hooked("POST /_stator/snapshots/base/restore", ""));
        let scanned = server.done("Scan", json!({"TableName": "Music"})).await;
        let rounds: Vec<&Value> = scanned["Items"].as_array().unwrap().iter().map(|item| &item["Round"]["S"]).collect();
        assert_eq!(rounds.len(), 25);
        assert!(rounds.iter().all(|one| *one == rounds[0]), "{rounds:?}");
    }
}

#[tokio::test]
async fn all_data_goes_at_once() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    put(&server, "Music", "a").await;
    server.hooked("DELETE /_stator/data", "").await;
    assert_eq!(server.done("ListTables", json!({})).await["TableNames"], json!([]));
    make_table(&server, "Music").await;
    assert!(!is_there(&server, "Music", "a").await);
}

#[tokio::test]
async fn snapshots_are_listed_replaced_and_forgotten() {
    let server = Server::start_with_hooks().await;
    server.hooked("PUT /_stator/snapshots/b", "").await;
    make_table(&server, "Music").await;
    server.hooked("PUT /_stator/snapshots/a.1", "").await;
    server.hooked("PUT /_stator/snapshots/b", "").await;
    let listed = server.hooked("GET /_stator/snapshots", "").await;
    let names: Vec<(&str, u64)> = listed["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|snapshot| (snapshot["name"].as_str().unwrap(), snapshot["tables"].as_u64().unwrap()))
        .collect();
    assert_eq!(names, [("a.1", 1), ("b", 1)]);
    server.hooked("DELETE /_stator/snapshots/b", "").await;
    let (status, error) = server.refused("POST /_stator/snapshots/b/restore", "").await;
    assert_eq!(status, 404);
    assert!(error.contains("there are: a.1"), "{error}");
    assert_eq!(server.refused("DELETE /_stator/snapshots/b", "").await.0, 404);
    assert_eq!(server.refused("PUT /_stator/snapshots/a%20b", "").await.0, 400);
}

#[tokio::test]
async fn data_on_disk_is_neither_saved_nor_reset() {
    let server = Server::start_without_rewind().await;
    make_table(&server, "Music").await;
    for line in ["PUT /_stator/snapshots/a", "POST /_stator/snapshots/a/restore", "DELETE /_stator/data", "POST /_stator/reset"] {
        let (status, error) = server.refused(line, "").await;
        assert_eq!(status, 409, "{line}");
        assert!(error.contains("without --data"), "{error}");
    }
    assert_eq!(server.done("ListTables", json!({})).await["TableNames"], json!(["Music"]));
}
