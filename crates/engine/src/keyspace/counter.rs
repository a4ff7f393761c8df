//! Counters: how many rows a table or index has, and how many bytes they weigh. Added to by the commit that changes them.
//!
//! ```text
//!   part   02 | table id (8, big-endian)
//!   sort   index id (4, big-endian); 0 for the table itself
//!   value  rows (i64, little-endian) | bytes (i64, little-endian)
//! ```

use stator_kv::{Key, Range};
use stator_model::table::{IndexId, TableId};

use super::{PART_COUNTER, SMALL};

/// The row key of the counter of a table (`None`) or of one of its indexes.
pub fn key(table: TableId, index: Option<IndexId>) -> Key {
    Key::new(SMALL, &table_prefix(table), &index.map_or(0, |index| index.0).to_be_bytes())
}

/// All counters of a table.
pub fn of_table(table: TableId) -> Range {
    Range::prefix(SMALL, &table_prefix(table))
}

/// All counters.
pub fn all() -> Range {
    Range::prefix(SMALL, &[PART_COUNTER])
}

/// The counter that a joined key belongs to.
pub fn parse(joined: &[u8]) -> Option<(TableId, Option<IndexId>)> {
    let (&kind, rest) = joined.split_first()?;
    let (table, index) = rest.split_first_chunk::<8>()?;
    let index = u32::from_be_bytes(index.try_into().ok()?);
    (kind == PART_COUNTER).then_some((TableId(u64::from_be_bytes(*table)), (index > 0).then_some(IndexId(index))))
}

/// Rows and bytes of a counter's value.
pub fn decode(value: &[u8]) -> Option<(i64, i64)> {
    let (rows, bytes) = value.split_first_chunk::<8>()?;
    Some((i64::from_le_bytes(*rows), i64::from_le_bytes(bytes.try_into().ok()?)))
}

/// What the joined keys of all counters of a table begin with.
pub fn table_prefix(table: TableId) -> Vec<u8> {
    let mut prefix = vec![PART_COUNTER];
    prefix.extend_from_slice(&table.0.to_be_bytes());
    prefix
}
