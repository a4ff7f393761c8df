//! The trim horizon of a lane: no record below it is left.
//!
//! ```text
//!   part   stream id (8, big-endian) | lane (2, big-endian)
//!   sort   02
//!   value  stamp (12)
//! ```
//!
//! What must stay true: it only ever moves on, and is stored before the records below it go.

use stator_kv::{Key, Stamp};
use stator_model::stream::StreamId;

use super::stream_shard::{Lane, part};
use super::{LOG, SORT_HORIZON};

/// The row key.
pub fn key(stream: StreamId, lane: Lane) -> Key {
    Key::new(LOG, &part(stream, lane), &[SORT_HORIZON])
}

/// The stamp of a value.
pub fn decode(value: &[u8]) -> Option<Stamp> {
    value.try_into().ok().map(Stamp::from_bytes)
}
