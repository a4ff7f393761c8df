//! Content types, targets, encodings, checksums and headers.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::harness::{Request, Server, Setup};

#[tokio::test]
async fn an_answer_carries_the_headers_that_sdks_check() {
    let server = Server::start(Setup::default()).await;
    let response = server.exchange(&Request::of("Echo", b"{\"a\":1}")).await;
    assert_eq!((response.status, response.text()), (200, "{\"a\":1}"));
    assert_eq!(response.header("content-type"), "application/x-amz-json-1.0");
    assert_eq!(response.header("x-amz-crc32"), crc32fast::hash(b"{\"a\":1}").to_string());
    assert_eq!(response.header("server"), "Server");
    let id = response.header("x-amzn-requestid");
    assert!(id.len() == 52 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{id}");
    assert!(response.header("date").ends_with(" GMT"));
    assert!(!response.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn a_missing_or_unknown_target_is_an_unknown_operation() {
    let server = Server::start(Setup::default()).await;
    let right = Request::of("Echo", b"{}");
    server.exchange(&right.clone().without("X-Amz-Target")).await.is_fault(400, "UnknownOperationException");
    server.exchange(&right.clone().with("X-Amz-Target", "DynamoDB_20120810.Nothing")).await.is_fault(400, "UnknownOperationException");
    server.exchange(&right.with("X-Amz-Target", "DynamoDB_20111205.Echo")).await.is_fault(400, "UnknownOperationException");
}

#[tokio::test]
async fn a_content_type_that_is_not_json_is_answered_404() {
    let server = Server::start(Setup::default()).await;
    let right = Request::of("Echo", b"{}");
    for request in
        [right.clone().without("Content-Type"), right.clone().with("Content-Type", "text/plain"), right.clone().line("PUT / HTTP/1.1")]
    {
        let response = server.exchange(&request).await;
        assert_eq!((response.status, response.text()), (404, "<UnknownOperationException/>\n"));
        assert_eq!(response.header("x-amz-crc32"), "3552371480");
    }
    let with_parameter = right.with("Content-Type", "application/json; charset=utf-8");
    let response = server.exchange(&with_parameter).await;
    assert_eq!((response.status, response.header("content-type")), (200, "application/json"));
}

#[tokio::test]
async fn get_says_that_the_server_is_healthy() {
    let server = Server::start(Setup::default()).await;
    let get = Request { line: "GET / HTTP/1.1", headers: vec![("Host", "localhost".to_owned())], body: Vec::new() };
    let response = server.exchange(&get).await;
    assert_eq!((response.status, response.text()), (200, "healthy: dynamodb.us-east-1.amazonaws.com "));
    assert_eq!(response.header("content-type"), "text/plain");
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused_before_a_missing_signature() {
    let server = Server::start(Setup::default()).await;
    for body in [&b""[..], b"[]", b"null"] {
        server.exchange(&Request::of("Echo", body).without("Authorization")).await.is_fault(400, "SerializationException");
    }
}

#[tokio::test]
async fn invalid_input_is_refused_after_a_missing_signature() {
    let server = Server::start(Setup::default()).await;
    let bad = Request::of("Echo", b"{\"bad\":1}");
    server.exchange(&bad).await.is_fault(400, "ValidationException");
    server.exchange(&bad.clone().without("Authorization")).await.is_fault(400, "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn compressed_bodies_are_inflated() {
    let server = Server::start(Setup::default()).await;
    let plain = b"{\"compressed\":true}";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(plain).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(plain).unwrap();
    let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
    bare.write_all(plain).unwrap();
    let bodies = [("gzip", gzip.finish().unwrap()), ("deflate", zlib.finish().unwrap()), ("deflate", bare.finish().unwrap())];
    for (coding, body) in bodies {
        let response = server.exchange(&Request::of("Echo", &body).with("Content-Encoding", coding)).await;
        assert_eq!((response.status, response.body.as_slice()), (200, &plain[..]), "{coding}");
    }
    for coding in ["gzip", "deflate", "br"] {
        server.exchange(&Request::of("Echo", plain).with("Content-Encoding", coding)).await.is_fault(400, "SerializationException");
    }
}

#[tokio::test]
async fn the_checksum_of_a_compressed_answer_covers_the_bytes_on_the_wire() {
    let server = Server::start(Setup::default()).await;
    let plain = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    let response = server.exchange(&Request::of("Echo", plain.as_bytes()).with("Accept-Encoding", "gzip, deflate")).await;
    assert_eq!(response.header("content-encoding"), "gzip");
    assert_eq!(response.header("x-amz-crc32"), crc32fast::hash(&response.body).to_string());
    let mut inflated = String::new();
    GzDecoder::new(response.body.as_slice()).read_to_string(&mut inflated).unwrap();
    assert_eq!(inflated, plain);
}

#[tokio::test]
async fn a_panic_is_answered_and_the_connection_lives_on() {
    let server = Server::start(Setup::default()).await;
    let mut client = server.connect().await;
    client.send(&Request::of("Panic", b"{}").bytes()).await;
    client.receive().await.unwrap().is_fault(500, "InternalServerError");
    client.send(&Request::of("Echo", b"{}").bytes()).await;
    assert_eq!(client.receive().await.unwrap().status, 200);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(Setup::default()).await;
    let mut client = server.connect().await;
    let requests: Vec<u8> = (0..3).flat_map(|number| Request::of("Echo", format!("{{\"n\":{number}}}").as_bytes()).bytes()).collect();
    client.send(&requests).await;
    for number in 0..3 {
        assert_eq!(client.receive().await.unwrap().text(), format!("{{\"n\":{number}}}"));
    }
}

#[tokio::test]
async fn chunked_bodies_are_put_together() {
    let server = Server::start(Setup::default()).await;
    let mut request = Request::of("Echo", b"").without("Content-Length").with("Transfer-Encoding", "chunked");
    request.body = b"3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n".to_vec();
    let response = server.exchange(&request).await;
    assert_eq!((response.status, response.text()), (200, "{\"a\":1}"));
}

#[tokio::test]
async fn a_browser_may_ask_from_any_page() {
    let server = Server::start(Setup::default()).await;
    let headers = vec![
        ("Host", "localhost".to_owned()),
        ("Origin", "http://example.com".to_owned()),
        ("Access-Control-Request-Headers", "x-amz-target, authorization".to_owned()),
    ];
    let response = server.exchange(&Request { line: "OPTIONS / HTTP/1.1", headers, body: Vec::new() }).await;
    assert_eq!((response.status, response.body.len()), (200, 0));
    assert_eq!(response.header("access-control-allow-origin"), "*");
    assert_eq!(response.header("access-control-allow-headers"), "x-amz-target, authorization");
    let asked = server.exchange(&Request::of("Echo", b"{}").with("Origin", "http://example.com")).await;
    assert_eq!(asked.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn bytes_that_are_not_http_are_refused() {
    let server = Server::start(Setup::default()).await;
    let mut client = server.connect().await;
    client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await;
    let response = client.receive().await;
    assert!(response.is_none_or(|response| response.status == 400));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn http_2_is_spoken_without_being_negotiated() {
    let server = Server::start(Setup::default()).await;
    let stream = hyper_util::rt::TokioIo::new(tokio::net::TcpStream::connect(server.address).await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::post(format!("http://localhost:{}/", server.address.port()))
        .header("x-amz-target", "DynamoDB_20120810.Where")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20261124T040506Z")
        .header("authorization", crate::harness::AUTHORIZATION)
        .body(http_body_util::Full::new(bytes::Bytes::from_static(b"{}")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    let expected = format!("{{\"at\":\"000000000000 eu-north-7 localhost:{}\"}}", server.address.port());
    assert_eq!(body, expected);
}
