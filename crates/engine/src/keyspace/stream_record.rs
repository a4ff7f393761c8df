//! Records of a stream: one row for every change of an item, in the order of the commits.
//!
//! ```text
//!   part   stream id (8, big-endian) | lane (2, big-endian)
//!   sort   01 | stamp of the commit (12)
//!   value  encoding::stored of stream::record
//! ```
//!
//! What must stay true: rows are appended by the commit that changes the item and never changed; they go from the old end.

use std::ops::Bound;

use stator_kv::{Direction, Key, Range, Stamp};
use stator_model::stream::StreamId;

use super::stream_shard::{Lane, part};
use super::{LOG, SORT_RECORD};

/// What a row key of a record has in front of its stamp.
pub fn key_prefix(stream: StreamId, lane: Lane) -> Key {
    Key::new(LOG, &part(stream, lane), &[SORT_RECORD])
}

/// The lane of an item: its place among the hashes of partition keys.
pub fn lane_of(item_key: &Key, lanes: Lane) -> Lane {
    let hash = item_key.bytes().get(8..16).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
    u16::try_from((u128::from(hash) * u128::from(lanes)) >> 64).expect("a product's upper half is below its factor")
}

/// Records of a lane from one stamp on and below another.
pub fn between(stream: StreamId, lane: Lane, from: Stamp, to: Option<Stamp>, direction: Direction) -> Range {
    let sort = |stamp: Stamp| [&[SORT_RECORD], stamp.to_bytes().as_slice()].concat();
    Range::InPart {
        space: LOG,
        part: part(stream, lane),
        from: Bound::Included(sort(from)),
        to: Bound::Excluded(to.map_or_else(|| vec![SORT_RECORD + 1], sort)),
        direction,
    }
}

/// The joined key that a record of this stamp has, for removing ranges.
pub fn joined(stream: StreamId, lane: Lane, stamp: Stamp) -> Vec<u8> {
    [part(stream, lane).as_slice(), &[SORT_RECORD], &stamp.to_bytes()].concat()
}
