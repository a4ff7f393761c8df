//! Items: one row each, under the table's key.
//!
//! ```text
//!   part   table id (8, big-endian) | hash (8) | partition key
//!   sort   00 | sort key, if the table has one
//!   value  encoding::stored
//! ```

use stator_kv::range::after_prefix;
use stator_kv::{Key, KeyBuilder};
use stator_model::MapRef;
use stator_model::key::{KeySchema, ScalarType};
use stator_model::table::TableId;

pub use super::partition::table_prefix;
use super::partition::{KeyFault, put_partition, put_values, segment_bounds};
use super::{ITEMS, SORT_ITEM};

/// The row key of the item that has these key attributes (others are not looked at).
pub fn key(table: TableId, schema: &KeySchema, item: MapRef<'_>) -> Result<Key, KeyFault> {
    let mut key = KeyBuilder::new(ITEMS, 64);
    key.bytes().extend_from_slice(&table.0.to_be_bytes());
    put_partition(key.bytes(), &schema.partition, item)?;
    key.end_part();
    key.bytes().push(SORT_ITEM);
    put_values(key.bytes(), &schema.sort, item, false)?;
    Ok(key.finish())
}

/// First joined key of a segment, and the first one behind it.
pub fn segment(table: TableId, segment: u32, total: u32) -> (Vec<u8>, Vec<u8>) {
    prefix_segment(&table_prefix(table), segment, total)
}

pub(super) fn prefix_segment(prefix: &[u8], segment: u32, total: u32) -> (Vec<u8>, Vec<u8>) {
    let (from, to) = segment_bounds(segment, total);
    let at = |hash: u64| [prefix, &hash.to_be_bytes()].concat();
    let end = to.map_or_else(|| after_prefix(prefix).expect("table ids stay below the last one"), at);
    (at(from), end)
}

/// What the `sort` of all items begins with.
pub(crate) fn sort_prefix() -> Vec<u8> {
    vec![SORT_ITEM]
}

/// What follows the part in a joined key of ITEMS: the kind byte and what is behind it.
pub(crate) fn sort_of<'k>(joined: &'k [u8], schema: &KeySchema) -> Option<&'k [u8]> {
    let mut rest = joined.get(16..)?;
    for attribute in &schema.partition {
        rest = crate::encoding::scalar::split(rest, attribute.scalar == ScalarType::N)?.1;
    }
    Some(rest)
}

/// The key of a row in ITEMS if it is an item's.
pub(crate) fn key_of_joined(joined: &[u8], schema: &KeySchema) -> Option<Key> {
    let sort = sort_of(joined, schema)?;
    (sort.first() == Some(&SORT_ITEM)).then(|| Key::from_joined(ITEMS, joined, joined.len() - sort.len()))
}

/// The part of a query on the table or one of its local indexes.
pub(crate) fn part_of_values<'v>(table: TableId, values: impl Iterator<Item = stator_model::RawValue<'v>>) -> Vec<u8> {
    let mut part = table_prefix(table);
    super::partition::put_partition_values(&mut part, values);
    part
}
