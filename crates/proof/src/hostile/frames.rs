//! HTTP/2, frame by frame, from clients that want the server to work or to remember for nothing.
//!
//! What must stay true: frames are written here byte by byte, so that no library holds a flood back; how far a flood came
//! before the server closed the connection is counted, and not asked for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::wire::Raw;
use crate::verdict::{Violation, broken, found};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;
/// `:method POST`, `:scheme http`, `:path /`, by their places in the static table.
const POST: [u8; 3] = [0x83, 0x86, 0x84];
const FRAME_BYTES_MAX: usize = 16 << 10;
/// Frames that go out in one write, unless they are long.
const FRAMES_AT_ONCE: u32 = 1024;
const BYTES_AT_ONCE: usize = 64 << 10;
/// Who attacks from elsewhere waits so long for each connection.
const ROUND_TRIP: Duration = Duration::from_millis(5);
/// A connection that is to be closed is closed within this time.
const PATIENCE: Duration = Duration::from_secs(10);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header that is no part of a table: name and value with their lengths.
fn literal(prefix: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![prefix];
    for part in [name.as_bytes(), value] {
        let length = part.len();
        if length < 127 {
            bytes.push(u8::try_from(length).unwrap_or(0));
        } else {
            bytes.push(127);
            let mut rest = length - 127;
            while rest >= 128 {
                bytes.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
                rest /= 128;
            }
            bytes.push(u8::try_from(rest).unwrap_or(0));
        }
        bytes.extend_from_slice(part);
    }
    bytes
}

fn begin_on(address: SocketAddr) -> Result<Raw, Violation> {
    let mut raw = Raw::connect(address)?;
    raw.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    Ok(raw)
}

/// A flood: what comes first, and then frame after frame.
struct Flood {
    name: &'static str,
    first: fn() -> Vec<u8>,
    next: fn(u32) -> Vec<u8>,
    count: u32,
    /// The server has to end it, because it could go on for ever and would cost more and more.
    must_end: bool,
}

const FLOODS: [Flood; 7] = [
    Flood {
        name: "rapid reset",
        first: Vec::new,
        next: |at| {
            let stream = 2 * at + 1;
            [frame(HEADERS, END_HEADERS, stream, &POST), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
        },
        count: 20_000,
        must_end: true,
    },
    Flood {
        name: "endless headers",
        first: || frame(HEADERS, 0, 1, &POST),
        next: |at| frame(CONTINUATION, 0, 1, &literal(0, &format!("x-{at}"), &vec![b'x'; FRAME_BYTES_MAX - 64])),
        count: 4000,
        must_end: true,
    },
    Flood {
        name: "empty continuations",
        first: || frame(HEADERS, 0, 1, &POST),
        next: |_| frame(CONTINUATION, 0, 1, &[]),
        count: 100_000,
        must_end: true,
    },
    Flood {
        name: "a table entry, again and again",
        first: || [frame(HEADERS, 0, 1, &POST), frame(CONTINUATION, 0, 1, &literal(0x40, "x", &[b'x'; 4000]))].concat(),
        next: |_| frame(CONTINUATION, 0, 1, &[0xBE; FRAME_BYTES_MAX]),
        count: 1000,
        must_end: true,
    },
    Flood { name: "pings", first: Vec::new, next: |_| frame(PING, 0, 0, &[0; 8]), count: 200_000, must_end: false },
    Flood { name: "settings", first: Vec::new, next: |_| frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 1]), count: 200_000, must_end: false },
    Flood {
        name: "empty data",
        first: || frame(HEADERS, END_HEADERS, 1, &POST),
        next: |_| frame(DATA, 0, 1, &[]),
        count: 100_000,
        must_end: false,
    },
];

/// One of the floods, on one connection after another.
pub(super) fn flood(address: SocketAddr, name: &str, stay: Duration) -> Result<String, Violation> {
    super::give_way();
    let flood = FLOODS.iter().find(|flood| flood.name == name).ok_or_else(|| broken(format!("there is no flood of {name}")))?;
    let (begin, mut connections, mut all) = (Instant::now(), 0, 0);
    while begin.elapsed() < stay {
        let mut raw = begin_on(address)?;
        raw.send(&(flood.first)());
        let mut sent = 0;
        while sent < flood.count {
            let (mut frames, first) = (Vec::new(), sent);
            while sent < first + FRAMES_AT_ONCE && frames.len() < BYTES_AT_ONCE {
                frames.extend((flood.next)(sent));
                sent += 1;
            }
            if !raw.send(&frames) {
                sent = first;
                break;
            }
        }
        if flood.must_end && sent >= flood.count && !raw.is_closed_within(PATIENCE) {
            return Err(found(format!("HTTP/2, {name}: {sent} frames and the connection stands")));
        }
        connections += 1;
        all += u64::from(sent);
        std::thread::sleep(ROUND_TRIP);
    }
    Ok(format!("{all} frames on {connections} connections"))
}

/// Frames that no client may send.
pub(super) fn forbidden(address: SocketAddr) -> Result<String, Violation> {
    for (name, bytes) in [
        ("a window that overflows", frame(WINDOW_UPDATE, 0, 0, &[0x7F, 0xFF, 0xFF, 0xFF])),
        ("data without a request", frame(DATA, 0, 7, b"x")),
        ("a frame too long", [&[0xFF, 0xFF, 0xFF, DATA, 0, 0, 0, 0, 1][..], &[0; 1024]].concat()),
        ("a reset of nothing", frame(RST_STREAM, 0, 9, &[0, 0, 0, 8])),
        ("headers on stream 0", frame(HEADERS, END_HEADERS, 0, &POST)),
    ] {
        let mut raw = begin_on(address)?;
        raw.send(&bytes);
        if !raw.is_closed_within(PATIENCE) {
            return Err(found(format!("HTTP/2, {name}: the connection stands")));
        }
    }
    Ok("each ended its connection".to_owned())
}
