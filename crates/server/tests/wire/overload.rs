//! More than the server has room for: who waits, who is told to try again, and who is not touched by it.

use std::time::Duration;

use crate::harness::{Client, Request, Server, Setup};

/// Room for so many small requests that are being answered, and for as many bodies on their way.
fn room_for(requests: usize) -> usize {
    3 * requests * (17 << 10)
}

/// A request of which only the beginning is sent.
async fn announce(server: &Server, length: usize, sent: &[u8]) -> Client {
    let mut client = server.connect().await;
    let mut request = Request::of("Echo", sent).with("Content-Length", &length.to_string());
    request.body = sent.to_vec();
    client.send(&request.bytes()).await;
    client
}

async fn is_served(server: &Server) -> bool {
    server.exchange(&Request::of("Echo", b"{}")).await.status == 200
}

#[tokio::test]
async fn a_body_that_can_never_fit_is_503_at_once() {
    let server = Server::start(Setup { request_memory: 60_000, ..Setup::default() }).await;
    let body = format!("{{{}}}", " ".repeat(10_000));
    server.exchange(&Request::of("Echo", body.as_bytes())).await.is_fault(503, "ServiceUnavailableException");
    // What was reserved is given back.
    assert!(is_served(&server).await);
}

#[tokio::test]
async fn a_request_waits_for_a_bounded_time_and_is_told_to_try_again() {
    let setup = Setup { request_memory: room_for(2), request_wait: Duration::from_millis(100), ..Setup::default() };
    let server = Server::start(setup).await;
    let _stuck = (server.hang(b"{ }").await, server.hang(b"{ }").await);
    let begin = tokio::time::Instant::now();
    server.exchange(&Request::of("Echo", b"{}")).await.is_fault(503, "ServiceUnavailableException").says("try again");
    assert!(begin.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn bodies_that_do_not_come_take_nothing_from_those_that_do() {
    let setup = Setup { request_memory: room_for(8), request_wait: Duration::from_millis(100), ..Setup::default() };
    let server = Server::start(setup).await;
    let mut slow = Vec::new();
    for _ in 0..40 {
        slow.push(announce(&server, 1 << 20, b"{").await);
    }
    // Each of them counts for itself as soon as it is late; those that find no room are told so.
    let mut refused = 0;
    for client in &mut slow[20..] {
        let answer = tokio::time::timeout(Duration::from_secs(5), client.receive()).await;
        refused += u32::from(answer.is_ok_and(|answer| answer.is_some_and(|answer| answer.status == 503 || answer.status == 408)));
        assert!(is_served(&server).await);
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn what_is_only_announced_counts_nothing() {
    let server = Server::start(Setup { request_memory: 3 * (17 << 20), request_wait: Duration::ZERO, ..Setup::default() }).await;
    let mut announced = Vec::new();
    for _ in 0..50 {
        announced.push(announce(&server, 16 << 20, b"{").await);
    }
    let mut body = vec![b' '; 1 << 20];
    body[0] = b'{';
    assert_eq!(server.exchange(&Request::of("Echo", &body)).await.status, 200);
}

#[tokio::test]
async fn an_idle_connection_makes_room_and_a_busy_one_does_not() {
    let mut setup = Setup::default();
    setup.limits.connections_max = 2;
    let server = Server::start(setup).await;
    let _busy = server.hang(b"{  }").await;
    let mut idle = server.connect().await;
    // It keeps its place for a second.
    while !is_served(&server).await {}
    assert!(idle.is_closed().await);
    let _busy_too = server.hang(b"{  }").await;
    server.exchange(&Request::of("Echo", b"{}")).await.is_fault(503, "ServiceUnavailableException").says("Too many connections are open");
}

#[tokio::test]
async fn endless_heads_take_no_more_than_bodies_may() {
    let server = Server::start(Setup { request_memory: 3 * (104 << 10), ..Setup::default() }).await;
    let mut endless = Vec::new();
    for _ in 0..10 {
        let mut client = server.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nX-Endless: {}", "x".repeat(20_000)).as_bytes()).await;
        endless.push(client);
    }
    // Three heads fit beside each other; the others are closed.
    let mut closed = 0;
    for client in &mut endless {
        closed += u32::from(tokio::time::timeout(Duration::from_millis(200), client.is_closed()).await.is_ok());
    }
    assert_eq!(closed, 7);
    assert!(is_served(&server).await);
}

#[tokio::test]
async fn a_large_request_on_a_used_connection_is_not_taken_for_an_endless_head() {
    let server = Server::start(Setup::default()).await;
    let mut client = server.connect().await;
    // The server reads larger pieces of a connection that has sent much: head and body come in one.
    let body = format!("{{{}}}", " ".repeat(300_000));
    let eight = async {
        for _ in 0..8 {
            client.send(&Request::of("Echo", body.as_bytes()).bytes()).await;
            assert_eq!(client.receive().await.map(|response| response.status), Some(200));
        }
    };
    // Read as slowly as an endless head, each would take half a second and more.
    tokio::time::timeout(Duration::from_secs(3), eight).await.unwrap();
}
