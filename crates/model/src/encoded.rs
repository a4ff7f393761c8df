//! The one representation of attribute values in motion and at rest: canonical bytes, read through borrowed views.
//!
//! The wire decoder writes these bytes, conditions, filters and projections read them in place, the wire encoder prints
//! from them, and the engine stores them behind a version byte. Nothing on that way builds a map.
//!
//! ```text
//!   value     tag(1) body
//!   00 NULL   01 false   02 true                     no body
//!   03 S      varint(len) bytes                      UTF-8
//!   04 N      len(1) bytes                           number.rs
//!   05 B      varint(len) bytes
//!   06 SS 07 NS 08 BS   u32le(len) u32le(count) elements         element: varint(len) bytes, ascending, distinct
//!   09 L      u32le(len) u32le(count) values
//!   0A M      u32le(len) u32le(count) entries        entry: varint(len) name, value; ascending by name, distinct
//!
//!   len counts the bytes after the count. An item is one M value.
//! ```
//!
//! What must stay true: the encoding is canonical (map entries and set elements are sorted, numbers have one form), so
//! that equality of bytes is the service's equality for every type. Views trust their bytes: [`RawValue::validate`] is for
//! bytes from outside (`stator check`); a view over corrupt bytes panics, never reads beyond them.

use std::cmp::Ordering;

use crate::number::{self, Number};

mod encoder;
mod validate;

pub use encoder::Encoder;
pub use validate::Malformed;

/// The ten attribute types, in the order of their tags (both booleans are one type).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// `NULL`
    Null,
    /// `BOOL`
    Bool,
    /// `S`
    S,
    /// `N`
    N,
    /// `B`
    B,
    /// `SS`
    SS,
    /// `NS`
    NS,
    /// `BS`
    BS,
    /// `L`
    L,
    /// `M`
    M,
}

impl ValueType {
    /// The type's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ValueType::Null => "NULL",
            ValueType::Bool => "BOOL",
            ValueType::S => "S",
            ValueType::N => "N",
            ValueType::B => "B",
            ValueType::SS => "SS",
            ValueType::NS => "NS",
            ValueType::BS => "BS",
            ValueType::L => "L",
            ValueType::M => "M",
        }
    }

    /// The type of a wire name.
    pub fn from_name(name: &str) -> Option<ValueType> {
        use ValueType::{B, BS, Bool, L, M, N, NS, Null, S, SS};
        [Null, Bool, S, N, B, SS, NS, BS, L, M].into_iter().find(|kind| kind.name() == name)
    }
}

pub(crate) const TAG_NULL: u8 = 0;
pub(crate) const TAG_FALSE: u8 = 1;
pub(crate) const TAG_TRUE: u8 = 2;
pub(crate) const TAG_S: u8 = 3;
pub(crate) const TAG_N: u8 = 4;
pub(crate) const TAG_B: u8 = 5;
pub(crate) const TAG_SS: u8 = 6;
pub(crate) const TAG_NS: u8 = 7;
pub(crate) const TAG_BS: u8 = 8;
pub(crate) const TAG_L: u8 = 9;
pub(crate) const TAG_M: u8 = 10;

/// Length and count in front of a container's elements.
pub(crate) const CONTAINER_HEADER_BYTES: usize = 8;

/// The encoded bytes of exactly one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RawValue<'a>(&'a [u8]);

/// A value opened for reading.
#[derive(Debug, Clone, Copy)]
pub enum ValueRef<'a> {
    /// `NULL`
    Null,
    /// `BOOL`
    Bool(bool),
    /// `S`, valid UTF-8.
    S(&'a [u8]),
    /// `N`
    N(NumberRef<'a>),
    /// `B`
    B(&'a [u8]),
    /// `SS`
    SS(SetRef<'a>),
    /// `NS`: the elements are encoded numbers.
    NS(SetRef<'a>),
    /// `BS`
    BS(SetRef<'a>),
    /// `L`
    L(ListRef<'a>),
    /// `M`
    M(MapRef<'a>),
}

/// An encoded number in place. Order and equality are those of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NumberRef<'a>(pub &'a [u8]);

/// The elements of a set, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetRef<'a> {
    count: u32,
    body: &'a [u8],
}

/// The elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRef<'a> {
    count: u32,
    body: &'a [u8],
}

/// The entries of a map, ascending by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapRef<'a> {
    count: u32,
    body: &'a [u8],
}

impl<'a> RawValue<'a> {
    /// Takes bytes that [`Encoder`] made.
    pub fn new(bytes: &'a [u8]) -> RawValue<'a> {
        RawValue(bytes)
    }

    /// The bytes, tag included.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The type, from the tag alone.
    pub fn value_type(self) -> ValueType {
        match self.0[0] {
            TAG_NULL => ValueType::Null,
            TAG_FALSE | TAG_TRUE => ValueType::Bool,
            TAG_S => ValueType::S,
            TAG_N => ValueType::N,
            TAG_B => ValueType::B,
            TAG_SS => ValueType::SS,
            TAG_NS => ValueType::NS,
            TAG_BS => ValueType::BS,
            TAG_L => ValueType::L,
            TAG_M => ValueType::M,
            other => unreachable!("tag {other} is not of this format"),
        }
    }

    /// Opens the value.
    pub fn view(self) -> ValueRef<'a> {
        open_value(self.0).0
    }

    /// Bytes that the service counts for the value, without the name it is stored under.
    pub fn size_bytes(self) -> usize {
        self.view().size_bytes()
    }

    /// The value's order relative to another of the same scalar type (S and B by bytes, N by value); `None` where the
    /// service knows no order.
    pub fn compare(self, other: RawValue<'_>) -> Option<Ordering> {
        match (self.view(), other.view()) {
            (ValueRef::S(left), ValueRef::S(right)) | (ValueRef::B(left), ValueRef::B(right)) => Some(left.cmp(right)),
            (ValueRef::N(left), ValueRef::N(right)) => Some(left.0.cmp(right.0)),
            _ => None,
        }
    }

    /// Checks bytes from outside: exactly one well-formed canonical value. Everything else here trusts that.
    pub fn validate(self) -> Result<(), Malformed> {
        validate::validate(self.0)
    }
}

impl ValueRef<'_> {
    /// Bytes that the service counts for the value, without the name it is stored under (developer guide, "Item sizes and formats").
    pub fn size_bytes(self) -> usize {
        match self {
            ValueRef::Null | ValueRef::Bool(_) => 1,
            ValueRef::S(bytes) | ValueRef::B(bytes) => bytes.len(),
            ValueRef::N(number) => number.size_bytes(),
            ValueRef::SS(set) | ValueRef::BS(set) => set.iter().map(<[u8]>::len).sum(),
            ValueRef::NS(set) => set.iter().map(number::size_bytes).sum(),
            ValueRef::L(list) => 3 + list.views().map(|element| 1 + element.size_bytes()).sum::<usize>(),
            ValueRef::M(map) => 3 + map.len() + map.size_bytes(),
        }
    }
}

impl NumberRef<'_> {
    /// The number, copied out.
    pub fn number(self) -> Number {
        Number::from_bytes(self.0).expect("a stored number is a canonical encoding")
    }

    /// Sign (true if negative), a whole number, and the power of ten that it is multiplied by; `None` above 18 digits.
    pub fn scientific(self) -> Option<(bool, u64, i32)> {
        number::scientific(self.0)
    }

    /// Appends the canonical decimal form.
    pub fn write_canonical(self, out: &mut Vec<u8>) {
        number::write_canonical(self.0, out);
    }

    /// Bytes that the service counts.
    pub fn size_bytes(self) -> usize {
        number::size_bytes(self.0)
    }
}

impl<'a> SetRef<'a> {
    /// Number of elements.
    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Never true of a stored set; the wire refuses empty ones.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The elements: UTF-8 for SS, encoded numbers for NS, bytes for BS.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        each(self.count, self.body, split_bytes)
    }

    /// Whether an element equals the given bytes (for NS: an encoded number).
    pub fn contains(self, element: &[u8]) -> bool {
        self.iter().any(|candidate| candidate == element)
    }
}

impl<'a> ListRef<'a> {
    /// Number of elements.
    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Whether it has no element.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The elements in order.
    pub fn iter(self) -> impl Iterator<Item = RawValue<'a>> {
        each(self.count, self.body, split_value)
    }

    /// The elements in order, opened: each is looked at once.
    pub fn views(self) -> impl Iterator<Item = ValueRef<'a>> {
        each(self.count, self.body, open_value)
    }

    /// The element at a position.
    pub fn get(self, index: usize) -> Option<RawValue<'a>> {
        self.iter().nth(index)
    }
}

impl<'a> MapRef<'a> {
    /// Number of entries.
    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Whether it has no entry.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// The entries, ascending by name (names are UTF-8).
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], RawValue<'a>)> {
        each(self.count, self.body, |entry| named(entry, split_value))
    }

    /// The entries, ascending by name, opened: each is looked at once.
    pub fn views(self) -> impl Iterator<Item = (&'a [u8], ValueRef<'a>)> {
        each(self.count, self.body, |entry| named(entry, open_value))
    }

    /// The value under a name. Linear, ends early because names ascend.
    pub fn get(self, name: &str) -> Option<RawValue<'a>> {
        for (candidate, value) in self.iter() {
            match candidate.cmp(name.as_bytes()) {
                Ordering::Less => {}
                Ordering::Equal => return Some(value),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// Bytes that the service counts for names and values, without the overhead of the map itself.
    pub fn size_bytes(self) -> usize {
        self.views().map(|(name, value)| name.len() + value.size_bytes()).sum()
    }
}

/// Takes so many things off the front, one after the other.
fn each<'a, T>(count: u32, mut rest: &'a [u8], split: impl Fn(&'a [u8]) -> (T, &'a [u8])) -> impl Iterator<Item = T> {
    (0..count).map(move |_| {
        let (thing, tail) = split(rest);
        rest = tail;
        thing
    })
}

/// Takes a name and what stands under it off the front.
fn named<'a, T>(entry: &'a [u8], split: impl Fn(&'a [u8]) -> (T, &'a [u8])) -> ((&'a [u8], T), &'a [u8]) {
    let (name, tail) = split_bytes(entry);
    let (value, rest) = split(tail);
    ((name, value), rest)
}

/// Opens the value at the front; the rest follows it.
fn open_value(bytes: &[u8]) -> (ValueRef<'_>, &[u8]) {
    let (tag, body) = bytes.split_first().expect("a value has a tag");
    match *tag {
        TAG_NULL => (ValueRef::Null, body),
        TAG_FALSE => (ValueRef::Bool(false), body),
        TAG_TRUE => (ValueRef::Bool(true), body),
        TAG_S => {
            let (text, rest) = split_bytes(body);
            (ValueRef::S(text), rest)
        }
        TAG_N => {
            let (number, rest) = body[1..].split_at(usize::from(body[0]));
            (ValueRef::N(NumberRef(number)), rest)
        }
        TAG_B => {
            let (bytes, rest) = split_bytes(body);
            (ValueRef::B(bytes), rest)
        }
        TAG_SS..=TAG_M => open_container(*tag, body),
        other => unreachable!("tag {other} is not of this format"),
    }
}

fn open_container(tag: u8, bytes: &[u8]) -> (ValueRef<'_>, &[u8]) {
    let (len, count) = (read_u32(bytes), read_u32(&bytes[4..]));
    let (body, rest) = bytes[CONTAINER_HEADER_BYTES..].split_at(len as usize);
    let value = match tag {
        TAG_SS => ValueRef::SS(SetRef { count, body }),
        TAG_NS => ValueRef::NS(SetRef { count, body }),
        TAG_BS => ValueRef::BS(SetRef { count, body }),
        TAG_L => ValueRef::L(ListRef { count, body }),
        TAG_M => ValueRef::M(MapRef { count, body }),
        other => unreachable!("tag {other} is of no container"),
    };
    (value, rest)
}

pub(crate) fn read_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().expect("four bytes were taken"))
}

/// Splits a varint-prefixed byte string off the front.
#[inline]
pub(crate) fn split_bytes(bytes: &[u8]) -> (&[u8], &[u8]) {
    if bytes[0] < 0x80 {
        return bytes[1..].split_at(usize::from(bytes[0]));
    }
    split_long_bytes(bytes)
}

fn split_long_bytes(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (mut len, mut shift, mut at) = (0usize, 0, 0);
    loop {
        let byte = bytes[at];
        at += 1;
        len |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return bytes[at..].split_at(len);
        }
        shift += 7;
    }
}

/// Splits one value off the front.
fn split_value(bytes: &[u8]) -> (RawValue<'_>, &[u8]) {
    let len = match bytes[0] {
        TAG_NULL | TAG_FALSE | TAG_TRUE => 1,
        TAG_N => 2 + usize::from(bytes[1]),
        TAG_S | TAG_B => bytes.len() - split_bytes(&bytes[1..]).1.len(),
        _ => 1 + CONTAINER_HEADER_BYTES + read_u32(&bytes[1..]) as usize,
    };
    let (value, rest) = bytes.split_at(len);
    (RawValue(value), rest)
}
