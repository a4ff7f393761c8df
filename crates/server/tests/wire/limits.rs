//! What hostile or broken clients may cost.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::harness::{AUTHORIZATION, Request, Server, Setup};

const LIMIT: usize = 16 << 20;

#[tokio::test]
async fn a_body_over_16_mb_is_413_and_one_of_16_mb_is_not() {
    let server = Server::start(Setup::default()).await;
    let body = |length: usize| {
        let mut body = vec![b' '; length];
        body[0] = b'{';
        body
    };
    assert_eq!(server.exchange(&Request::of("Echo", &body(LIMIT))).await.status, 200);
    server.exchange(&Request::of("Echo", &body(LIMIT + 1))).await.is_fault(413, "RequestEntityTooLargeException");
    let mut chunked = Request::of("Echo", b"").without("Content-Length").with("Transfer-Encoding", "chunked");
    chunked.body = format!("{:x}\r\n", LIMIT + 1).into_bytes();
    chunked.body.extend(body(LIMIT + 1));
    chunked.body.extend_from_slice(b"\r\n0\r\n\r\n");
    server.exchange(&chunked).await.is_fault(413, "RequestEntityTooLargeException");
}

#[tokio::test]
async fn a_compressed_body_that_grows_over_16_mb_is_413() {
    let server = Server::start(Setup::default()).await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b'0'; 1 << 20];
    (0..64).for_each(|_| bomb.write_all(&zeros).unwrap());
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    server.exchange(&Request::of("Echo", &bomb).with("Content-Encoding", "gzip")).await.is_fault(413, "RequestEntityTooLargeException");
}

#[tokio::test]
async fn a_large_body_is_worked_through_on_the_threads_of_long_work_and_its_request_is_not() {
    let server = Server::start(Setup::default()).await;
    let body = |length: usize| [b"{".as_slice(), &vec![b' '; length]].concat();
    let mut squeezed = GzEncoder::new(Vec::new(), Compression::best());
    squeezed.write_all(&body(1 << 20)).unwrap();
    let mut chunked = Request::of("Threads", b"").without("Content-Length").with("Transfer-Encoding", "chunked");
    chunked.body = [format!("{:x}\r\n", 1 + (1 << 20)).as_bytes(), &body(1 << 20), b"\r\n0\r\n\r\n"].concat();
    for (what, request, expected) in [
        ("a usual one", Request::of("Threads", b"{}"), "[false,false]"),
        ("one of 200 KB", Request::of("Threads", &body(200_000)), "[false,false]"),
        ("a large one", Request::of("Threads", &body(300_000)), "[true,false]"),
        ("a compressed one", Request::of("Threads", &squeezed.finish().unwrap()).with("Content-Encoding", "gzip"), "[true,false]"),
        ("one in chunks", chunked, "[true,false]"),
    ] {
        let response = server.exchange(&request).await;
        assert_eq!(String::from_utf8_lossy(&response.body), expected, "{what}");
    }
}

#[tokio::test]
async fn a_connection_that_was_carried_away_for_its_long_head_is_back_for_its_request() {
    let mut setup = Setup::default();
    setup.limits.header_bytes_max = 20_000;
    let server = Server::start(setup).await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        let bytes = Request::of("Threads", b"{}").with("X-Long", &"x".repeat(12_000)).bytes();
        // In pieces, so that most of the head has come before its request begins.
        for piece in bytes.chunks(3000) {
            client.send(piece).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(String::from_utf8_lossy(&client.receive().await.unwrap().body), "[false,false]");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_with_long_heads_side_by_side_are_all_answered() {
    let mut setup = Setup::default();
    setup.limits.header_bytes_max = 20_000;
    let server = Server::start(setup).await;
    let stream = hyper_util::rt::TokioIo::new(tokio::net::TcpStream::connect(server.address).await.unwrap());
    let (sender, connection) = hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    // The connection is carried away for each head and back for each request, in any order.
    let asking = (0..8).map(|_| {
        let mut sender = sender.clone();
        tokio::spawn(async move {
            for _ in 0..15 {
                let request = hyper::Request::post("http://localhost/")
                    .header("x-amz-target", "DynamoDB_20120810.Threads")
                    .header("content-type", "application/x-amz-json-1.0")
                    .header("x-amz-date", "20261124T040506Z")
                    .header("authorization", AUTHORIZATION)
                    .header("x-long", "x".repeat(15_000))
                    .body(http_body_util::Full::new(bytes::Bytes::from_static(b"{}")));
                let response = sender.send_request(request.unwrap()).await.unwrap();
                let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
                assert_eq!(body, "[false,false]");
            }
        })
    });
    for asked in asking.collect::<Vec<_>>() {
        tokio::time::timeout(Duration::from_secs(20), asked).await.expect("nobody is forgotten").unwrap();
    }
}

#[tokio::test]
async fn headers_that_are_too_many_or_too_long_are_431() {
    let server = Server::start(Setup::default()).await;
    let long = Request::of("Echo", b"{}").with("X-Long", &"x".repeat(5000));
    server.exchange(&long).await.is_fault(431, "RequestHeaderTooLargeException");
    let mut many = Request::of("Echo", b"{}");
    many.headers.extend((0..200).map(|_| ("X-More", "1".to_owned())));
    assert_eq!(server.exchange(&many).await.status, 431);
    // What does not fit the buffer of a connection is not read to its end, so the answer may be lost with the connection.
    let mut endless = server.connect().await;
    endless.send(&Request::of("Echo", b"{}").with("X-Endless", &"x".repeat(100_000)).bytes()).await;
    assert!(endless.receive().await.is_none_or(|response| response.status == 431));
    assert!(endless.is_closed().await);
}

#[tokio::test]
async fn a_client_that_sends_its_headers_too_slowly_is_cut_off() {
    let mut setup = Setup::default();
    setup.limits.idle_timeout = Duration::from_millis(50);
    let server = Server::start(setup).await;
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    slow.send(b"POST / HTTP/1.1\r\nHost: local").await;
    assert!(silent.is_closed().await);
    assert!(slow.is_closed().await);
}

#[tokio::test]
async fn a_connection_is_kept_while_its_request_runs() {
    let mut setup = Setup::default();
    setup.limits.idle_timeout = Duration::from_millis(30);
    setup.body_timeout = Duration::from_millis(200);
    let server = Server::start(setup).await;
    let mut client = server.connect().await;
    // The body never comes, so the request runs into its own time limit, long after the connection's.
    let request = Request::of("Echo", b"{}").with("Content-Length", "10");
    client.send(&request.bytes()).await;
    client.receive().await.unwrap().is_fault(408, "RequestTimeoutException");
}

#[tokio::test]
async fn a_connection_too_many_is_told_so() {
    let mut setup = Setup::default();
    setup.limits.connections_max = 1;
    let server = Server::start(setup).await;
    let mut first = server.connect().await;
    first.send(&Request::of("Echo", b"{}").bytes()).await;
    assert_eq!(first.receive().await.unwrap().status, 200);
    server.exchange(&Request::of("Echo", b"{}")).await.is_fault(503, "ServiceUnavailableException").says("Too many connections are open");
    first.send(&Request::of("Echo", b"{}").bytes()).await;
    assert_eq!(first.receive().await.unwrap().status, 200);
}
