//! The journal of requests.

use serde_json::json;

use super::{make_table, put};
use crate::harness::{Request, Server};

#[tokio::test]
async fn a_request_is_told_with_its_receipt_whether_it_asked_for_one_or_not() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    server.hooked("DELETE /_stator/requests", "").await;
    let body = json!({"TableName": "Music", "Item": {"Id": {"S": "a"}, "Group": {"S": "g"}, "Place": {"N": "1"}}});
    let response = server.exchange(&Request::of("PutItem", body.to_string().as_bytes())).await;
    let told = server.hooked("GET /_stator/requests", "").await;
    assert_eq!(told["requests"].as_array().unwrap().len(), 1);
    let entry = &told["requests"][0];
    assert_eq!((&entry["operation"], &entry["tables"], &entry["status"]), (&json!("PutItem"), &json!(["Music"]), &json!(200)));
    assert_eq!(entry["request_id"], response.header("x-amzn-requestid"));
    assert_eq!((&entry["region"], &entry["request"]), (&json!("eu-north-7"), &body));
    assert_eq!(entry["request_bytes"], body.to_string().len());
    assert!(entry["latency_us"].as_u64().unwrap() > 0);
    let consumed = json!([{"table": "Music", "units": 2.0, "table_units": 1.0, "local_indexes": {}, "global_indexes": {"ByGroup": 1.0}}]);
    assert_eq!(entry["consumed"], consumed);
}

#[tokio::test]
async fn every_operation_on_items_leaves_what_it_consumed() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Ash").await;
    make_table(&server, "Bay").await;
    let key = json!({"Id": {"S": "a"}});
    let put = |table: &str| json!({"TableName": table, "Item": key});
    let statement = |text: &str| json!({"Statement": text, "Parameters": [{"S": "a"}]});
    let select = r#"SELECT * FROM "Ash" WHERE "Id" = ?"#;
    for (operation, body, units) in [
        ("PutItem", put("Ash"), json!({"Ash": 1.0})),
        ("UpdateItem", json!({"TableName": "Ash", "Key": key}), json!({"Ash": 1.0})),
        ("GetItem", json!({"TableName": "Ash", "Key": key}), json!({"Ash": 0.5})),
        ("Query", query("Ash"), json!({"Ash": 0.5})),
        ("Scan", json!({"TableName": "Ash", "ConsistentRead": true}), json!({"Ash": 1.0})),
        ("BatchGetItem", json!({"RequestItems": {"Ash": {"Keys": [key]}, "Bay": {"Keys": [key]}}}), json!({"Ash": 0.5, "Bay": 0.5})),
        ("BatchWriteItem", json!({"RequestItems": {"Ash": [{"PutRequest": {"Item": key}}]}}), json!({"Ash": 1.0})),
        ("TransactGetItems", json!({"TransactItems": [{"Get": {"TableName": "Ash", "Key": key}}]}), json!({"Ash": 2.0})),
        ("TransactWriteItems", json!({"TransactItems": [{"Put": put("Ash")}, {"Put": put("Bay")}]}), json!({"Ash": 2.0, "Bay": 2.0})),
        ("ExecuteStatement", statement(select), json!({"Ash": 0.5})),
        ("BatchExecuteStatement", json!({"Statements": [statement(select)]}), json!({"Ash": 0.5})),
        ("ExecuteTransaction", json!({"TransactStatements": [statement(select)]}), json!({"Ash": 2.0})),
        ("DeleteItem", json!({"TableName": "Ash", "Key": key}), json!({"Ash": 1.0})),
    ] {
        server.done(operation, body).await;
        let told = server.hooked("GET /_stator/requests?limit=1", "").await;
        let entry = &told["requests"][0];
        let consumed = entry["consumed"].as_array().unwrap().iter();
        let consumed: serde_json::Map<_, _> =
            consumed.map(|table| (table["table"].as_str().unwrap().to_owned(), table["units"].clone())).collect();
        assert_eq!((&entry["operation"], json!(consumed)), (&json!(operation), units));
        assert_eq!(entry["tables"].as_array().unwrap().len(), consumed.len(), "{operation}");
    }
}

fn query(table: &str) -> serde_json::Value {
    json!({"TableName": table, "KeyConditionExpression": "Id = :id", "ExpressionAttributeValues": {":id": {"S": "a"}}})
}

#[tokio::test]
async fn failures_and_faults_are_told_too() {
    let server = Server::start_with_hooks().await;
    server.ask("PutItem", json!({"TableName": "Missing", "Item": {"Id": {"S": "a"}}})).await;
    server.ask("PutItem", json!({"TableName": "x"})).await;
    server.hooked("POST /_stator/faults", r#"{"times":1,"drop":true}"#).await;
    let mut client = server.connect().await;
    client.send(&Request::of("ListTables", b"{}").bytes()).await;
    assert!(client.receive().await.is_none());
    let told = server.hooked("GET /_stator/requests", "").await;
    let entries = told["requests"].as_array().unwrap();
    assert_eq!((&entries[0]["status"], &entries[0]["exception"]), (&json!(400), &json!("ResourceNotFoundException")));
    assert_eq!((&entries[1]["status"], &entries[1]["exception"]), (&json!(400), &json!("ValidationException")));
    assert_eq!((&entries[2]["status"], &entries[2]["fault"]), (&json!(null), &json!("fault-1")));
}

#[tokio::test]
async fn the_list_is_narrowed_by_its_query() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Ash").await;
    make_table(&server, "Bay").await;
    for id in ["a", "b", "c"] {
        put(&server, "Ash", id).await;
        put(&server, "Bay", id).await;
    }
    let count = async |query: &str| {
        let told = server.hooked(&format!("GET /_stator/requests?{query}"), "").await;
        told["requests"].as_array().unwrap().len()
    };
    assert_eq!(count("operation=PutItem").await, 6);
    assert_eq!(count("operation=PutItem&table=Ash").await, 3);
    assert_eq!(count("table=Bay").await, 4);
    assert_eq!(count("limit=2").await, 2);
    let last = server.hooked("GET /_stator/requests", "").await["last"].as_u64().unwrap();
    put(&server, "Ash", "d").await;
    assert_eq!(count(&format!("after={last}")).await, 1);
    for query in ["limit=few", "operations=PutItem"] {
        assert_eq!(server.refused(&format!("GET /_stator/requests?{query}"), "").await.0, 400, "{query}");
    }
    server.hooked("DELETE /_stator/requests", "").await;
    assert_eq!(count("").await, 0);
}

#[tokio::test]
async fn the_oldest_requests_make_room_and_large_bodies_are_left_out() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Ash").await;
    let mut client = server.connect().await;
    for _ in 0..1005 {
        client.send(&Request::of("ListTables", b"{}").bytes()).await;
        assert_eq!(client.receive().await.unwrap().status, 200);
    }
    let told = server.hooked("GET /_stator/requests", "").await;
    let entries = told["requests"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["number"], &told["last"]), (1000, &json!(7), &json!(1006)));
    let large = json!({"TableName": "Ash", "Item": {"Id": {"S": "a"}, "Text": {"S": "x".repeat(20_000)}}});
    server.done("PutItem", large).await;
    let told = server.hooked("GET /_stator/requests?limit=1", "").await;
    let entry = &told["requests"][0];
    assert!(entry.get("request").is_none() && entry["request_bytes"].as_u64().unwrap() > 20_000);
    assert_eq!(entry["tables"], json!(["Ash"]));
}
