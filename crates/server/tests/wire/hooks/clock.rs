//! The settable clock, and all that follows it at once.

use serde_json::json;

use super::{is_there, make_table, put};
use crate::harness::Server;

/// A moment so many seconds from the server's own.
async fn seconds_from_now(server: &Server, seconds: i64) -> String {
    let now_ms = server.hooked("GET /_stator/clock", "").await["now_ms"].as_i64().unwrap();
    (now_ms / 1000 + seconds).to_string()
}

async fn turn_ttl_on(server: &Server, table: &str) {
    let spec = json!({"Enabled": true, "AttributeName": "Until"});
    server.done("UpdateTimeToLive", json!({"TableName": table, "TimeToLiveSpecification": spec})).await;
}

async fn put_until(server: &Server, table: &str, id: &str, until: &str) {
    server.done("PutItem", json!({"TableName": table, "Item": {"Id": {"S": id}, "Until": {"N": until}}})).await;
}

#[tokio::test]
async fn items_have_expired_when_the_call_that_moves_the_time_is_answered() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    turn_ttl_on(&server, "Music").await;
    let until = seconds_from_now(&server, 3600).await;
    put_until(&server, "Music", "a", &until).await;
    put_until(&server, "Music", "b", &seconds_from_now(&server, 3 * 3600).await).await;
    server.hooked("POST /_stator/clock/advance", r#"{"by":"30min"}"#).await;
    assert!(is_there(&server, "Music", "a").await);
    server.hooked("POST /_stator/clock/advance", r#"{"by":"1h"}"#).await;
    assert!(!is_there(&server, "Music", "a").await);
    assert!(is_there(&server, "Music", "b").await);
}

#[tokio::test]
async fn a_sweep_removes_what_the_background_would_have_removed_later() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    turn_ttl_on(&server, "Music").await;
    put_until(&server, "Music", "past", &seconds_from_now(&server, -60).await).await;
    put_until(&server, "Music", "future", &seconds_from_now(&server, 60).await).await;
    server.hooked("POST /_stator/ttl/sweep", "").await;
    assert!(!is_there(&server, "Music", "past").await);
    assert!(is_there(&server, "Music", "future").await);
}

async fn iterator(server: &Server, arn: &str) -> String {
    let described = server.done("DynamoDBStreams_20120810.DescribeStream", json!({"StreamArn": arn})).await;
    let shard = described["StreamDescription"]["Shards"][0]["ShardId"].as_str().unwrap().to_owned();
    let asked = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    server.done("DynamoDBStreams_20120810.GetShardIterator", asked).await["ShardIterator"].as_str().unwrap().to_owned()
}

/// Records of all shards.
async fn records(server: &Server, arn: &str) -> usize {
    let described = server.done("DynamoDBStreams_20120810.DescribeStream", json!({"StreamArn": arn})).await;
    let mut count = 0;
    for shard in described["StreamDescription"]["Shards"].as_array().unwrap() {
        let asked = json!({"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"});
        let iterator = server.done("DynamoDBStreams_20120810.GetShardIterator", asked).await["ShardIterator"].clone();
        let page = server.done("DynamoDBStreams_20120810.GetRecords", json!({"ShardIterator": iterator})).await;
        count += page["Records"].as_array().unwrap().len();
    }
    count
}

#[tokio::test]
async fn iterators_expire_and_records_are_trimmed_as_time_goes() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    put(&server, "Music", "a").await;
    let described = server.done("DescribeTable", json!({"TableName": "Music"})).await;
    let arn = described["Table"]["LatestStreamArn"].as_str().unwrap().to_owned();
    server.hooked("PUT /_stator/clock", r#"{"frozen":true}"#).await;
    let iterator = iterator(&server, &arn).await;
    server.hooked("POST /_stator/clock/advance", r#"{"by":"15min"}"#).await;
    server.done("DynamoDBStreams_20120810.GetRecords", json!({"ShardIterator": iterator})).await;
    server.hooked("POST /_stator/clock/advance", r#"{"by":"1ms"}"#).await;
    let (status, answer) = server.ask("DynamoDBStreams_20120810.GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(status, 400);
    assert!(answer["__type"].as_str().unwrap().ends_with("#ExpiredIteratorException"), "{answer}");
    assert_eq!(records(&server, &arn).await, 1);
    server.hooked("POST /_stator/clock/advance", r#"{"by":"24h"}"#).await;
    assert_eq!(records(&server, &arn).await, 0);
    put(&server, "Music", "b").await;
    server.hooked("POST /_stator/streams/trim", "").await;
    assert_eq!(records(&server, &arn).await, 1, "what is younger than a day stays");
}

#[tokio::test]
async fn tokens_of_transactions_are_forgotten_after_ten_minutes() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    let request = |id: &str| {
        let put = json!({"Put": {"TableName": "Music", "Item": {"Id": {"S": id}}}});
        json!({"ClientRequestToken": "token", "TransactItems": [put]})
    };
    server.done("TransactWriteItems", request("a")).await;
    let (status, answer) = server.ask("TransactWriteItems", request("b")).await;
    assert_eq!(status, 400, "{answer}");
    server.hooked("POST /_stator/clock/advance", r#"{"by":"11min"}"#).await;
    server.done("TransactWriteItems", request("b")).await;
}

#[tokio::test]
async fn a_clock_can_be_set_stopped_and_given_back() {
    let server = Server::start_with_hooks().await;
    let set = server.hooked("PUT /_stator/clock", r#"{"now":"2030-01-31T12:00:00Z","frozen":true}"#).await;
    assert_eq!((&set["now"], &set["frozen"]), (&json!("2030-01-31T12:00:00.000Z"), &json!(true)));
    let advanced = server.hooked("POST /_stator/clock/advance", r#"{"by_ms":1500}"#).await;
    assert_eq!(advanced["now"], "2030-01-31T12:00:01.500Z");
    assert_eq!(server.hooked("GET /_stator/clock", "").await["now_ms"], advanced["now_ms"]);
    make_table(&server, "Music").await;
    let described = server.done("DescribeTable", json!({"TableName": "Music"})).await;
    assert_eq!(described["Table"]["CreationDateTime"].to_string(), "1896091201.5");
    let set = server.hooked("PUT /_stator/clock", r#"{"now_ms":1800000000000}"#).await;
    assert_eq!((&set["now_ms"], &set["frozen"]), (&json!(1_800_000_000_000_u64), &json!(true)));
    let freed = server.hooked("PUT /_stator/clock", r#"{"frozen":false}"#).await;
    assert!(freed["now_ms"].as_u64().unwrap() - 1_800_000_000_000 < 60_000);
    assert_eq!(server.hooked("DELETE /_stator/clock", "").await["offset_ms"], 0);
}

#[tokio::test]
async fn what_is_due_is_done_after_the_clock_went_back_too() {
    let server = Server::start_with_hooks().await;
    make_table(&server, "Music").await;
    turn_ttl_on(&server, "Music").await;
    server.hooked("POST /_stator/clock/advance", r#"{"by":"30d"}"#).await;
    server.hooked("DELETE /_stator/clock", "").await;
    put_until(&server, "Music", "a", &seconds_from_now(&server, -5).await).await;
    server.hooked("POST /_stator/clock/advance", r#"{"by":"0s"}"#).await;
    assert!(!is_there(&server, "Music", "a").await);
}

#[tokio::test]
async fn times_that_mean_nothing_are_refused() {
    let server = Server::start_with_hooks().await;
    for (line, body, why) in [
        ("PUT /_stator/clock", "{}", "neither a time nor frozen"),
        ("PUT /_stator/clock", r#"{"now":"tomorrow"}"#, "no moment"),
        ("PUT /_stator/clock", r#"{"now":"2030-01-31T12:00:00Z","now_ms":1}"#, "both given"),
        ("PUT /_stator/clock", r#"{"now_ms":999999999999999}"#, "9998"),
        ("POST /_stator/clock/advance", "{}", "by and by_ms"),
        ("POST /_stator/clock/advance", r#"{"by":"-5s"}"#, "no span"),
        ("POST /_stator/clock/advance", r#"{"by":"5 parsecs"}"#, "no span"),
    ] {
        let (status, error) = server.refused(line, body).await;
        assert_eq!(status, 400, "{body}");
        assert!(error.contains(why), "{body}: {error}");
    }
}
