//! How much was ever written to a lane of a stream: added to with every record, so that shards close by size.
//!
//! ```text
//!   part   07 | stream id (8, big-endian)
//!   sort   lane (2, big-endian)
//!   value  records (i64, little-endian) | bytes (i64, little-endian)
//! ```

use stator_kv::Key;
use stator_model::stream::StreamId;

use super::stream_shard::Lane;
use super::{PART_STREAM_VOLUME, SMALL};

/// The row key.
pub fn key(stream: StreamId, lane: Lane) -> Key {
    Key::new(SMALL, &stream_prefix(stream), &lane.to_be_bytes())
}

/// What the joined keys of all lanes of a stream begin with.
pub fn stream_prefix(stream: StreamId) -> Vec<u8> {
    let mut prefix = vec![PART_STREAM_VOLUME];
    prefix.extend_from_slice(&stream.0.to_be_bytes());
    prefix
}

/// Stream and lane of a joined key.
pub fn parse(joined: &[u8]) -> Option<(StreamId, Lane)> {
    let rest = joined.strip_prefix(&[PART_STREAM_VOLUME])?;
    let (stream, lane) = rest.split_first_chunk::<8>()?;
    Some((StreamId(u64::from_be_bytes(*stream)), Lane::from_be_bytes(lane.try_into().ok()?)))
}
