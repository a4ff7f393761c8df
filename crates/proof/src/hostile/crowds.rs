//! Clients that come in thousands and do little: silent ones, slow ones, and some that ask and do not listen.
//!
//! What must stay true: they stay for as long as the guests are watched, and come again when they are sent away.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use stator_driver::client::Client;

use super::wire::{Raw, signed};
use crate::verdict::Violation;

/// Between two bytes of a slow client.
const DRIP: Duration = Duration::from_millis(200);
/// A large piece of a head, or of a body.
const PIECE_BYTES: usize = 30 << 10;
const LARGE: &str = "Large";
const LARGE_ITEMS: u64 = 4;
const LARGE_BYTES: usize = 250_000;

/// What a slow client sends at first, and what it adds at every drip.
type Script = fn(SocketAddr, usize) -> (Vec<u8>, &'static [u8]);

/// Connections that are made and then say nothing, or half a line.
pub(super) fn idle(address: SocketAddr, count: u64, stay: Duration) -> String {
    let script: Script = |_, number| (if number.is_multiple_of(2) { Vec::new() } else { b"POST / HT".to_vec() }, b"");
    crowd(address, count, stay, script)
}

/// Heads that come a byte at a time, some after a large piece.
pub(super) fn slow_heads(address: SocketAddr, count: u64, stay: Duration) -> String {
    let script: Script = |_, number| {
        let piece = if number.is_multiple_of(2) { PIECE_BYTES } else { 1 };
        (format!("POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: {}", "x".repeat(piece)).into_bytes(), b"x")
    };
    crowd(address, count, stay, script)
}

/// Bodies that were announced and come a byte at a time, some after a large piece.
pub(super) fn slow_bodies(address: SocketAddr, count: u64, stay: Duration) -> String {
    let script: Script = |address, number| {
        let piece = if number.is_multiple_of(2) { PIECE_BYTES } else { 1 };
        let mut bytes = signed(address, "PutItem", &vec![b' '; 1 << 20]);
        let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
        bytes.truncate(head + piece);
        (bytes, b" ")
    };
    crowd(address, count, stay, script)
}

fn crowd(address: SocketAddr, count: u64, stay: Duration, script: Script) -> String {
    super::give_way();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut members: Vec<Option<Raw>> = (0..count).map(|_| None).collect();
    let (mut came, mut sent_away) = (0_u64, 0_u64);
    let begin = Instant::now();
    let mut is_full = false;
    while !is_full || begin.elapsed() < stay {
        for (number, member) in members.iter_mut().enumerate() {
            let (opening, drip) = script(address, number);
            if let Some(connection) = member {
                if !connection.trickle(drip) {
                    sent_away += 1;
                    *member = None;
                }
            } else if let Ok(mut connection) = Raw::connect(address) {
                connection.trickle(&opening);
                came += 1;
                *member = Some(connection);
            }
        }
        is_full = true;
        std::thread::sleep(DRIP);
    }
    format!("{came} came, {sent_away} were sent away")
}

/// Clients that ask for large pages and do not read them.
pub(super) fn deaf(address: SocketAddr, count: u64, stay: Duration) -> Result<String, Violation> {
    let mut client = Client::connect(address)?;
    super::create(&mut client, LARGE)?;
    let text = "x".repeat(LARGE_BYTES);
    for number in 0..LARGE_ITEMS {
        let item = json!({"id": {"S": format!("large {number}")}, "text": {"S": text}});
        client.call("PutItem", &json!({"TableName": LARGE, "Item": item}).to_string())?;
    }
    super::give_way();
    let keys: Vec<_> = (0..LARGE_ITEMS).map(|number| json!({"id": {"S": format!("large {number}")}})).collect();
    let body = json!({"RequestItems": {LARGE: {"Keys": keys}}}).to_string();
    let begin = Instant::now();
    let mut deaf = Vec::new();
    for _ in 0..count {
        let mut connection = Raw::connect(address)?;
        connection.send(&signed(address, "BatchGetItem", body.as_bytes()));
        deaf.push(connection);
    }
    std::thread::sleep(stay.saturating_sub(begin.elapsed()));
    Ok(format!("{count} asked for a megabyte and did not read it"))
}
