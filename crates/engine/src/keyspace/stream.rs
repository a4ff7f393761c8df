//! Streams: one row each, from the request that enabled it until a day after the one that disabled it.
//!
//! ```text
//!   part   06 | stream id (8, big-endian)
//!   sort   empty
//!   value  encoding::stored of stream::definition
//! ```

use stator_kv::{Key, Range};
use stator_model::stream::StreamId;

use super::{PART_STREAM, SMALL};

/// The row key of a stream.
pub fn key(stream: StreamId) -> Key {
    let mut part = vec![PART_STREAM];
    part.extend_from_slice(&stream.0.to_be_bytes());
    Key::new(SMALL, &part, &[])
}

/// All streams.
pub fn all() -> Range {
    Range::prefix(SMALL, &[PART_STREAM])
}

/// The stream that a joined key belongs to.
pub fn parse(joined: &[u8]) -> Option<StreamId> {
    let id = joined.strip_prefix(&[PART_STREAM])?;
    id.try_into().ok().map(u64::from_be_bytes).map(StreamId)
}
