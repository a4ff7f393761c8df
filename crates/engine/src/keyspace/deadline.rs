//! Deadlines: when items of a table with TTL have had their time, in order.
//!
//! ```text
//!   part   table id (8, big-endian) | epoch (4, big-endian) | lane (1)
//!   sort   deadline, in seconds since the epoch (8, big-endian) | length of the item's part (2, big-endian) | the item's joined key
//!   value  empty
//! ```
//!
//! An epoch is one time that TTL was on; the lane is the top of the item's hash. What must stay true: rows of the current
//! epoch are written and removed by the commits that change their items; rows of an earlier epoch mean nothing.

use std::ops::Bound;

use stator_kv::{Direction, Key, KeyBuilder, Range};
use stator_model::table::TableId;

use super::{DEADLINES, ITEMS};

/// Lanes of a table.
pub const LANES: u8 = 4;
const PART_BYTES: usize = 8 + 4 + 1;

/// The row key of an item's deadline.
pub fn key(table: TableId, epoch: u32, deadline_s: u64, item_key: &Key) -> Key {
    let hash_top = item_key.bytes().get(8).copied().unwrap_or(0);
    let part_len = u16::try_from(item_key.part().len()).expect("parts are short");
    let mut key = KeyBuilder::new(DEADLINES, PART_BYTES + 10 + item_key.bytes().len());
    key.bytes().extend_from_slice(&part(table, epoch, hash_top / (u8::MAX / LANES + 1)));
    key.end_part();
    key.bytes().extend_from_slice(&deadline_s.to_be_bytes());
    key.bytes().extend_from_slice(&part_len.to_be_bytes());
    key.bytes().extend_from_slice(item_key.bytes());
    key.finish()
}

/// Deadlines of a lane from one place on and before a second.
pub fn between(table: TableId, epoch: u32, lane: u8, from: Bound<Vec<u8>>, to_s: u64) -> Range {
    Range::InPart {
        space: DEADLINES,
        part: part(table, epoch, lane),
        from,
        to: Bound::Excluded(sort_of(to_s)),
        direction: Direction::Forward,
    }
}

/// What the sorts of all deadlines of a second begin with.
pub fn sort_of(deadline_s: u64) -> Vec<u8> {
    deadline_s.to_be_bytes().to_vec()
}

/// The sort within a joined key.
pub fn sort_in(joined: &[u8]) -> &[u8] {
    joined.get(PART_BYTES..).unwrap_or_default()
}

/// Table, epoch, deadline and item of a joined key.
pub fn parse(joined: &[u8]) -> Option<(TableId, u32, u64, Key)> {
    let (table, rest) = joined.split_first_chunk::<8>()?;
    let (epoch, rest) = rest.split_first_chunk::<4>()?;
    let (_, rest) = rest.split_first()?;
    let (deadline_s, rest) = rest.split_first_chunk::<8>()?;
    let (part_len, item) = rest.split_first_chunk::<2>()?;
    let part_len = usize::from(u16::from_be_bytes(*part_len));
    if part_len > item.len() {
        return None;
    }
    let item_key = Key::from_joined(ITEMS, item, part_len);
    Some((TableId(u64::from_be_bytes(*table)), u32::from_be_bytes(*epoch), u64::from_be_bytes(*deadline_s), item_key))
}

/// What the joined keys of all rows of a table begin with.
pub fn table_prefix(table: TableId) -> Vec<u8> {
    table.0.to_be_bytes().to_vec()
}

/// What the joined keys of all rows of an epoch begin with.
pub fn epoch_prefix(table: TableId, epoch: u32) -> Vec<u8> {
    let mut prefix = table_prefix(table);
    prefix.extend_from_slice(&epoch.to_be_bytes());
    prefix
}

fn part(table: TableId, epoch: u32, lane: u8) -> Vec<u8> {
    let mut part = epoch_prefix(table, epoch);
    part.push(lane);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_and_lie_in_known_lanes() {
        for hash_top in [0, 63, 64, 200, 255] {
            let mut joined = vec![0, 0, 0, 0, 0, 0, 0, 9, hash_top];
            joined.extend_from_slice(b"ashes..key|sort");
            let item_key = Key::from_joined(ITEMS, &joined, 19);
            let row = key(TableId(9), 2, 1_700_000_000, &item_key);
            assert!(row.part()[12] < LANES);
            assert_eq!(parse(row.bytes()), Some((TableId(9), 2, 1_700_000_000, item_key)));
        }
    }
}
