//! Entering the deadlines of items that were there when TTL was turned on.
//!
//! What must stay true: writers keep deadlines in step from the moment the catalog shows TTL, and entering one twice changes
//! nothing; so it does not matter who comes first, or how often.

use bytes::Bytes;
use futures_util::future::join_all;
use stator_kv::{Decision, Found, Key, StoreError, Write};
use stator_model::table::TableId;

use super::deadline_s;
use crate::Engine;
use crate::catalog::{Table, store_error};
use crate::encoding::stored;
use crate::jobs::Progress;
use crate::keyspace::deadline;
use crate::keyspace::job::{self, JobKind};

/// Items entered at the same time, so that they share a sync; few enough for requests that come meanwhile to hardly wait.
const ITEMS_AT_ONCE: usize = 64;

impl Engine {
    /// Looks through some hundred items.
    pub(crate) async fn enter_deadlines(&self, table: TableId, progress: &Progress) -> Result<(), StoreError> {
        let Some(definition) = self.snapshot.load().table_by_id(table).cloned() else {
            return self.finish_job(table, JobKind::Deadlines, None, Vec::new()).await;
        };
        if progress.after.is_empty() {
            self.follow_all_before(table, JobKind::Deadlines, None).await?;
        }
        let (items, last) = self.items_after(&definition, &progress.after).await?;
        for some in items.chunks(ITEMS_AT_ONCE) {
            let entered = join_all(some.iter().map(|key| self.enter_deadline(table, key))).await;
            entered.into_iter().collect::<Result<(), _>>()?;
        }
        let Some(after) = last else { return self.finish_enabling(table).await };
        let job_key = job::key(table, JobKind::Deadlines, None);
        let note = Write::Put(job_key.clone(), Progress { after, skipped_items: 0 }.encode());
        // The job may have been called off meanwhile; then its row stays away.
        let write = |found: &[Option<Found>]| if found[0].is_some() { Decision::Commit(vec![note.clone()]) } else { Decision::Abort };
        self.store.mutate(&[job_key], &mut { write }).await.map(|_| ()).map_err(store_error)
    }

    async fn enter_deadline(&self, table: TableId, item_key: &Key) -> Result<(), StoreError> {
        let decide = |found: &[Option<Found>]| {
            let snapshot = self.snapshot.load();
            let ttl = snapshot.table_by_id(table).and_then(|table| table.ttl.as_ref());
            let deadline = ttl.zip(found[0].as_ref()).and_then(|(ttl, row)| Some((ttl.epoch, deadline_s(ttl, stored::map(&row.value))?)));
            match deadline {
                Some((epoch, deadline_s)) => {
                    Decision::Commit(vec![Write::Put(deadline::key(table, epoch, deadline_s, item_key), Bytes::new())])
                }
                None => Decision::Abort,
            }
        };
        self.store.mutate(std::slice::from_ref(item_key), &mut { decide }).await.map(|_| ()).map_err(store_error)
    }

    async fn finish_enabling(&self, table: TableId) -> Result<(), StoreError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let done = Write::Delete(job::key(table, JobKind::Deadlines, None));
        let definition = snapshot.table_by_id(table).filter(|table| table.ttl.as_ref().is_some_and(|ttl| ttl.is_enabling));
        let Some(definition) = definition else { return self.finish_job(table, JobKind::Deadlines, None, Vec::new()).await };
        let mut next = Table::clone(definition);
        if let Some(ttl) = &mut next.ttl {
            ttl.is_enabling = false;
        }
        self.store_definition(&snapshot, next, vec![done]).await.map(|_| ())
    }
}
