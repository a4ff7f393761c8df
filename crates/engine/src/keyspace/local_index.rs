//! Local index entries: in the part of their item, so that item and entries commit together everywhere.
//!
//! ```text
//!   part   that of the item
//!   sort   01 | index id (4, big-endian) | index sort key | the table's sort key
//!   value  encoding::stored of the projected attributes
//! ```

use stator_kv::Key;
use stator_model::MapRef;
use stator_model::key::KeySchema;
use stator_model::table::{IndexId, TableId};

use super::partition::{KeyFault, put_partition, put_values};
use super::{ITEMS, SORT_LOCAL_INDEX};

/// The row key of an item's entry.
pub fn key(table: TableId, index: IndexId, table_schema: &KeySchema, index_schema: &KeySchema, item: MapRef<'_>) -> Result<Key, KeyFault> {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend_from_slice(&table.0.to_be_bytes());
    put_partition(&mut bytes, &table_schema.partition, item)?;
    let part_len = bytes.len();
    bytes.extend_from_slice(&sort_prefix(index));
    put_values(&mut bytes, &index_schema.sort, item, false)?;
    put_values(&mut bytes, &table_schema.sort, item, false)?;
    Ok(Key::from_joined(ITEMS, bytes, part_len))
}

/// What the `sort` of all entries of the index begins with.
pub(crate) fn sort_prefix(index: IndexId) -> Vec<u8> {
    let mut prefix = vec![SORT_LOCAL_INDEX];
    prefix.extend_from_slice(&index.0.to_be_bytes());
    prefix
}
