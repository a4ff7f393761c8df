//! Global and vector indexes that lag behind.

use serde_json::{Value, json};

use super::make_table;
use crate::harness::Server;

async fn put(server: &Server, id: &str, group: &str, place: u32) {
    let item = json!({"Id": {"S": id}, "Group": {"S": group}, "Place": {"N": place.to_string()}});
    server.done("PutItem", json!({"TableName": "Music", "Item": item})).await;
}

fn ids(answer: &Value) -> Vec<String> {
    answer["Items"].as_array().unwrap().iter().map(|item| item["Id"]["S"].as_str().unwrap().to_owned()).collect()
}

fn query(group: &str) -> Value {
    json!({
        "TableName": "Music",
        "IndexName": "ByGroup",
        "KeyConditionExpression": "#g = :g",
        "ExpressionAttributeNames": {"#g": "Group"},
        "ExpressionAttributeValues": {":g": {"S": group}},
    })
}

async fn group(server: &Server, group: &str) -> Vec<String> {
    ids(&server.done("Query", query(group)).await)
}

async fn server() -> Server {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    for (place, id) in ["a", "b", "c"].into_iter().enumerate() {
        put(&server, id, "g", u32::try_from(place).unwrap() * 10).await;
    }
    server
}

#[tokio::test]
async fn an_index_that_is_held_shows_what_was_there_until_it_is_released() {
    let server = server().await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"held"}"#).await;
    put(&server, "new", "g", 5).await;
    put(&server, "b", "other", 10).await;
    server.done("DeleteItem", json!({"TableName": "Music", "Key": {"Id": {"S": "c"}}})).await;
    put(&server, "twice", "g", 1).await;
    server.done("DeleteItem", json!({"TableName": "Music", "Key": {"Id": {"S": "twice"}}})).await;
    assert_eq!(group(&server, "g").await, ["a", "b", "c"]);
    assert_eq!(group(&server, "other").await, [""; 0]);
    assert_eq!(server.done("Scan", json!({"TableName": "Music"})).await["Count"], 3, "the table itself is up to date");
    let told = server.hooked("GET /_stator/index-lag", "").await;
    assert_eq!((&told["lag"], told["hidden_entries"].as_u64().unwrap()), (&json!("held"), 5));
    assert_eq!(server.hooked("POST /_stator/index-lag/release", "").await["hidden_entries"], 0);
    assert_eq!(group(&server, "g").await, ["a", "new"]);
    assert_eq!(group(&server, "other").await, ["b"]);
    put(&server, "later", "g", 7).await;
    assert_eq!(group(&server, "g").await, ["a", "new"], "it goes on lagging");
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"none"}"#).await;
    assert_eq!(group(&server, "g").await, ["a", "new", "later"]);
}

#[tokio::test]
async fn a_lag_of_some_time_follows_the_clock() {
    let server = server().await;
    server.hooked("PUT /_stator/clock", r#"{"frozen":true}"#).await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"5s"}"#).await;
    put(&server, "d", "g", 30).await;
    server.hooked("POST /_stator/clock/advance", r#"{"by":"3s"}"#).await;
    put(&server, "d", "g", 1).await;
    assert_eq!(group(&server, "g").await, ["a", "b", "c"]);
    server.hooked("POST /_stator/clock/advance", r#"{"by":"2s"}"#).await;
    assert_eq!(group(&server, "g").await, ["a", "b", "c", "d"]);
    server.hooked("POST /_stator/clock/advance", r#"{"by":"3s"}"#).await;
    assert_eq!(group(&server, "g").await, ["a", "d", "b", "c"]);
    assert_eq!(server.hooked("GET /_stator/index-lag", "").await, json!({"lag": "5s", "hidden_entries": 0}));
}

#[tokio::test]
async fn pages_of_the_past_are_in_order_in_both_directions() {
    let server = server().await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"held"}"#).await;
    for id in ["a", "b", "c"] {
        server.done("DeleteItem", json!({"TableName": "Music", "Key": {"Id": {"S": id}}})).await;
    }
    put(&server, "x", "g", 15).await;
    for (forward, expected) in [(true, ["a", "b", "c"]), (false, ["c", "b", "a"])] {
        let (mut seen, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut page = query("g");
            page["Limit"] = json!(1);
            page["ScanIndexForward"] = json!(forward);
            if !start.is_null() {
                page["ExclusiveStartKey"] = start;
            }
            let answer = server.done("Query", page).await;
            seen.extend(ids(&answer));
            start = answer["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
    assert_eq!(server.done("Scan", json!({"TableName": "Music", "IndexName": "ByGroup"})).await["Count"], 3);
}

#[tokio::test]
async fn transactions_and_batches_lag_as_single_writes_do() {
    let server = server().await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"held"}"#).await;
    let item = |id: &str| json!({"Id": {"S": id}, "Group": {"S": "t"}, "Place": {"N": "1"}});
    let put = |id: &str| json!({"Put": {"TableName": "Music", "Item": item(id)}});
    server.done("TransactWriteItems", json!({"TransactItems": [put("t1"), put("t2")]})).await;
    server.done("BatchWriteItem", json!({"RequestItems": {"Music": [{"PutRequest": {"Item": item("t3")}}]}})).await;
    assert_eq!(group(&server, "t").await.len(), 0);
    server.hooked("POST /_stator/index-lag/release", "").await;
    assert_eq!(group(&server, "t").await, ["t1", "t2", "t3"]);
}

#[tokio::test]
async fn a_search_of_vectors_finds_what_was_there() {
    let server = Server::start_with_hooks().await;
    let table = json!({
        "TableName": "Songs",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}],
        "VectorIndexes": [{
            "IndexName": "Near",
            "VectorAttribute": {"AttributeName": "At"},
            "Dimensions": 2,
            "DistanceFunction": "EUCLIDEAN",
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
    });
    server.done("CreateTable", table).await;
    let put = async |id: &str, at: [u32; 2]| {
        let vector = json!({"L": at.map(|element| json!({"N": element.to_string()}))});
        server.done("PutItem", json!({"TableName": "Songs", "Item": {"Id": {"S": id}, "At": vector}})).await;
    };
    let found = async || {
        let search = json!({"TableName": "Songs", "IndexName": "Near", "SearchVector": [{"N": "0"}, {"N": "0"}], "TopK": 9});
        let answer = server.done("SearchVectors", search).await;
        let of = |result: &Value| format!("{} {}", result["Item"]["Id"]["S"].as_str().unwrap(), result["Score"]);
        answer["SearchResults"].as_array().unwrap().iter().map(of).collect::<Vec<_>>().join(", ")
    };
    put("a", [1, 0]).await;
    put("b", [2, 0]).await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"held"}"#).await;
    put("b", [0, 0]).await;
    put("c", [3, 0]).await;
    server.done("DeleteItem", json!({"TableName": "Songs", "Key": {"Id": {"S": "a"}}})).await;
    assert_eq!(found().await, "a 1.0, b 2.0");
    assert_eq!(server.hooked("GET /_stator/index-lag", "").await["hidden_entries"], 3);
    server.hooked("POST /_stator/index-lag/release", "").await;
    assert_eq!(found().await, "b 0.0, c 3.0");
}

#[tokio::test]
async fn a_restored_snapshot_is_shown_at_once() {
    let server = server().await;
    server.hooked("PUT /_stator/snapshots/base", "").await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"held"}"#).await;
    put(&server, "d", "g", 30).await;
    server.hooked("POST /_stator/snapshots/base/restore", "").await;
    assert_eq!(group(&server, "g").await, ["a", "b", "c"]);
    assert_eq!(server.hooked("GET /_stator/index-lag", "").await, json!({"lag": "held", "hidden_entries": 0}));
}

#[tokio::test]
async fn lags_that_are_none_are_refused() {
    let server = server().await;
    for body in [r#"{"lag":"slow"}"#, r#"{"lag":5}"#, "{}", r#"{"index":"ByGroup"}"#] {
        assert_eq!(server.refused("PUT /_stator/index-lag", body).await.0, 400, "{body}");
    }
}
