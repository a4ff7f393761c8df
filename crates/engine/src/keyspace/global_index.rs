//! Global index entries: under a partition key of their own.
//!
//! ```text
//!   part   table id (8) | index id (4) | hash (8) | index partition attributes, one to four
//!   sort   index sort attributes, none to four | the table's partition key | the table's sort key
//!   value  encoding::stored of the projected attributes
//! ```

use stator_kv::{Key, KeyBuilder};
use stator_model::MapRef;
use stator_model::key::KeySchema;
use stator_model::table::{IndexId, TableId};

use super::GLOBAL;
use super::partition::{KeyFault, put_index_prefix, put_partition, put_partition_values, put_values};
pub use super::partition::{index_prefix, table_prefix};

/// The row key of an item's entry.
pub fn key(table: TableId, index: IndexId, table_schema: &KeySchema, index_schema: &KeySchema, item: MapRef<'_>) -> Result<Key, KeyFault> {
    let mut key = KeyBuilder::new(GLOBAL, 96);
    put_index_prefix(key.bytes(), table, index);
    put_partition(key.bytes(), &index_schema.partition, item)?;
    key.end_part();
    put_values(key.bytes(), &index_schema.sort, item, false)?;
    put_values(key.bytes(), &table_schema.partition, item, true)?;
    put_values(key.bytes(), &table_schema.sort, item, false)?;
    Ok(key.finish())
}

/// First joined key of a segment, and the first one behind it.
pub fn segment(table: TableId, index: IndexId, segment: u32, total: u32) -> (Vec<u8>, Vec<u8>) {
    super::item::prefix_segment(&index_prefix(table, index), segment, total)
}

/// The part of a query on the index.
pub(crate) fn part_of_values<'v>(table: TableId, index: IndexId, values: impl Iterator<Item = stator_model::RawValue<'v>>) -> Vec<u8> {
    let mut part = index_prefix(table, index);
    put_partition_values(&mut part, values);
    part
}
