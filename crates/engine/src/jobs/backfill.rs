//! Entering existing items into a new index while the table is in use.
//!
//! Writers maintain the index from the moment the catalog shows it; this job meets every item once, in the order of the
//! store, and enters those that have no entry yet. Both work under the item's latch, so an item is entered exactly once,
//! whoever comes first. An item that was put by somebody who did not know the index yet is met because the job begins behind
//! all such commits. What must stay true: an item that does not fit the index is counted and left out, never an error.

use std::ops::Bound;

use futures_util::future::join_all;
use stator_kv::{Decision, Direction, Found, Key, Range, StoreError, Visit, Write};
use stator_model::table::{IndexId, IndexStatus, TableId};

use super::Progress;
use crate::Engine;
use crate::catalog::{Table, store_error};
use crate::index::{self, Image};
use crate::keyspace::job::{self, JobKind};
use crate::keyspace::{ITEMS, counter, item};

/// Items entered between two notes of progress. They are entered at the same time, so that they share syncs.
const ITEMS_PER_TICK: usize = 256;

/// Rows passed over in one scan, so that a tick over rows of other kinds ends too.
const ROWS_PER_TICK: usize = 4096;

enum Entered {
    /// Entered, or nothing to enter.
    Done,
    /// Does not fit.
    Skipped,
    /// The item has changed: its entry lies elsewhere now.
    Moved(Key),
}

impl Engine {
    pub(super) async fn backfill_some(&self, table: TableId, index: Option<IndexId>, progress: &Progress) -> Result<(), StoreError> {
        let index = index.ok_or_else(|| StoreError::Corrupt("an index is to be backfilled, but the job names none".into()))?;
        let Some(definition) = self.snapshot.load().table_by_id(table).cloned() else {
            return self.finish_job(table, JobKind::Backfill, Some(index), Vec::new()).await;
        };
        if progress.after.is_empty() {
            self.follow_all_before(table, JobKind::Backfill, Some(index)).await?;
        }
        let (items, last) = self.items_after(&definition, &progress.after).await?;
        let entered = join_all(items.iter().map(|key| self.enter(table, index, key))).await;
        let mut next = Progress { after: last.clone().unwrap_or_default(), skipped_items: progress.skipped_items };
        for outcome in entered {
            next.skipped_items += u64::from(outcome?);
        }
        if last.is_none() {
            return self.finish_backfill(table, index, next.skipped_items).await;
        }
        let note = Write::Put(job::key(table, JobKind::Backfill, Some(index)), next.encode());
        let job_key = job::key(table, JobKind::Backfill, Some(index));
        // The job may have been called off meanwhile; then its row stays away.
        let write = |found: &[Option<Found>]| if found[0].is_some() { Decision::Commit(vec![note.clone()]) } else { Decision::Abort };
        self.store.mutate(&[job_key], &mut { write }).await.map(|_| ()).map_err(store_error)
    }

    /// Keys of the items behind a joined key, and the last row looked at; `None` when none was left.
    pub(crate) async fn items_after(&self, table: &Table, after: &[u8]) -> Result<(Vec<Key>, Option<Vec<u8>>), StoreError> {
        let (from, to) = item::segment(table.id, 0, 1);
        let from = if after.is_empty() { Bound::Included(from) } else { Bound::Excluded(after.to_vec()) };
        let range = Range::Across { space: ITEMS, from, to: Bound::Excluded(to), direction: Direction::Forward };
        let (mut items, mut last, mut rows) = (Vec::new(), None, 0);
        self.store
            .scan(&range, &mut |row| {
                rows += 1;
                last = Some(row.key.to_vec());
                items.extend(item::key_of_joined(row.key, &table.key));
                if rows >= ROWS_PER_TICK || items.len() >= ITEMS_PER_TICK { Visit::Stop } else { Visit::Next }
            })
            .await?;
        Ok((items, last))
    }

    /// Enters one item; answers whether it was left out.
    async fn enter(&self, table: TableId, index: IndexId, item_key: &Key) -> Result<bool, StoreError> {
        // A tick is long, and somebody who is awaited may want this core.
        std::thread::yield_now();
        let mut keys = vec![item_key.clone()];
        loop {
            let mut outcome = Entered::Done;
            self.store
                .mutate(&keys, &mut |found| {
                    let (entered, decision) = self.decide_entry(table, index, &keys, found);
                    outcome = entered;
                    decision
                })
                .await
                .map_err(store_error)?;
            match outcome {
                Entered::Done => return Ok(false),
                Entered::Skipped => return Ok(true),
                Entered::Moved(entry_key) => {
                    keys.truncate(1);
                    keys.push(entry_key);
                }
            }
        }
    }

    fn decide_entry(&self, table: TableId, index: IndexId, keys: &[Key], found: &[Option<Found>]) -> (Entered, Decision) {
        let snapshot = self.snapshot.load();
        let definition = snapshot.table_by_id(table);
        let Some((table, index)) = definition.and_then(|table| Some((table, table.index_by_id(index)?))) else {
            return (Entered::Done, Decision::Abort);
        };
        let (true, Some(row)) = (matches!(index.status, IndexStatus::Creating { .. }), &found[0]) else {
            return (Entered::Done, Decision::Abort);
        };
        let entry = match index::entry(table, index, Image::of(&row.value)) {
            Ok(Some(entry)) => entry,
            Ok(None) => return (Entered::Done, Decision::Abort),
            Err(_) => return (Entered::Skipped, Decision::Abort),
        };
        if keys.get(1) != Some(&entry.key) {
            return (Entered::Moved(entry.key), Decision::Abort);
        }
        if found[1].is_some() {
            return (Entered::Done, Decision::Abort);
        }
        let size_bytes = i64::try_from(entry.size_bytes).expect("items are small");
        let count = Write::Add(counter::key(table.id, Some(index.id)), vec![1, size_bytes]);
        (Entered::Done, Decision::Commit(vec![Write::Put(entry.key, entry.row), count]))
    }

    async fn finish_backfill(&self, table: TableId, index: IndexId, skipped_items: u64) -> Result<(), StoreError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let done = Write::Delete(job::key(table, JobKind::Backfill, Some(index)));
        if let Some(definition) = snapshot.table_by_id(table) {
            let mut next = Table::clone(definition);
            let creating = next.indexes.iter_mut().find(|known| known.id == index && matches!(known.status, IndexStatus::Creating { .. }));
            if let Some(index) = creating {
                index.status = IndexStatus::Active;
                index.skipped_items = skipped_items;
                return self.store_definition(&snapshot, next, vec![done]).await.map(|_| ());
            }
        }
        self.finish_job(table, JobKind::Backfill, Some(index), Vec::new()).await
    }
}
