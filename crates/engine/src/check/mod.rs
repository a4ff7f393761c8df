//! Verifies a store against itself: every row decodes, index entries equal what items project, counters equal sums.
//!
//! ```text
//!   ITEMS    item          → the entry of each index is there, equal to the byte
//!            local entry   → its item is there and projects it
//!   GLOBAL   global entry  → its item is there and projects it
//!   VECTORS  vector entry  → its item is there, and has the vector and what it projects
//!            item          → its deadline is there, where TTL is on
//!   DEADLINES deadline     → its item is there and has it
//!            collection    = bytes of the items and local entries of its partition key
//!   SMALL    counters      = rows and bytes met above
//!   LOG      record        → it lies in the lane and in a shard of its key, follows the record before it of its item, and
//!                            the latest says what the item is; a lane's volume is that of its records
//! ```
//!
//! Both directions are needed: the first finds entries that are missing or stale, the second those that are left over. What
//! must stay true: nothing is written; memory is bounded, because rows are met in pages and looked up in batches; an index
//! that is being made or dropped is not compared, since it is on its way.

mod collection;
mod history;

use std::collections::HashMap;
use std::ops::Bound;

use bytes::Bytes;
use stator_kv::{Direction, Key, Level, Range, Space, Store, StoreError, Visit};
use stator_model::table::{IndexId, IndexKind, IndexStatus, TableId};
use stator_model::{MapRef, RawValue, ValueRef};

use crate::catalog::{Index, Snapshot, Table};
use crate::encoding::stored;
use crate::engine::load;
use crate::index::{self, Image};
use crate::keyspace::{
    self, DEADLINES, GLOBAL, ITEMS, LOG, SMALL, VECTORS, counter, deadline, global_index, item, local_index, transaction_token,
    vector_entry,
};
use crate::{OpenError, ttl};
use collection::Collections;
use history::History;

/// Faults reported at most.
pub const FAULTS_MAX: usize = 100;
/// Rows held in memory at one time.
const ROWS_PER_PAGE: usize = 512;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Rows met.
    pub rows: u64,
    /// Tables met.
    pub tables: usize,
    /// The first faults, each a sentence that names the row.
    pub faults: Vec<String>,
}

/// Why a store cannot be verified at all.
pub type CheckError = OpenError;

struct Checker<'s> {
    store: &'s dyn Store,
    snapshot: Snapshot,
    report: Report,
    sums: HashMap<(TableId, Option<IndexId>), (i64, i64)>,
    history: History,
    collections: Collections,
}

/// Verifies a store that nobody writes to.
pub async fn check(store: &dyn Store) -> Result<Report, CheckError> {
    let snapshot = load(store).await?;
    let report = Report { tables: snapshot.tables().count(), ..Report::default() };
    let mut checker =
        Checker { store, snapshot, report, sums: HashMap::new(), history: History::default(), collections: Collections::default() };
    for space in [ITEMS, GLOBAL, VECTORS, SMALL, LOG, DEADLINES] {
        checker.space(space).await.map_err(OpenError::Store)?;
    }
    checker.end_collection();
    checker.latest_records().await.map_err(OpenError::Store)?;
    checker.volumes();
    checker.counters().await.map_err(OpenError::Store)?;
    Ok(checker.report)
}

type Row = (Vec<u8>, Bytes);

impl Checker<'_> {
    async fn space(&mut self, space: Space) -> Result<(), StoreError> {
        let mut from = Bound::Unbounded;
        loop {
            let range = Range::Across { space, from, to: Bound::Unbounded, direction: Direction::Forward };
            let mut rows: Vec<Row> = Vec::new();
            self.store
                .scan(&range, &mut |row| {
                    rows.push((row.key.to_vec(), Bytes::copy_from_slice(row.value)));
                    if rows.len() < ROWS_PER_PAGE { Visit::Next } else { Visit::Stop }
                })
                .await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            from = Bound::Excluded(last.clone());
            self.report.rows += rows.len() as u64;
            for row in &rows {
                if self.report.faults.len() >= FAULTS_MAX {
                    return Ok(());
                }
                self.row(space, row).await?;
            }
        }
    }

    async fn row(&mut self, space: Space, row: &Row) -> Result<(), StoreError> {
        if space == SMALL {
            self.small(row);
            return Ok(());
        }
        if space == DEADLINES {
            return self.deadline(row).await;
        }
        if space == LOG {
            self.log(row);
            return Ok(());
        }
        let Some(table) = self.table_of(&row.0) else { return Ok(()) };
        if space == ITEMS && self.is_of_collection(&table, row) {
            return Ok(());
        }
        if space != VECTORS && stored::validate(&row.1).is_err() {
            self.fault(&row.0, "does not decode");
            return Ok(());
        }
        if space == GLOBAL || space == VECTORS {
            let index = row.0.get(8..12).and_then(|id| id.try_into().ok()).map(|id| IndexId(u32::from_be_bytes(id)));
            return self.entry(&table, index, row).await;
        }
        match item::sort_of(&row.0, &table.key) {
            Some([keyspace::SORT_ITEM, ..]) => self.item(&table, row).await,
            Some([keyspace::SORT_LOCAL_INDEX, rest @ ..]) => {
                let index = rest.get(..4).and_then(|id| id.try_into().ok()).map(|id| IndexId(u32::from_be_bytes(id)));
                self.entry(&table, index, row).await
            }
            _ => {
                self.fault(&row.0, "has a key of no known kind");
                Ok(())
            }
        }
    }

    /// The table of a row; rows of a table that is being dropped belong to none.
    fn table_of(&mut self, key: &[u8]) -> Option<std::sync::Arc<Table>> {
        let id = key.get(..8).and_then(|id| id.try_into().ok()).map(|id| TableId(u64::from_be_bytes(id)));
        id.and_then(|id| self.snapshot.table_by_id(id).cloned())
    }

    async fn item(&mut self, table: &Table, row: &Row) -> Result<(), StoreError> {
        let image = Image::of(&row.1);
        let attributes = image.map();
        if item::key(table.id, &table.key, attributes).map_or(true, |key| key.bytes() != row.0) {
            self.fault(&row.0, "does not lie where its key attributes say");
            return Ok(());
        }
        self.count(table.id, None, image.size_bytes);
        self.weigh(table, row, image.size_bytes);
        if let Some(ttl) = table.ttl.as_ref().filter(|ttl| !ttl.is_enabling)
            && let Some(deadline_s) = ttl::deadline_s(ttl, attributes)
            && let Some(item_key) = item::key_of_joined(&row.0, &table.key)
        {
            let key = deadline::key(table.id, ttl.epoch, deadline_s, &item_key);
            if self.store.read(&[key], Level::Strong).await?.remove(0).is_none() {
                self.fault(&row.0, "has no deadline, although its table has TTL and it has a time");
            }
        }
        for index in table.indexes.iter().filter(|index| is_settled(index)) {
            // An item that does not fit was left out by backfill.
            let Ok(Some(entry)) = index::entry(table, index, image) else { continue };
            let found = self.store.read(std::slice::from_ref(&entry.key), Level::Strong).await?.remove(0);
            match found {
                None => self.fault(&row.0, &format!("has no entry in index {}", index.name)),
                Some(found) if found.value != entry.row => self.fault(&row.0, &format!("has a stale entry in index {}", index.name)),
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn entry(&mut self, table: &Table, index: Option<IndexId>, row: &Row) -> Result<(), StoreError> {
        let Some(index) = index.and_then(|id| table.index_by_id(id)) else {
            return Ok(());
        };
        if !is_settled(index) {
            return Ok(());
        }
        let Some((attributes, size_bytes)) = contents(index, &row.1) else {
            self.fault(&row.0, "does not decode");
            return Ok(());
        };
        self.count(table.id, Some(index.id), size_bytes);
        if index.kind == IndexKind::Local {
            self.weigh(table, row, size_bytes);
        }
        let own_key = match index.kind {
            IndexKind::Local => local_index::key(table.id, index.id, &table.key, &index.key, attributes),
            IndexKind::Global => global_index::key(table.id, index.id, &table.key, &index.key, attributes),
            IndexKind::Vector => vector_entry::key(table.id, index.id, &table.key, &index.key, attributes),
        };
        if own_key.map_or(true, |key| key.bytes() != row.0) {
            self.fault(&row.0, &format!("is an entry of index {} that does not lie where its attributes say", index.name));
            return Ok(());
        }
        let item_key: Result<Key, _> = item::key(table.id, &table.key, attributes);
        let Ok(item_key) = item_key else { return Ok(()) };
        let found = self.store.read(&[item_key], Level::Strong).await?.remove(0);
        let projects = |item: &Bytes| matches!(index::entry(table, index, Image::of(item)), Ok(Some(entry)) if entry.row == row.1 && entry.key.bytes() == row.0);
        match found {
            None => self.fault(&row.0, &format!("is an entry of index {} without an item", index.name)),
            Some(item) if stored::validate(&item.value).is_ok() && !projects(&item.value) => {
                self.fault(&row.0, &format!("is an entry of index {} that its item does not project", index.name));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Deadlines of an epoch that is over mean nothing.
    async fn deadline(&mut self, row: &Row) -> Result<(), StoreError> {
        let Some((table, epoch, deadline_s, item_key)) = deadline::parse(&row.0) else {
            self.fault(&row.0, "has a key of no known kind");
            return Ok(());
        };
        let ttl = self.snapshot.table_by_id(table).and_then(|table| table.ttl.clone()).filter(|ttl| ttl.epoch == epoch);
        let Some(ttl) = ttl else { return Ok(()) };
        let found = self.store.read(&[item_key], Level::Strong).await?.remove(0);
        // An item that does not decode has been reported.
        let has_it =
            found.is_some_and(|found| stored::validate(&found.value).map_or(true, |item| ttl::deadline_s(&ttl, item) == Some(deadline_s)));
        if !has_it {
            self.fault(&row.0, "is a deadline that its item does not have");
        }
        Ok(())
    }

    fn small(&mut self, row: &Row) {
        let is_known = keyspace::table::parse(&row.0).is_some()
            || counter::parse(&row.0).is_some_and(|_| counter::decode(&row.1).is_some())
            || (transaction_token::is_key(&row.0) && transaction_token::decode(&row.1).is_some())
            || keyspace::stream::parse(&row.0).is_some()
            || self.note_volume(row)
            || keyspace::job::parse(&row.0).is_some_and(|_| crate::jobs::Progress::decode(&row.1).is_some())
            || (keyspace::sequence::is_key(&row.0) && keyspace::sequence::decode(&row.1).is_some());
        if !is_known {
            self.fault(&row.0, "is a row of no known kind");
        }
    }

    async fn counters(&mut self) -> Result<(), StoreError> {
        let tables: Vec<_> = self.snapshot.tables().cloned().collect();
        for table in tables {
            let settled = table.indexes.iter().filter(|index| is_settled(index)).map(|index| Some(index.id));
            for index in std::iter::once(None).chain(settled) {
                let key = counter::key(table.id, index);
                let found = self.store.read(std::slice::from_ref(&key), Level::Strong).await?.remove(0);
                let shown = found.and_then(|row| counter::decode(&row.value)).unwrap_or((0, 0));
                let summed = self.sums.get(&(table.id, index)).copied().unwrap_or((0, 0));
                if shown != summed && self.report.faults.len() < FAULTS_MAX {
                    let of = index.and_then(|id| table.index_by_id(id)).map_or(String::new(), |index| format!(", index {}", index.name));
                    self.report.faults.push(format!(
                        "table {}{of}: the counter says {} rows and {} bytes, but there are {} and {}",
                        table.name, shown.0, shown.1, summed.0, summed.1
                    ));
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, table: TableId, index: Option<IndexId>, size_bytes: usize) {
        let sum = self.sums.entry((table, index)).or_default();
        sum.0 += 1;
        sum.1 += i64::try_from(size_bytes).unwrap_or(i64::MAX);
    }

    fn fault(&mut self, key: &[u8], what: &str) {
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        self.report.faults.push(format!("row {hex}: {what}"));
    }
}

/// The attributes of an entry, and its size as the service counts it; `None` if the row does not decode.
fn contents<'r>(index: &Index, row: &'r [u8]) -> Option<(MapRef<'r>, usize)> {
    let Some(spec) = &index.vector else {
        return Some((stored::map(row), stored::map(row).size_bytes()));
    };
    let (_, encoded) = vector_entry::split(row, spec.dimensions)?;
    let value = RawValue::new(encoded);
    value.validate().ok()?;
    match value.view() {
        ValueRef::M(attributes) => Some((attributes, index::size_bytes(spec, attributes))),
        _ => None,
    }
}

fn is_settled(index: &Index) -> bool {
    matches!(index.status, IndexStatus::Active | IndexStatus::Updating)
}
