//! Item collections: how many bytes the items of one partition key weigh with their local index entries. Added to by the
//! commit that changes them.
//!
//! ```text
//!   part   that of the items
//!   sort   02
//!   value  bytes (i64, little-endian)
//! ```
//!
//! Only tables with local indexes have collections, and only those whose definition says so: others were made before
//! collections were counted.

use stator_kv::Key;

use super::{ITEMS, SORT_COLLECTION};

/// The row key of the collection that an item belongs to.
pub fn key(item_key: &Key) -> Key {
    Key::new(ITEMS, item_key.part(), &[SORT_COLLECTION])
}

/// Bytes of a collection's value.
pub fn decode(value: &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(value.try_into().ok()?))
}
