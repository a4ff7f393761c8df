//! Requests that go wrong on purpose.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{is_there, make_table, put};
use crate::harness::{Request, Server};

async fn server() -> Server {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    server
}

fn item(id: &str) -> Value {
    json!({"TableName": "Music", "Item": {"Id": {"S": id}}})
}

#[tokio::test]
async fn the_next_requests_that_match_get_the_exception_as_the_service_words_it() {
    let server = server().await;
    let fault = r#"{"match":{"operation":"PutItem","table":"Music"},"times":2,"exception":"ProvisionedThroughputExceededException"}"#;
    let added = server.hooked("POST /_stator/faults", fault).await;
    assert!(!is_there(&server, "Music", "a").await, "another operation is not concerned");
    for _ in 0..2 {
        let response = server.exchange(&Request::of("PutItem", item("a").to_string().as_bytes())).await;
        response.is_fault(400, "ProvisionedThroughputExceededException").says("The level of configured provisioned throughput");
        assert_eq!(response.header("x-amz-crc32"), crc32fast::hash(&response.body).to_string());
    }
    assert!(!is_there(&server, "Music", "a").await, "nothing was written");
    put(&server, "Music", "a").await;
    let listed = server.hooked("GET /_stator/faults", "").await;
    assert_eq!((&listed["faults"][0]["hits"], &listed["faults"][0]["left"]), (&json!(2), &json!(0)));
    let path = format!("/_stator/faults/{}", added["id"].as_str().unwrap());
    assert_eq!(server.hooked(&format!("GET {path}"), "").await["match"]["table"], "Music");
    server.hooked(&format!("DELETE {path}"), "").await;
    assert_eq!(server.refused(&format!("GET {path}"), "").await.0, 404);
    assert_eq!(server.refused(&format!("DELETE {path}"), "").await.0, 404);
}

#[tokio::test]
async fn an_exception_has_its_own_status_and_what_members_are_given() {
    let server = server().await;
    let fault = json!({
        "times": 1,
        "exception": "TransactionCanceledException",
        "message": "cancelled [ConditionalCheckFailed]",
        "members": {"CancellationReasons": [{"Code": "ConditionalCheckFailed"}]},
    });
    server.hooked("POST /_stator/faults", &fault.to_string()).await;
    let (status, answer) = server.ask("ListTables", json!({})).await;
    assert_eq!((status, &answer["CancellationReasons"][0]["Code"]), (400, &json!("ConditionalCheckFailed")));
    assert_eq!(answer["Message"], "cancelled [ConditionalCheckFailed]");
    for (exception, status) in [("InternalServerError", 500), ("ServiceUnavailableException", 503), ("ThrottlingException", 400)] {
        server.hooked("POST /_stator/faults", &json!({"times": 1, "exception": exception}).to_string()).await;
        server.exchange(&Request::of("ListTables", b"{}")).await.is_fault(status, exception);
    }
}

#[tokio::test]
async fn a_key_chooses_the_requests_that_name_the_item() {
    let server = server().await;
    let fault = r#"{"match":{"table":"Music","key":{"Id":{"S":"bad"}}},"exception":"InternalServerError"}"#;
    server.hooked("POST /_stator/faults", fault).await;
    put(&server, "Music", "good").await;
    assert_eq!(server.ask("PutItem", item("bad")).await.0, 500);
    assert_eq!(server.ask("GetItem", json!({"TableName": "Music", "Key": {"Id": {"S": "bad"}}})).await.0, 500);
    let batch = |id: &str| json!({"RequestItems": {"Music": [{"PutRequest": {"Item": {"Id": {"S": id}}}}]}});
    assert_eq!(server.ask("BatchWriteItem", batch("bad")).await.0, 500);
    server.done("BatchWriteItem", batch("other")).await;
    let transaction = json!({"TransactItems": [{"Delete": {"TableName": "Music", "Key": {"Id": {"S": "bad"}}}}]});
    assert_eq!(server.ask("TransactWriteItems", transaction).await.0, 500);
    server.hooked("DELETE /_stator/faults", "").await;
    put(&server, "Music", "bad").await;
}

#[tokio::test]
async fn a_transaction_is_cancelled_for_the_reason_that_its_member_is_given() {
    let server = server().await;
    let fault = r#"{"match":{"key":{"Id":{"S":"hot"}}},"cancel":"ProvisionedThroughputExceeded"}"#;
    server.hooked("POST /_stator/faults", fault).await;
    put(&server, "Music", "hot").await;
    let put_of = |id: &str| json!({"Put": item(id)});
    server.done("TransactWriteItems", json!({"TransactItems": [put_of("a"), put_of("b")]})).await;
    let (status, answer) = server.ask("TransactWriteItems", json!({"TransactItems": [put_of("c"), put_of("hot")]})).await;
    assert_eq!((status, &answer["CancellationReasons"][0]), (400, &json!({"Code": "None"})));
    assert_eq!(answer["CancellationReasons"][1]["Code"], "ProvisionedThroughputExceeded");
    let sentence = answer["CancellationReasons"][1]["Message"].as_str().unwrap();
    assert!(sentence.starts_with("The level of configured provisioned throughput for the table was exceeded."), "{sentence}");
    assert!(answer["Message"].as_str().unwrap().ends_with("[None, ProvisionedThroughputExceeded]"), "{answer}");
    assert!(!is_there(&server, "Music", "c").await, "nothing was written");
    let get = json!({"TransactItems": [{"Get": {"TableName": "Music", "Key": {"Id": {"S": "hot"}}}}]});
    assert!(server.ask("TransactGetItems", get).await.1["Message"].as_str().unwrap().ends_with("[ProvisionedThroughputExceeded]"));
}

#[tokio::test]
async fn a_share_takes_the_same_requests_under_the_same_seed() {
    let server = server().await;
    let mut rounds = Vec::new();
    for seed in [7, 7, 8] {
        let fault = json!({"match": {"operation": "PutItem"}, "share": 0.5, "seed": seed, "exception": "ThrottlingException"});
        server.hooked("POST /_stator/faults", &fault.to_string()).await;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(server.ask("PutItem", item("a")).await.0);
        }
        let failed = statuses.iter().filter(|status| **status == 400).count();
        assert!((8..=32).contains(&failed), "{failed} of 40");
        rounds.push(statuses);
        server.hooked("DELETE /_stator/faults", "").await;
    }
    assert_eq!(rounds[0], rounds[1]);
    assert_ne!(rounds[0], rounds[2]);
}

#[tokio::test]
async fn a_delay_holds_up_its_request_and_no_other() {
    let server = server().await;
    server.hooked("POST /_stator/faults", r#"{"match":{"operation":"PutItem"},"times":1,"delay":"400ms"}"#).await;
    #[expect(clippy::disallowed_methods, reason = "a delay is measured")]
    let started = Instant::now();
    let others = async {
        put_waits_for(&server, &started).await;
        started.elapsed()
    };
    let ((), other) = tokio::join!(put(&server, "Music", "a"), others);
    assert!(started.elapsed() >= Duration::from_millis(400));
    assert!(other < Duration::from_millis(400), "{other:?}");
    assert!(is_there(&server, "Music", "a").await);
}

/// Something else that is answered while the delayed request waits.
async fn put_waits_for(server: &Server, _: &Instant) {
    server.done("ListTables", json!({})).await;
}

#[tokio::test]
async fn a_dropped_connection_ends_without_an_answer_before_or_after_the_work() {
    let server = server().await;
    for (fault, is_written) in [(r#"{"times":1,"drop":true}"#, false), (r#"{"times":1,"drop":true,"after":true}"#, true)] {
        server.hooked("POST /_stator/faults", fault).await;
        let mut client = server.connect().await;
        client.send(&Request::of("PutItem", item("a").to_string().as_bytes()).bytes()).await;
        assert!(client.receive().await.is_none(), "{fault}");
        assert_eq!(is_there(&server, "Music", "a").await, is_written, "{fault}");
    }
    let lost = r#"{"times":1,"exception":"InternalServerError","after":true}"#;
    server.hooked("POST /_stator/faults", lost).await;
    assert_eq!(server.ask("PutItem", item("b")).await.0, 500);
    assert!(is_there(&server, "Music", "b").await);
}

#[tokio::test]
async fn members_of_a_batch_come_back_unprocessed_and_undone() {
    let server = server().await;
    let request = |id: &str| json!({"PutRequest": {"Item": {"Id": {"S": id}}}});
    let batch = json!({"RequestItems": {"Music": [request("a"), request("b"), request("c")]}, "ReturnConsumedCapacity": "TOTAL"});
    server.hooked("POST /_stator/faults", r#"{"match":{"operation":"BatchWriteItem"},"times":1,"unprocessed":2}"#).await;
    put(&server, "Music", "x").await;
    let answer = server.done("BatchWriteItem", batch.clone()).await;
    assert_eq!(answer["UnprocessedItems"]["Music"], json!([request("a"), request("b")]));
    assert_eq!(answer["ConsumedCapacity"][0]["CapacityUnits"].to_string(), "1.0");
    assert_eq!((is_there(&server, "Music", "a").await, is_there(&server, "Music", "c").await), (false, true));
    assert_eq!(server.done("BatchWriteItem", batch).await["UnprocessedItems"], json!({}));

    let local = json!({"TableName": "Local", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "Id", "AttributeType": "S"}, {"AttributeName": "At", "AttributeType": "S"},
            {"AttributeName": "By", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "At", "KeyType": "RANGE"}],
        "LocalSecondaryIndexes": [{"IndexName": "ByBy", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "Id", "KeyType": "HASH"}, {"AttributeName": "By", "KeyType": "RANGE"}]}]});
    server.done("CreateTable", local).await;
    let request = |id: &str| json!({"PutRequest": {"Item": {"Id": {"S": id}, "At": {"S": "1"}}}});
    let batch = json!({"RequestItems": {"Local": [request("a"), request("b")]}, "ReturnItemCollectionMetrics": "SIZE"});
    server.hooked("POST /_stator/faults", r#"{"match":{"operation":"BatchWriteItem"},"times":1,"unprocessed":1}"#).await;
    let metrics = &server.done("BatchWriteItem", batch).await["ItemCollectionMetrics"]["Local"];
    assert_eq!(metrics[0]["ItemCollectionKey"], json!({"Id": {"S": "b"}}), "what came back has changed no collection");
    assert_eq!(metrics[1], json!(null));

    let keys = json!({"RequestItems": {"Music": {"Keys": [{"Id": {"S": "a"}}, {"Id": {"S": "c"}}], "ConsistentRead": true}}});
    server.hooked("POST /_stator/faults", r#"{"match":{"key":{"Id":{"S":"c"}}},"times":1,"unprocessed":"all"}"#).await;
    let answer = server.done("BatchGetItem", keys.clone()).await;
    assert_eq!(answer["Responses"]["Music"], json!([{"Id": {"S": "a"}}]));
    assert_eq!(answer["UnprocessedKeys"]["Music"], json!({"Keys": [{"Id": {"S": "c"}}], "ConsistentRead": true}));
    assert_eq!(server.done("BatchGetItem", keys).await["UnprocessedKeys"], json!({}));
}

#[tokio::test]
async fn requests_that_are_refused_for_what_they_say_use_no_fault_up() {
    let server = server().await;
    server.hooked("POST /_stator/faults", r#"{"match":{"operation":"PutItem"},"times":1,"exception":"InternalServerError"}"#).await;
    server.exchange(&Request::of("PutItem", br#"{"TableName":"Music"}"#)).await.is_fault(400, "ValidationException");
    assert_eq!(server.ask("PutItem", item("a")).await.0, 500);
}

#[tokio::test]
async fn regions_are_told_apart() {
    let server = server().await;
    server.hooked("POST /_stator/faults", r#"{"match":{"region":"eu-west-9"},"exception":"InternalServerError"}"#).await;
    put(&server, "Music", "a").await;
    server.hooked("POST /_stator/faults", r#"{"match":{"region":"eu-north-7"},"exception":"InternalServerError"}"#).await;
    assert_eq!(server.ask("PutItem", item("a")).await.0, 500);
}

#[tokio::test]
async fn faults_that_make_no_sense_are_refused_with_what_would() {
    let server = server().await;
    for (body, why) in [
        ("{}", "nothing is to go wrong"),
        (r#"{"exception":"NoSuchException"}"#, "ProvisionedThroughputExceededException"),
        (r#"{"match":{"operation":"PutItems"},"drop":true}"#, "BatchWriteItem"),
        (r#"{"match":{"key":{"Id":"a"}},"drop":true}"#, "match.key"),
        (r#"{"match":{"key":{}},"drop":true}"#, "match.key"),
        (r#"{"match":{"tabel":"Music"},"drop":true}"#, "unknown field `tabel`"),
        (r#"{"drop":true,"exception":"InternalServerError"}"#, "do not go together"),
        (r#"{"drop":true,"times":0}"#, "times is 0"),
        (r#"{"drop":true,"share":1.5}"#, "share is not"),
        (r#"{"drop":true,"seed":1}"#, "without a share"),
        (r#"{"drop":true,"message":"x"}"#, "belong to an exception"),
        (r#"{"delay":"1h"}"#, "too long"),
        (r#"{"delay":"soon"}"#, "no span"),
        (r#"{"delay":"1s","after":true}"#, "after goes with"),
        (r#"{"unprocessed":0}"#, "above 0"),
        (r#"{"cancel":"Tired"}"#, "no cancellation reason"),
        (r#"{"cancel":"ThrottlingError","drop":true}"#, "do not go together"),
        (r#"{"unprocessed":"some"}"#, "above 0"),
    ] {
        let (status, error) = server.refused("POST /_stator/faults", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(error.contains(why), "{body}: {error}");
    }
    assert_eq!(server.refused("GET /_stator/faults/fault-9", "").await.0, 404);
    assert_eq!(server.refused("GET /_stator/faults/nine", "").await.0, 404);
}
