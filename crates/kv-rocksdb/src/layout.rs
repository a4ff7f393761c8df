//! How rows lie in RocksDB.
//!
//! ```text
//!   column family   the profile of the space
//!   key             space (4, big-endian) | part | sort
//!   value           version (8, little-endian; 0 for rows that are added to) | value
//!   default family  "version": the last version given out (8, little-endian)
//! ```
//!
//! What must stay true: rows of a space are one contiguous run, in the order of their joined keys.

use std::ops::Bound;

use bytes::Bytes;
use stator_kv::key::SPACE_BYTES;
use stator_kv::{Found, Key, Profile, Range, Space, Version};

/// The key in the default column family under which the last version lies.
pub(crate) const VERSION_KEY: &[u8] = b"version";

/// Bytes in front of a value.
pub(crate) const VERSION_BYTES: usize = 8;

/// Where a row lies: its column family and its key there. A copy shares the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) profile: Profile,
    pub(crate) key: Bytes,
}

impl Place {
    pub(crate) fn of(key: &Key) -> Place {
        Place { profile: key.space().profile, key: key.raw().clone() }
    }
}

/// The key of a row in its column family.
pub(crate) fn raw_key(space: Space, joined: &[u8]) -> Vec<u8> {
    let mut raw = Vec::with_capacity(SPACE_BYTES + joined.len());
    raw.extend_from_slice(&space.id.to_be_bytes());
    raw.extend_from_slice(joined);
    raw
}

/// The stored form of a value, in a buffer that is used again.
pub(crate) fn raw_value<'b>(buffer: &'b mut Vec<u8>, version: Version, value: &[u8]) -> &'b [u8] {
    buffer.clear();
    buffer.extend_from_slice(&version.0.to_le_bytes());
    buffer.extend_from_slice(value);
    buffer
}

/// The row of a stored form; `None` if it is too short to be one.
pub(crate) fn found(raw: &[u8]) -> Option<Found> {
    let (version, value) = raw.split_first_chunk::<VERSION_BYTES>()?;
    Some(Found { version: Version(u64::from_le_bytes(*version)), value: Bytes::copy_from_slice(value) })
}

/// Lower (inclusive) and upper (exclusive) raw keys of a range.
pub(crate) fn raw_bounds(range: &Range) -> (Vec<u8>, Vec<u8>) {
    let space = range.space();
    let behind = |joined: &[u8]| {
        let mut raw = raw_key(space, joined);
        raw.push(0);
        raw
    };
    let (from, to) = range.joined_bounds();
    let lower = match from {
        Bound::Included(joined) => raw_key(space, &joined),
        Bound::Excluded(joined) => behind(&joined),
        Bound::Unbounded => raw_key(space, &[]),
    };
    let upper = match to {
        Bound::Included(joined) => behind(&joined),
        Bound::Excluded(joined) => raw_key(space, &joined),
        Bound::Unbounded => (space.id + 1).to_be_bytes().to_vec(),
    };
    (lower, upper)
}
