//! Vector index entries: where the search schema partitions them, else spread as the items are.
//!
//! ```text
//!   part   table id (8) | index id (4) | hash (8) | the HASH attribute of the search schema, else the table's partition key
//!   sort   the table's partition key, if the part has another | the table's sort key
//!   value  format (1) | the vector, each number an f32 (4, little-endian) | encoded item of the projected attributes
//! ```
//!
//! What must stay true: how many numbers a vector has is the index's definition, not the row's; the attributes do not
//! repeat the vector.

use stator_kv::{Key, KeyBuilder};
use stator_model::MapRef;
use stator_model::key::KeySchema;
use stator_model::table::{IndexId, TableId};

use super::VECTORS;
use super::partition::{KeyFault, put_index_prefix, put_partition, put_partition_values, put_values};
pub use super::partition::{index_prefix, table_prefix};

/// The format that is written today.
const FORMAT: u8 = 1;

/// Bytes of one number of a stored vector.
pub const ELEMENT_BYTES: usize = 4;

/// The row key of an item's entry.
pub fn key(table: TableId, index: IndexId, table_schema: &KeySchema, index_schema: &KeySchema, item: MapRef<'_>) -> Result<Key, KeyFault> {
    let mut key = KeyBuilder::new(VECTORS, 96);
    put_index_prefix(key.bytes(), table, index);
    let is_partitioned = !index_schema.partition.is_empty();
    put_partition(key.bytes(), if is_partitioned { &index_schema.partition } else { &table_schema.partition }, item)?;
    key.end_part();
    if is_partitioned {
        put_values(key.bytes(), &table_schema.partition, item, true)?;
    }
    put_values(key.bytes(), &table_schema.sort, item, false)?;
    Ok(key.finish())
}

/// What the joined keys of all entries with this value of the HASH attribute begin with.
pub(crate) fn part_of_value(table: TableId, index: IndexId, value: stator_model::RawValue<'_>) -> Vec<u8> {
    let mut part = index_prefix(table, index);
    put_partition_values(&mut part, std::iter::once(value));
    part
}

/// The stored form of a vector and the projected attributes.
pub fn encode(vector: &[f32], attributes: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(1 + ELEMENT_BYTES * vector.len() + attributes.len());
    row.push(FORMAT);
    row.extend(vector.iter().flat_map(|element| element.to_le_bytes()));
    row.extend_from_slice(attributes);
    row
}

/// The bytes of the vector and of the attributes; `None` if the row is not of this format or too short.
pub fn split(row: &[u8], dimensions: usize) -> Option<(&[u8], &[u8])> {
    let (&format, rest) = row.split_first()?;
    if format == FORMAT { rest.split_at_checked(ELEMENT_BYTES * dimensions) } else { None }
}
