//! What an index holds of an item: pure functions from definition and item to entry, and from two entries to a change.
//!
//! The write path, the backfill job and the checker all ask here, so that they cannot disagree. What must stay true: an
//! item that lacks a key attribute of the index has no entry; one whose key attribute does not fit is refused by writes
//! and left out by backfill.

mod lag;
mod nearest;
mod vector;

use bytes::Bytes;
use stator_kv::Key;
use stator_model::table::IndexKind;
use stator_model::{Encoder, Item, MapRef};

pub use lag::{IndexLag, LaggingStore};
pub use vector::{VectorFault, vector_of_elements};
pub(crate) use vector::{charged_bytes, size_bytes, write_list};

use crate::catalog::{Index, Table};
use crate::encoding::stored;
use crate::keyspace::{KeyFault, global_index, local_index};

/// Why an item has no place in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// A key attribute does not fit.
    Key(KeyFault),
    /// The vector, or an attribute that searches ask about, does not fit.
    Vector(VectorFault),
}

/// An index row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub key: Key,
    /// Its stored form.
    pub row: Bytes,
    /// Its size as the service counts it, in bytes.
    pub size_bytes: usize,
}

/// A stored item that entries are made of.
#[derive(Debug, Clone, Copy)]
pub struct Image<'i> {
    /// Its stored form.
    pub row: &'i Bytes,
    /// Its size as the service counts it, in bytes.
    pub size_bytes: usize,
}

impl<'i> Image<'i> {
    /// Of a stored row.
    pub fn of(row: &'i Bytes) -> Image<'i> {
        Image { row, size_bytes: stored::map(row).size_bytes() }
    }

    /// Its attributes.
    pub fn map(self) -> MapRef<'i> {
        stored::map(self.row)
    }
}

/// The entry that an index holds of an item; `None` if it holds none. One that projects everything shares the item's row.
pub fn entry(table: &Table, index: &Index, item: Image<'_>) -> Result<Option<Entry>, Unfit> {
    let attributes = item.map();
    if let Some(spec) = &index.vector {
        return vector::entry(table, index, spec, attributes);
    }
    let key = if index.kind == IndexKind::Local {
        local_index::key(table.id, index.id, &table.key, &index.key, attributes)
    } else {
        global_index::key(table.id, index.id, &table.key, &index.key, attributes)
    };
    let key = match key {
        Ok(key) => key,
        Err(KeyFault::Missing { .. }) => return check(index, attributes).map(|()| None),
        Err(fault) => return Err(Unfit::Key(fault)),
    };
    let Some(names) = &index.projected else { return Ok(Some(Entry { key, row: item.row.clone(), size_bytes: item.size_bytes })) };
    let projected = project(attributes, |name| names.contains(name));
    Ok(Some(Entry { key, row: stored::wrap(projected.as_bytes()), size_bytes: projected.size_bytes() }))
}

/// Checks that what an index takes from an item is of its type and size, as far as the item has it.
pub fn check(index: &Index, attributes: MapRef<'_>) -> Result<(), Unfit> {
    if let Some(spec) = &index.vector {
        return vector::check(index, spec, attributes);
    }
    for (schema, is_partition) in [(&index.key.partition, true), (&index.key.sort, false)] {
        for attribute in schema {
            match crate::keyspace::key_value(attribute, attributes, is_partition) {
                Ok(_) | Err(KeyFault::Missing { .. }) => {}
                Err(fault) => return Err(Unfit::Key(fault)),
            }
        }
    }
    Ok(())
}

/// The attributes of an item whose names pass, as an item.
pub(crate) fn project(attributes: MapRef<'_>, keep: impl Fn(&str) -> bool) -> Item {
    let mut encoder = Encoder::new();
    encoder.begin_map();
    for (name, value) in attributes.iter() {
        if std::str::from_utf8(name).is_ok_and(&keep) {
            encoder.name_bytes(name);
            encoder.raw(value);
        }
    }
    encoder.end();
    Item::from_encoded(encoder.finish())
}
