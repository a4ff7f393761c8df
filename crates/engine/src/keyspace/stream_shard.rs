//! Shards of a stream. A lane is the slice of a table's hashes that a line of shards follows; at any time one shard of each
//! lane is open.
//!
//! ```text
//!   part   stream id (8, big-endian) | lane (2, big-endian)
//!   sort   00 | stamp of the commit that opened it (12)
//!   value  encoding::stored of stream::shard
//! ```
//!
//! What must stay true: shards and records of a lane share their part and its order. A shard holds the records whose stamps
//! lie between its own and that of the next shard, whatever their writers knew of it.

use std::ops::Bound;

use stator_kv::{Direction, Key, Range, Stamp};
use stator_model::stream::StreamId;

use super::{LOG, SORT_SHARD};

/// A lane's number within its stream.
pub type Lane = u16;

/// What a row key of a shard has in front of its stamp.
pub fn key_prefix(stream: StreamId, lane: Lane) -> Key {
    Key::new(LOG, &part(stream, lane), &[SORT_SHARD])
}

/// The row key of a shard.
pub fn key(stream: StreamId, lane: Lane, opened: Stamp) -> Key {
    Key::new(LOG, &part(stream, lane), &[&[SORT_SHARD], opened.to_bytes().as_slice()].concat())
}

/// The shards of a lane: forward the oldest comes first, backward the one that is open.
pub fn of_lane(stream: StreamId, lane: Lane, direction: Direction) -> Range {
    Range::InPart {
        space: LOG,
        part: part(stream, lane),
        from: Bound::Included(vec![SORT_SHARD]),
        to: Bound::Excluded(vec![SORT_SHARD + 1]),
        direction,
    }
}

/// The part that all rows of a lane lie in.
pub(super) fn part(stream: StreamId, lane: Lane) -> Vec<u8> {
    let mut part = stream_prefix(stream);
    part.extend_from_slice(&lane.to_be_bytes());
    part
}

/// What the joined keys of all rows of a stream begin with.
pub fn stream_prefix(stream: StreamId) -> Vec<u8> {
    stream.0.to_be_bytes().to_vec()
}

/// Stream and lane of a joined key, and what follows.
pub(crate) fn split(joined: &[u8]) -> Option<(StreamId, Lane, &[u8])> {
    let (stream, rest) = joined.split_first_chunk::<8>()?;
    let (lane, rest) = rest.split_first_chunk::<2>()?;
    Some((StreamId(u64::from_be_bytes(*stream)), u16::from_be_bytes(*lane), rest))
}
