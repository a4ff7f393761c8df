//! What there is, what there is not, and how refusals read.

use serde_json::{Value, json};

use crate::harness::{Request, Server, Setup};

#[tokio::test]
async fn the_root_lists_every_path_with_what_it_does() {
    let server = Server::start_with_hooks().await;
    let list = server.hooked("GET /_stator/", "").await;
    let routes: Vec<String> =
        list["routes"].as_array().unwrap().iter().map(|route| format!("{} {}", route["method"], route["path"]).replace('"', "")).collect();
    for route in ["GET /_stator/clock", "POST /_stator/faults", "POST /_stator/snapshots/{name}/restore", "GET /_stator/requests"] {
        assert!(routes.iter().any(|known| known == route), "{route} is not in {routes:?}");
    }
    assert!(list["routes"].as_array().unwrap().iter().all(|route| route["does"].is_string()));
    assert_eq!(server.hooked("GET /_stator", "").await, list);
}

#[tokio::test]
async fn a_path_that_is_not_there_says_where_the_list_is() {
    let server = Server::start_with_hooks().await;
    let (status, error) = server.refused("GET /_stator/clocks", "").await;
    assert_eq!(status, 404);
    assert!(error.contains("GET /_stator/ lists"), "{error}");
    assert_eq!(server.refused("POST /_stator/snapshots/a/b/c", "").await.0, 404);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_told_those_that_it_does() {
    let server = Server::start_with_hooks().await;
    let headers = vec![("Host", "localhost".to_owned()), ("Content-Length", "0".to_owned())];
    let response = server.exchange(&Request { line: "PATCH /_stator/clock HTTP/1.1", headers, body: Vec::new() }).await;
    assert_eq!((response.status, response.header("allow")), (405, "GET, PUT, DELETE"));
    response.says("it takes GET, PUT, DELETE");
}

#[tokio::test]
async fn a_body_is_read_strictly_and_refused_with_an_example() {
    let server = Server::start_with_hooks().await;
    for (body, why) in [("{", "EOF"), ("[]", "invalid"), (r#"{"bye":"1h"}"#, "unknown field `bye`")] {
        let (status, error) = server.refused("POST /_stator/clock/advance", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(error.contains(why) && error.contains(r#"{\"by\":\"25h\"}"#), "{error}");
    }
    let (status, error) = server.refused("POST /_stator/ttl/sweep", r#"{"now":true}"#).await;
    assert_eq!(status, 400);
    assert!(error.contains("no body is expected"), "{error}");
}

#[tokio::test]
async fn a_server_that_keeps_data_has_nothing_there() {
    let server = Server::start(Setup::default()).await;
    for line in ["GET /_stator/ HTTP/1.1", "POST /_stator/reset HTTP/1.1", "DELETE /_stator/data HTTP/1.1"] {
        let headers = vec![("Host", "localhost".to_owned()), ("Content-Length", "0".to_owned())];
        let response = server.exchange(&Request { line, headers, body: Vec::new() }).await;
        assert_eq!((response.status, response.text()), (404, "<UnknownOperationException/>\n"), "{line}");
    }
    let typed = Request::of("Echo", b"{}").without("X-Amz-Target").line("POST /_stator/reset HTTP/1.1");
    server.exchange(&typed).await.is_fault(400, "UnknownOperationException");
}

#[tokio::test]
async fn reset_leaves_nothing_of_what_was_but_the_snapshots() {
    let server = Server::start_with_hooks().await;
    super::make_table(&server, "Music").await;
    server.hooked("PUT /_stator/snapshots/kept", "").await;
    server.hooked("PUT /_stator/clock", r#"{"now":"2031-01-01T00:00:00Z","frozen":true}"#).await;
    server.hooked("POST /_stator/faults", r#"{"exception":"ThrottlingException"}"#).await;
    server.hooked("PUT /_stator/index-lag", r#"{"lag":"held"}"#).await;
    server.hooked("PUT /_stator/table-states", r#"{"transition":"held"}"#).await;
    server.hooked("POST /_stator/reset", "").await;
    assert_eq!(server.done("ListTables", json!({})).await["TableNames"], json!([]));
    let clock = server.hooked("GET /_stator/clock", "").await;
    assert_eq!((&clock["frozen"], &clock["offset_ms"]), (&Value::Bool(false), &json!(0)));
    assert_eq!(server.hooked("GET /_stator/faults", "").await["faults"], json!([]));
    assert_eq!(server.hooked("GET /_stator/index-lag", "").await["lag"], "none");
    assert_eq!(server.hooked("GET /_stator/table-states", "").await["transition"], "0s");
    let operations: Vec<Value> = server.hooked("GET /_stator/requests", "").await["requests"].as_array().unwrap().clone();
    assert_eq!(operations.len(), 1, "only what was asked since: {operations:?}");
    assert_eq!(server.hooked("GET /_stator/snapshots", "").await["snapshots"][0]["name"], "kept");
}
