//! The last ids given out.
//!
//! ```text
//!   part   04
//!   sort   empty for tables, 01 for streams
//!   value  last id (u64, big-endian)
//! ```

use stator_kv::Key;

use super::{PART_SEQUENCE, SMALL};

/// What ids are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Tables.
    Tables,
    /// Streams.
    Streams,
}

/// The row key.
pub fn key(owner: Owner) -> Key {
    let sort: &[u8] = match owner {
        Owner::Tables => &[],
        Owner::Streams => &[1],
    };
    Key::new(SMALL, &[PART_SEQUENCE], sort)
}

/// Whether a joined key is one.
pub fn is_key(joined: &[u8]) -> bool {
    [Owner::Tables, Owner::Streams].into_iter().any(|owner| key(owner).bytes() == joined)
}

/// The value of an id.
pub fn encode(last_id: u64) -> Vec<u8> {
    last_id.to_be_bytes().to_vec()
}

/// The id of a value.
pub fn decode(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_be_bytes)
}
