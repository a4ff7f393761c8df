//! Stopping: what runs may finish, what is idle is closed, and nothing new begins.

use tokio::net::TcpStream;

use crate::harness::{BEGUN, RELEASE, Request, Server, Setup};

#[tokio::test]
async fn a_stop_waits_for_the_requests_in_flight() {
    let server = Server::start(Setup::default()).await;
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    idle.send(&Request::of("Echo", b"{}").bytes()).await;
    assert_eq!(idle.receive().await.unwrap().status, 200);
    busy.send(&Request::of("Wait", b"{}").bytes()).await;
    BEGUN.acquire().await.unwrap().forget();
    server.stop.send(()).unwrap();
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(server.address).await.is_err());
    RELEASE.add_permits(1);
    let response = busy.receive().await.unwrap();
    assert_eq!((response.status, response.header("connection")), (200, "close"));
    assert!(server.task.await.unwrap(), "all requests finished in time");
}

#[tokio::test]
async fn a_stop_gives_up_on_requests_that_do_not_end() {
    let mut setup = Setup::default();
    setup.limits.drain_timeout = std::time::Duration::from_millis(20);
    let server = Server::start(setup).await;
    let _stuck = server.hang(b"{}").await;
    server.stop.send(()).unwrap();
    assert!(!server.task.await.unwrap());
}
