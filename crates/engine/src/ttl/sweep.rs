//! Removing items whose time has come.
//!
//! What must stay true: a sweep does a bounded number of deletions and then lets others go first; each of them is a write
//! like any other, with its index entries and its stream record, that looks at the item once more.

use std::sync::Arc;

use futures_util::future::join_all;
use stator_kv::{Key, Level, StoreError, Visit};

use super::{end_of_due_s, oldest_due_s};
use crate::Engine;
use crate::catalog::Table;
use crate::encoding::stored;
use crate::index::project;
use crate::keyspace::deadline;
use crate::write::{Action, Intent, WriteError};

/// Items removed in one go. They are removed at the same time, so that they share syncs.
const ITEMS_PER_SWEEP: usize = 512;

impl Engine {
    /// Removes items whose time has come; answers whether there are more.
    pub async fn sweep_expired(&self) -> Result<bool, StoreError> {
        let tables: Vec<Arc<Table>> = self.snapshot.load().tables().filter(|table| table.ttl.is_some()).cloned().collect();
        let mut left = ITEMS_PER_SWEEP;
        for table in tables.iter().filter(|table| table.is_usable(self.now_ms())) {
            let due = self.due_items(table, left).await?;
            left -= due.len();
            let outcomes = join_all(due.iter().map(|key| self.expire(table, key))).await;
            outcomes.into_iter().collect::<Result<(), _>>()?;
            if left == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keys of the items whose deadlines have passed, at most so many.
    async fn due_items(&self, table: &Table, limit: usize) -> Result<Vec<Key>, StoreError> {
        let mut due = Vec::new();
        let Some(ttl) = &table.ttl else { return Ok(due) };
        let now_ms = self.now_ms();
        for lane in 0..deadline::LANES {
            let range = deadline::between(table.id, ttl.epoch, lane, oldest_due_s(now_ms), end_of_due_s(now_ms));
            if due.len() == limit {
                break;
            }
            self.store
                .scan(&range, &mut |row| {
                    due.extend(deadline::parse(row.key).map(|(_, _, _, item_key)| item_key));
                    if due.len() == limit { Visit::Stop } else { Visit::Next }
                })
                .await?;
        }
        Ok(due)
    }

    async fn expire(&self, table: &Arc<Table>, item_key: &Key) -> Result<(), StoreError> {
        let found = self.store.read(std::slice::from_ref(item_key), Level::Strong).await?.remove(0);
        let Some(row) = found else { return Ok(()) };
        let key = project(stored::map(&row.value), |name| table.key.contains(name));
        match self.write(table, &Intent { action: Action::Expire { key }, condition: None }).await {
            Err(WriteError::Store(error)) => Err(error),
            // Moved, held or gone: the next sweep sees.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
