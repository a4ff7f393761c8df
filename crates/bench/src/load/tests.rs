//! The generator against servers whose behaviour is known.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::Duration;

use super::*;
use stator_driver::request::Caller;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// A server of one connection that answers after a pause of each request's own; it ends with its connection.
fn server(pause: fn(u32) -> Duration, answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        for count in 0.. {
            if stream.read(&mut buffer).unwrap_or(0) == 0 {
                return;
            }
            thread::sleep(pause(count));
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    });
    address
}

fn plan(address: SocketAddr, pace: Pace) -> Plan {
    let window = Duration::from_millis(300);
    Plan { address, pid: Some(std::process::id()), connections: 1, pace, warm_up: Duration::from_millis(20), window }
}

fn gets(address: SocketAddr) -> Pool {
    Pool::of(&Caller::to(address), "GetItem", 3, |text, _| text.push_str("{}"))
}

#[test]
fn a_closed_loop_counts_requests_and_cpu() {
    let address = server(|_| Duration::ZERO, ANSWER);
    let outcome = run(&plan(address, Pace::Closed), &mut gets(address)).unwrap();
    assert!(outcome.requests > 10, "{}", outcome.requests);
    assert!(outcome.per_second() > 30.0);
    assert!(outcome.cpu_us > 0.0);
    assert_eq!(outcome.latency.len(), outcome.requests);
}

#[test]
fn a_stall_is_seen_by_all_requests_that_should_have_started_during_it() {
    let stall = |count| if count == 20 { Duration::from_millis(100) } else { Duration::ZERO };
    let address = server(stall, ANSWER);
    let outcome = run(&plan(address, Pace::Open(500.0)), &mut gets(address)).unwrap();
    // A tenth of a second of 500 per second: about fifty requests wait, half of them longer than half of it.
    let late = outcome.latency.count_between(40_000_000, LATENCY_NS_MAX);
    assert!(late >= 15, "{late} of {}", outcome.requests);
}

#[test]
fn an_answer_that_is_no_success_ends_the_measurement_with_its_words() {
    let address = server(|_| Duration::ZERO, b"HTTP/1.1 400 Bad\r\ncontent-length: 4\r\n\r\nnope");
    let failure = run(&plan(address, Pace::Closed), &mut gets(address)).unwrap_err();
    assert!(failure.0.contains("400: nope"), "{failure}");
}

#[test]
fn a_drain_sends_each_once() {
    let address = server(|_| Duration::ZERO, ANSWER);
    let caller = Caller::to(address);
    let sent = drain(address, 1, &mut Each::of(&caller, "PutItem", 0, 25, |text: &mut String, _| text.push_str("{}"))).unwrap();
    assert_eq!(sent, 25);
}
