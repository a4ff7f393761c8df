//! What a vector index holds of an item: its vector as f32, and the projected attributes.
//!
//! What must stay true: an item without the vector, or without the HASH attribute of the search schema, has no entry; one
//! whose vector or search attributes do not fit is refused by writes and left out by backfill. A number becomes the nearest
//! f32; the item keeps it as it was written.

use stator_model::key::KeyAttribute;
use stator_model::limits::VECTOR_REQUEST_BYTES_MIN;
use stator_model::table::VectorSpec;
use stator_model::{Encoder, MapRef, Number, RawValue, ValueRef, ValueType};

use super::nearest::nearest;
use super::{Entry, Unfit, project};
use crate::catalog::{Index, Table};
use crate::keyspace::{KeyFault, vector_entry};

/// Why an item does not fit a vector index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VectorFault {
    /// The attribute is not a list.
    NotList {
        /// Its name.
        attribute: String,
    },
    /// The list is shorter or longer than the index says.
    Dimensions {
        /// The attribute.
        attribute: String,
        /// What the index says.
        expected: usize,
        /// What was found.
        actual: usize,
    },
    /// An element is not a number.
    Element {
        /// The attribute.
        attribute: String,
        /// From zero.
        position: usize,
        /// The type found.
        actual: ValueType,
    },
    /// A number is beyond what an f32 can be.
    Range {
        /// The attribute.
        attribute: String,
        /// From zero.
        position: usize,
        /// The number.
        value: Number,
    },
    /// An attribute of the search schema is of another type than declared.
    SearchAttribute {
        /// Its name.
        attribute: String,
        /// The declared type.
        expected: ValueType,
        /// The type found.
        actual: ValueType,
    },
}

/// The entry of an item; `None` if the index has none of it.
pub(super) fn entry(table: &Table, index: &Index, spec: &VectorSpec, attributes: MapRef<'_>) -> Result<Option<Entry>, Unfit> {
    check_search_attributes(index, spec, attributes)?;
    let Some(value) = attributes.get(&spec.attribute) else { return Ok(None) };
    let vector = vector_of(spec, value).map_err(Unfit::Vector)?;
    let key = match vector_entry::key(table.id, index.id, &table.key, &index.key, attributes) {
        Ok(key) => key,
        Err(KeyFault::Missing { .. }) => return Ok(None),
        Err(fault) => return Err(Unfit::Key(fault)),
    };
    let projected = project(attributes, |name| name != spec.attribute && index.projects(name));
    let size_bytes = size_bytes(spec, projected.map());
    Ok(Some(Entry { key, row: vector_entry::encode(&vector, projected.as_bytes()).into(), size_bytes }))
}

/// Checks vector and search attributes of an item, as far as it has them.
pub(super) fn check(index: &Index, spec: &VectorSpec, attributes: MapRef<'_>) -> Result<(), Unfit> {
    if let Some(value) = attributes.get(&spec.attribute) {
        vector_of(spec, value).map_err(Unfit::Vector)?;
    }
    check_search_attributes(index, spec, attributes)
}

fn check_search_attributes(index: &Index, spec: &VectorSpec, attributes: MapRef<'_>) -> Result<(), Unfit> {
    for declared in &index.key.partition {
        check_type(declared, attributes)?;
        match crate::keyspace::key_value(declared, attributes, true) {
            Ok(_) | Err(KeyFault::Missing { .. }) => {}
            Err(fault) => return Err(Unfit::Key(fault)),
        }
    }
    spec.filters.iter().try_for_each(|declared| check_type(declared, attributes))
}

fn check_type(declared: &KeyAttribute, attributes: MapRef<'_>) -> Result<(), Unfit> {
    let (expected, actual) = (declared.scalar.value_type(), attributes.get(&declared.name).map(RawValue::value_type));
    match actual {
        Some(actual) if actual != expected => {
            Err(Unfit::Vector(VectorFault::SearchAttribute { attribute: declared.name.clone(), expected, actual }))
        }
        _ => Ok(()),
    }
}

fn vector_of(spec: &VectorSpec, value: RawValue<'_>) -> Result<Vec<f32>, VectorFault> {
    let attribute = || spec.attribute.clone();
    let ValueRef::L(list) = value.view() else { return Err(VectorFault::NotList { attribute: attribute() }) };
    if list.len() != spec.dimensions {
        return Err(VectorFault::Dimensions { attribute: attribute(), expected: spec.dimensions, actual: list.len() });
    }
    let mut digits = Vec::new();
    let element = |(position, element): (usize, RawValue<'_>)| match element.view() {
        ValueRef::N(number) => {
            nearest(number, &mut digits).ok_or_else(|| VectorFault::Range { attribute: attribute(), position, value: number.number() })
        }
        _ => Err(VectorFault::Element { attribute: attribute(), position, actual: element.value_type() }),
    };
    list.iter().enumerate().map(element).collect()
}

/// The vector of a request: `None` if an element is not a number that an f32 can be.
pub fn vector_of_elements<'v>(elements: impl Iterator<Item = RawValue<'v>>) -> Option<Vec<f32>> {
    let mut digits = Vec::new();
    let element = |element: RawValue<'_>| if let ValueRef::N(number) = element.view() { nearest(number, &mut digits) } else { None };
    elements.map(element).collect()
}

/// Writes a stored vector as the list of numbers that answers show.
pub(crate) fn write_list(stored: &[u8], out: &mut Encoder) {
    out.begin_list();
    let (elements, _) = stored.as_chunks::<{ vector_entry::ELEMENT_BYTES }>();
    for element in elements {
        let text = f32::from_le_bytes(*element).to_string();
        out.number(&Number::parse(&text).expect("an f32 has few digits and a small exponent"));
    }
    out.end();
}

/// Bytes of an entry as the service counts them: four for each number, the name of the attribute, and what is projected
/// beside (public records of answers).
pub(crate) fn size_bytes(spec: &VectorSpec, projected: MapRef<'_>) -> usize {
    vector_entry::ELEMENT_BYTES * spec.dimensions + spec.attribute.len() + projected.size_bytes()
}

/// What reading or writing these bytes of entries is charged.
pub(crate) fn charged_bytes(bytes: usize) -> u64 {
    bytes.max(VECTOR_REQUEST_BYTES_MIN) as u64
}
