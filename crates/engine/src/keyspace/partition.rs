//! The front of every row of a table or index: an owner's prefix, the hash of the partition key, the partition key.
//!
//! ```text
//!   prefix | xxh3-64 of the encoded partition values, big-endian | encoded partition values
//! ```
//!
//! The hash spreads a table over its key range, so that Scan order and segments are ranges of it. What must stay true: the
//! hash function and the order of the bytes never change, because stored rows lie where they say.

use stator_model::key::KeyAttribute;
use stator_model::limits::{PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
use stator_model::table::{IndexId, TableId};
use stator_model::{MapRef, RawValue, ValueRef, ValueType};
use xxhash_rust::xxh3::xxh3_64;

use crate::encoding::scalar;

/// Why an item has no place under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// The attribute is not there.
    Missing {
        /// Its name.
        attribute: String,
    },
    /// The attribute is of another type than declared.
    Type {
        /// Its name.
        attribute: String,
        /// The declared type.
        expected: ValueType,
        /// The type found.
        actual: ValueType,
    },
    /// An empty string or binary.
    Empty {
        /// Its name.
        attribute: String,
        /// Its type.
        actual: ValueType,
    },
    /// Above 2048 bytes as a partition key, 1024 as a sort key.
    TooLong {
        /// Its name.
        attribute: String,
        /// Which of both it is.
        is_partition: bool,
        /// Its size in bytes.
        size_bytes: usize,
    },
}

/// What the joined keys of a table's rows begin with: its items, or the entries of all its indexes of a kind.
pub fn table_prefix(table: TableId) -> Vec<u8> {
    table.0.to_be_bytes().to_vec()
}

/// What the joined keys of all entries of an index begin with, where indexes are apart.
pub fn index_prefix(table: TableId, index: IndexId) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(96);
    put_index_prefix(&mut prefix, table, index);
    prefix
}

/// Appends [`index_prefix`].
pub(super) fn put_index_prefix(out: &mut Vec<u8>, table: TableId, index: IndexId) {
    out.extend_from_slice(&table.0.to_be_bytes());
    out.extend_from_slice(&index.0.to_be_bytes());
}

/// Appends hash and encoded values of the partition attributes.
pub(super) fn put_partition(out: &mut Vec<u8>, attributes: &[KeyAttribute], item: MapRef<'_>) -> Result<(), KeyFault> {
    let hash_at = out.len();
    out.extend_from_slice(&[0; 8]);
    put_values(out, attributes, item, true)?;
    seal_hash(out, hash_at);
    Ok(())
}

/// [`put_partition`] for values that a query names.
pub(super) fn put_partition_values<'v>(out: &mut Vec<u8>, values: impl Iterator<Item = RawValue<'v>>) {
    let hash_at = out.len();
    out.extend_from_slice(&[0; 8]);
    for value in values {
        let is_scalar = scalar::put(out, value);
        assert!(is_scalar, "a plan holds values of key types");
    }
    seal_hash(out, hash_at);
}

/// Appends encoded key attributes of an item.
pub(super) fn put_values(out: &mut Vec<u8>, attributes: &[KeyAttribute], item: MapRef<'_>, is_partition: bool) -> Result<(), KeyFault> {
    for attribute in attributes {
        scalar::put(out, key_value(attribute, item, is_partition)?);
    }
    Ok(())
}

/// The value of a key attribute, checked.
pub(crate) fn key_value<'a>(attribute: &KeyAttribute, item: MapRef<'a>, is_partition: bool) -> Result<RawValue<'a>, KeyFault> {
    let name = || attribute.name.clone();
    let value = item.get(&attribute.name).ok_or_else(|| KeyFault::Missing { attribute: name() })?;
    let (expected, actual) = (attribute.scalar.value_type(), value.value_type());
    if actual != expected {
        return Err(KeyFault::Type { attribute: name(), expected, actual });
    }
    if let ValueRef::S(bytes) | ValueRef::B(bytes) = value.view() {
        let size_max = if is_partition { PARTITION_KEY_BYTES_MAX } else { SORT_KEY_BYTES_MAX };
        if bytes.is_empty() {
            return Err(KeyFault::Empty { attribute: name(), actual });
        }
        if bytes.len() > size_max {
            return Err(KeyFault::TooLong { attribute: name(), is_partition, size_bytes: bytes.len() });
        }
    }
    Ok(value)
}

fn seal_hash(out: &mut [u8], hash_at: usize) {
    let hash = xxh3_64(&out[hash_at + 8..]);
    out[hash_at..hash_at + 8].copy_from_slice(&hash.to_be_bytes());
}

/// Where segment `segment` of `total` begins and ends in the space of hashes; the last one has no end.
pub(super) fn segment_bounds(segment: u32, total: u32) -> (u64, Option<u64>) {
    #[expect(clippy::cast_possible_truncation, reason = "segment < total, so the quotient is below 2^64")]
    let cut = |segment: u32| ((u128::from(segment) << 64) / u128::from(total.max(1))) as u64;
    (cut(segment), (segment + 1 < total).then(|| cut(segment + 1)))
}
