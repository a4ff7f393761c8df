//! The envelope of stored items and index entries: one version byte, then the encoded item.
//!
//! What must stay true: data written by a released version opens forever, so a version byte once used keeps its meaning.

use bytes::Bytes;
use stator_model::{Item, MapRef, RawValue, ValueRef};

/// The format that is written today.
pub const FORMAT: u8 = 1;

/// A stored row that this version cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// No byte at all.
    Empty,
    /// Written by a newer version, or damaged.
    Format(u8),
    /// Not an encoded item.
    Malformed,
}

/// The stored form of an item.
pub fn wrap(item: &[u8]) -> Bytes {
    let mut row = Vec::with_capacity(1 + item.len());
    row.push(FORMAT);
    row.extend_from_slice(item);
    row.into()
}

/// The encoded item of a stored row. Panics on a row that was not made by [`wrap`]: see [`validate`] for foreign bytes.
pub fn unwrap(row: &[u8]) -> &[u8] {
    assert_eq!(row.first(), Some(&FORMAT), "a stored row has a known format");
    &row[1..]
}

/// The attributes of a stored row.
pub fn map(row: &[u8]) -> MapRef<'_> {
    stator_model::item::map_of(unwrap(row))
}

/// The item of a stored row, which shares its bytes.
pub fn item(row: &Bytes) -> Item {
    Item::from_encoded(row.slice_ref(unwrap(row)))
}

/// Checks a row from outside.
pub fn validate(row: &[u8]) -> Result<MapRef<'_>, Unreadable> {
    let (&format, encoded) = row.split_first().ok_or(Unreadable::Empty)?;
    if format != FORMAT {
        return Err(Unreadable::Format(format));
    }
    let value = RawValue::new(encoded);
    value.validate().map_err(|_| Unreadable::Malformed)?;
    match value.view() {
        ValueRef::M(map) => Ok(map),
        _ => Err(Unreadable::Malformed),
    }
}
