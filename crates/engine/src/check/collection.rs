//! The sizes of item collections against what lies in them.
//!
//! The rows of a partition key follow each other, its size last, so one sum at a time is kept. What must stay true: a
//! partition whose size is missing is told when the next one begins, or at the end.

use super::{Checker, FAULTS_MAX, Row};
use crate::catalog::Table;
use crate::keyspace::{self, collection, item};

/// The partition that is being added up.
#[derive(Default)]
pub(super) struct Collections {
    part: Vec<u8>,
    bytes: i64,
}

impl Checker<'_> {
    /// Adds an item or a local entry to its collection.
    pub(super) fn weigh(&mut self, table: &Table, row: &Row, size_bytes: usize) {
        let Some(part) = part(table, row).filter(|_| table.counts_collections) else { return };
        if self.collections.part != part {
            self.end_collection();
            self.collections.part = part.to_vec();
        }
        self.collections.bytes += i64::try_from(size_bytes).unwrap_or(i64::MAX);
    }

    /// Whether a row is the size of a collection; then it is compared.
    pub(super) fn is_of_collection(&mut self, table: &Table, row: &Row) -> bool {
        if item::sort_of(&row.0, &table.key) != Some(&[keyspace::SORT_COLLECTION]) {
            return false;
        }
        let bytes = if part(table, row) == Some(&self.collections.part) { self.collections.bytes } else { 0 };
        match collection::decode(&row.1) {
            None => self.fault(&row.0, "does not decode"),
            Some(shown) if shown != bytes => {
                self.fault(&row.0, &format!("says that an item collection has {shown} bytes, but it has {bytes}"));
            }
            Some(_) => {}
        }
        // Its rows come before it.
        if bytes > 0 {
            self.collections = Collections::default();
        }
        true
    }

    /// A collection with rows and without a size is a fault.
    pub(super) fn end_collection(&mut self) {
        let Collections { part, bytes } = std::mem::take(&mut self.collections);
        if bytes > 0 && self.report.faults.len() < FAULTS_MAX {
            self.fault(&part, &format!("is the partition of an item collection of {bytes} bytes, and its size is not there"));
        }
    }
}

fn part<'r>(table: &Table, row: &'r Row) -> Option<&'r [u8]> {
    let sort = item::sort_of(&row.0, &table.key)?;
    Some(&row.0[..row.0.len() - sort.len()])
}
