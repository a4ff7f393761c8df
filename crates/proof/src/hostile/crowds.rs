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
const DRIP: Duration = Duration::from_secs(1);
/// A crowd drips in so many parts, one after another.
const PARTS: u32 = 200;
/// Members of a part that come again between two drips.
const RETURNING_MAX: usize = 2;
/// A large piece of a head, or of a body.
const PIECE_BYTES: usize = 30 << 10;
const ANNOUNCED_BYTES: usize = 1 << 20;
/// A crowd that takes long to come together stays for so many times its time at most.
const STAYS_MAX: u32 = 6;
const LARGE: &str = "Large";
const LARGE_ITEMS: u64 = 4;
const LARGE_BYTES: usize = 250_000;

/// Connections that are made and then say nothing, or half a line.
pub(super) fn idle(address: SocketAddr, count: u64, stay: Duration) -> String {
    crowd(address, count, stay, &[Vec::new(), b"POST / HT".to_vec()], b"")
}

/// Heads that come a byte at a time, some after a large piece.
pub(super) fn slow_heads(address: SocketAddr, count: u64, stay: Duration) -> String {
    let opening = |piece| format!("POST / HTTP/1.1\r\nHost: localhost\r\nX-Slow: {}", "x".repeat(piece)).into_bytes();
    crowd(address, count, stay, &[opening(PIECE_BYTES), opening(1)], b"x")
}

/// Bodies that were announced and come a byte at a time, some after a large piece.
pub(super) fn slow_bodies(address: SocketAddr, count: u64, stay: Duration) -> String {
    let whole = signed(address, "PutItem", &vec![b' '; ANNOUNCED_BYTES]);
    let opening = |piece| whole[..whole.len() - ANNOUNCED_BYTES + piece].to_vec();
    crowd(address, count, stay, &[opening(PIECE_BYTES), opening(1)], b" ")
}

/// Every other one begins like the first; all add a drip again and again, and come again when they are sent away.
fn crowd(address: SocketAddr, count: u64, stay: Duration, openings: &[Vec<u8>; 2], drip: &[u8]) -> String {
    super::give_way();
    let mut members: Vec<Option<Raw>> = (0..count).map(|_| None).collect();
    let part_size = members.len().div_ceil(usize::try_from(PARTS).unwrap_or(1)).max(1);
    let (mut came, mut sent_away) = (0_u64, 0_u64);
    let begin = Instant::now();
    let mut full_since = None;
    while full_since.is_none_or(|since: Instant| since.elapsed() < stay) && begin.elapsed() < stay * STAYS_MAX {
        // Not all at once: slow clients are slow each for itself.
        for (part, members) in members.chunks_mut(part_size).enumerate() {
            let mut coming = if full_since.is_some() { RETURNING_MAX } else { usize::MAX };
            for (number, member) in members.iter_mut().enumerate() {
                if let Some(connection) = member {
                    if !connection.trickle(drip) {
                        sent_away += 1;
                        *member = None;
                    }
                } else if coming > 0 {
                    coming -= 1;
                    *member = Raw::connect(address).ok();
                    if let Some(connection) = member {
                        connection.trickle(&openings[(part + number) % 2]);
                        came += 1;
                    }
                }
            }
            std::thread::sleep(DRIP / PARTS);
        }
        full_since.get_or_insert_with(Instant::now);
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
