//! What an index holds of an item: pure functions from definition and item to entry, and from two entries to a change.
//!
//! The write path, the backfill job and the checker all ask here, so that they cannot disagree. What must stay true: an
//! item that lacks a key attribute of the index has no entry; one whose key attribute does not fit is refused by writes
//! and left out by backfill.

use stator_kv::Key;
use stator_model::table::IndexKind;
use stator_model::{Encoder, Item, MapRef};

use crate::catalog::{Index, Table};
use crate::encoding::stored;
use crate::keyspace::{KeyFault, global_index, local_index};

/// An index row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it lies.
    pub key: Key,
    /// Its stored form.
    pub row: Vec<u8>,
    /// Its size as the service counts it, in bytes.
    pub size_bytes: usize,
}

/// The entry that an index holds of an item; `None` if it holds none.
pub fn entry(table: &Table, index: &Index, item: &[u8]) -> Result<Option<Entry>, KeyFault> {
    let attributes = stator_model::item::map_of(item);
    let key = match index.kind {
        IndexKind::Local => local_index::key(table.id, index.id, &table.key, &index.key, attributes),
        IndexKind::Global => global_index::key(table.id, index.id, &table.key, &index.key, attributes),
    };
    let key = match key {
        Ok(key) => key,
        Err(KeyFault::Missing { .. }) => return check_key(index, attributes).map(|()| None),
        Err(fault) => return Err(fault),
    };
    let row = match &index.projected {
        None => stored::wrap(item),
        Some(names) => stored::wrap(project(attributes, |name| names.contains(name)).as_bytes()),
    };
    let size_bytes = stored::map(&row).size_bytes();
    Ok(Some(Entry { key, row, size_bytes }))
}

/// Checks that those key attributes of an index which an item has are of their type and size. Others may be missing.
pub fn check_key(index: &Index, attributes: MapRef<'_>) -> Result<(), KeyFault> {
    for (schema, is_partition) in [(&index.key.partition, true), (&index.key.sort, false)] {
        for attribute in schema {
            match crate::keyspace::key_value(attribute, attributes, is_partition) {
                Ok(_) | Err(KeyFault::Missing { .. }) => {}
                Err(fault) => return Err(fault),
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
