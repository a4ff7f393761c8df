//! Structured keys: which space, which part, and where within the part.
//!
//! A part is the unit that a distributed store keeps together; within it rows are ordered by `sort`. What must stay true:
//! within a space no part is a prefix of another (the owner of the space sees to it), so that an ordered store may lay
//! part and sort end to end and still find a part's rows in one contiguous range.

use std::cmp::Ordering;

use crate::space::Space;

/// The key of one row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    space: Space,
    bytes: Vec<u8>,
    part_len: usize,
}

impl Key {
    /// Joins a part and a position within it.
    pub fn new(space: Space, part: &[u8], sort: &[u8]) -> Key {
        let mut bytes = Vec::with_capacity(part.len() + sort.len());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(sort);
        Key { space, bytes, part_len: part.len() }
    }

    /// Takes both in one buffer, the first `part_len` bytes being the part.
    pub fn from_joined(space: Space, bytes: Vec<u8>, part_len: usize) -> Key {
        assert!(part_len <= bytes.len(), "a part lies within its key");
        Key { space, bytes, part_len }
    }

    /// The space.
    pub fn space(&self) -> Space {
        self.space
    }

    /// The part.
    pub fn part(&self) -> &[u8] {
        &self.bytes[..self.part_len]
    }

    /// The position within the part.
    pub fn sort(&self) -> &[u8] {
        &self.bytes[self.part_len..]
    }

    /// Part and sort end to end.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.space.id, &self.bytes, self.part_len).cmp(&(other.space.id, &other.bytes, other.part_len))
    }
}
