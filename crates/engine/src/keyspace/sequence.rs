//! The last table id given out.
//!
//! ```text
//!   part   04
//!   sort   empty
//!   value  last id (u64, big-endian)
//! ```

use stator_kv::Key;

use super::{PART_SEQUENCE, SMALL};

/// The row key.
pub fn key() -> Key {
    Key::new(SMALL, &[PART_SEQUENCE], &[])
}

/// The value of an id.
pub fn encode(last_id: u64) -> Vec<u8> {
    last_id.to_be_bytes().to_vec()
}

/// The id of a value.
pub fn decode(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}
