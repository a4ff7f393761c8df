//! Structured keys: which space, which part, and where within the part.
//!
//! A part is the unit that a distributed store keeps together; within it rows are ordered by `sort`. What must stay true:
//! within a space no part is a prefix of another (the owner of the space sees to it), so that an ordered store may lay
//! part and sort end to end and still find a part's rows in one contiguous range.

use bytes::Bytes;

use crate::space::Space;

/// Bytes of a space's id in front of a raw key.
pub const SPACE_BYTES: usize = 4;

/// The key of one row. A copy shares its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The id of the space, then part and sort.
    raw: Bytes,
    part_end: usize,
    space: Space,
}

impl Key {
    /// Joins a part and a position within it.
    pub fn new(space: Space, part: &[u8], sort: &[u8]) -> Key {
        let mut key = KeyBuilder::new(space, part.len() + sort.len());
        key.bytes().extend_from_slice(part);
        key.end_part();
        key.bytes().extend_from_slice(sort);
        key.finish()
    }

    /// Takes both in one buffer, the first `part_len` bytes being the part.
    pub fn from_joined(space: Space, joined: &[u8], part_len: usize) -> Key {
        let (part, sort) = joined.split_at(part_len);
        Key::new(space, part, sort)
    }

    /// The space.
    pub fn space(&self) -> Space {
        self.space
    }

    /// The part.
    pub fn part(&self) -> &[u8] {
        &self.raw[SPACE_BYTES..self.part_end]
    }

    /// The position within the part.
    pub fn sort(&self) -> &[u8] {
        &self.raw[self.part_end..]
    }

    /// Part and sort end to end.
    pub fn bytes(&self) -> &[u8] {
        &self.raw[SPACE_BYTES..]
    }

    /// The id of the space (4 bytes, big-endian), part and sort end to end: for a store that lays spaces end to end, too.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }
}

/// A key in the making, in the buffer that it will keep: first its part, then the rest.
#[derive(Debug)]
pub struct KeyBuilder {
    space: Space,
    raw: Vec<u8>,
    part_end: Option<usize>,
}

impl KeyBuilder {
    /// Nothing yet, with room for so many bytes.
    pub fn new(space: Space, capacity: usize) -> KeyBuilder {
        let mut raw = Vec::with_capacity(SPACE_BYTES + capacity);
        raw.extend_from_slice(&space.id.to_be_bytes());
        KeyBuilder { space, raw, part_end: None }
    }

    /// Where the next bytes are appended; what stands there already belongs to the key.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.raw
    }

    /// The part is whole.
    pub fn end_part(&mut self) {
        self.part_end = Some(self.raw.len());
    }

    /// The key; all of it is the part if that was never ended.
    pub fn finish(self) -> Key {
        let part_end = self.part_end.unwrap_or(self.raw.len());
        Key { raw: Bytes::from(self.raw), part_end, space: self.space }
    }
}
