//! An item: an encoded map of attributes, owned. Keys and key-only answers are items too.
//!
//! What must stay true: the bytes are one canonical `M` value, so two items are equal exactly when their bytes are.

use bytes::Bytes;

use crate::encoded::{Encoder, Malformed, MapRef, RawValue, ValueRef, ValueType};
use crate::value::Value;

/// An item as encoded bytes. A copy shares them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Item(Bytes);

impl Item {
    /// Takes the bytes of one encoded `M` value.
    pub fn from_encoded(bytes: impl Into<Bytes>) -> Item {
        Item(bytes.into())
    }

    /// Takes bytes that did not come from the encoder, if they are one canonical `M` value.
    pub fn parse(bytes: Vec<u8>) -> Result<Item, Malformed> {
        let raw = RawValue::new(&bytes);
        raw.validate()?;
        if raw.value_type() == ValueType::M { Ok(Item(bytes.into())) } else { Err(Malformed) }
    }

    /// An item with no attribute.
    pub fn empty() -> Item {
        Item::build(|_| {})
    }

    /// Builds an item: the closure names and encodes the attributes in any order.
    pub fn build(attributes: impl FnOnce(&mut Encoder)) -> Item {
        let mut encoder = Encoder::new();
        encoder.begin_map();
        attributes(&mut encoder);
        encoder.end();
        Item(encoder.finish().into())
    }

    /// The attributes.
    pub fn map(&self) -> MapRef<'_> {
        map_of(&self.0)
    }

    /// The value of a top-level attribute.
    pub fn get(&self, name: &str) -> Option<RawValue<'_>> {
        self.map().get(name)
    }

    /// The item's size as the service counts it: names and values.
    pub fn size_bytes(&self) -> usize {
        self.map().size_bytes()
    }

    /// The encoded bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The encoded bytes, given away.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// The attributes of an item that is only borrowed.
pub fn map_of(item: &[u8]) -> MapRef<'_> {
    match RawValue::new(item).view() {
        ValueRef::M(map) => map,
        other => unreachable!("an item is a map, not {other:?}"),
    }
}

impl<'a> FromIterator<(&'a str, Value)> for Item {
    fn from_iter<T: IntoIterator<Item = (&'a str, Value)>>(attributes: T) -> Item {
        Item::build(|encoder| {
            for (name, value) in attributes {
                encoder.name(name);
                value.encode(encoder);
            }
        })
    }
}

impl std::fmt::Debug for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", Value::from(RawValue::new(&self.0)))
    }
}
