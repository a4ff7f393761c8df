//! Local index entries: in the part of their item, so that item and entries commit together everywhere.
//!
//! ```text
//!   part   that of the item
//!   sort   01 | index id (4, big-endian) | index sort key | the table's sort key
//!   value  encoding::stored of the projected attributes
//! ```

use stator_kv::{Key, KeyBuilder};
use stator_model::MapRef;
use stator_model::key::KeySchema;
use stator_model::table::{IndexId, TableId};

use super::partition::{KeyFault, put_partition, put_values};
use super::{ITEMS, SORT_LOCAL_INDEX};

/// The row key of an item's entry.
pub fn key(table: TableId, index: IndexId, table_schema: &KeySchema, index_schema: &KeySchema, item: MapRef<'_>) -> Result<Key, KeyFault> {
    let mut key = KeyBuilder::new(ITEMS, 96);
    key.bytes().extend_from_slice(&table.0.to_be_bytes());
    put_partition(key.bytes(), &table_schema.partition, item)?;
    key.end_part();
    key.bytes().push(SORT_LOCAL_INDEX);
    key.bytes().extend_from_slice(&index.0.to_be_bytes());
    put_values(key.bytes(), &index_schema.sort, item, false)?;
    put_values(key.bytes(), &table_schema.sort, item, false)?;
    Ok(key.finish())
}

/// What the `sort` of all entries of the index begins with.
pub(crate) fn sort_prefix(index: IndexId) -> Vec<u8> {
    let mut prefix = vec![SORT_LOCAL_INDEX];
    prefix.extend_from_slice(&index.0.to_be_bytes());
    prefix
}
