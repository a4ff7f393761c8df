//! The single write path: intent → decision → effects → one commit.
//!
//! ```text
//!   Intent   what was asked: put, update, delete or check an item, under a condition
//!      │     the stored item is read under its latch
//!   decide   old item + intent → new item, or why not
//!      │
//!   effects  old item + new item → every row that follows: item, index entries, counters
//!      │
//!   commit   one storage transaction, durable before anything is answered
//! ```
//!
//! Put, Update, Delete, batches and background jobs all come through here. What must stay true: no other module changes an
//! item, an entry or a counter (backfill adds entries with the functions of `index`); all effects of an intent commit
//! together; the catalog's snapshot is read inside the decision, so that an index added or a table dropped meanwhile is
//! seen by every write that commits after it.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod decide;
pub(crate) mod effects;
mod intent;
mod many;
pub(crate) mod room;
mod writers;

use std::sync::Arc;

use stator_kv::{CommitError, Decision, Key, StoreError};
use stator_model::Item;

pub use decide::{KeyError, WriteError, row_key};
pub use intent::{Action, Intent};
pub use many::Checked;
pub(crate) use writers::Writers;

use crate::catalog::Table;
use crate::receipt::Receipt;
use crate::{Engine, OpenError};

/// A durable write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The item before, if there was one.
    pub old: Option<Item>,
    /// The item after, if there is one.
    pub new: Option<Item>,
    /// What it consumed.
    pub receipt: Receipt,
}

/// What one run of the decision came to.
pub(crate) enum Verdict {
    Write(Written),
    Refuse(WriteError),
    /// Rows of an index that is being backfilled have to be read too.
    NeedsRows(Vec<Key>),
}

impl Engine {
    /// Carries out an intent.
    pub async fn write(&self, table: &Arc<Table>, intent: &Intent) -> Result<Written, WriteError> {
        let item_key = decide::check_intent(table, intent)?;
        if self.holds.is_held(&item_key) {
            return Err(WriteError::Held);
        }
        let room = self.room(table, intent, &item_key).await.map_err(WriteError::Store)?;
        let _writer = self.writers.enter();
        let mut keys = vec![item_key];
        loop {
            let mut verdict = None;
            let committed = self
                .store
                .mutate(&keys, &mut |found| {
                    let exists = |key: &Key| keys.iter().position(|known| known == key).map(|at| found[at].is_some());
                    let snapshot = self.snapshot.load();
                    let moment = decide::Moment { snapshot: &snapshot, now_ms: self.now_ms() };
                    let decided = decide::decide(moment, table.id, intent, &keys[0], found[0].as_ref(), &exists);
                    let (decided, writes) = match decided {
                        Ok((_, effects)) if !effects.fit(&room) => (Verdict::Refuse(WriteError::CollectionTooLarge), Decision::Abort),
                        Ok((written, effects)) => (Verdict::Write(written), Decision::Commit(effects.writes)),
                        Err(refusal) => (refusal, Decision::Abort),
                    };
                    verdict = Some(decided);
                    writes
                })
                .await;
            committed.map_err(WriteError::from)?;
            match verdict.expect("a store that answers has asked for a decision") {
                Verdict::Write(written) => return Ok(written),
                Verdict::Refuse(error) => return Err(error),
                Verdict::NeedsRows(rows) => {
                    keys.truncate(1);
                    keys.extend(rows);
                }
            }
        }
    }
}

impl From<CommitError> for WriteError {
    fn from(error: CommitError) -> WriteError {
        match error {
            CommitError::Store(error) => WriteError::Store(error),
            CommitError::Unknown(_) => WriteError::Unknown,
            CommitError::TooLarge(limit) => WriteError::Store(StoreError::Io(format!("a write is beyond the store's {limit}"))),
            CommitError::Conflict { .. } => {
                WriteError::Store(StoreError::Io("a write met a conflict that the store should have retried".into()))
            }
        }
    }
}

impl From<OpenError> for StoreError {
    fn from(error: OpenError) -> StoreError {
        match error {
            OpenError::Store(error) => error,
            other @ (OpenError::Row(..) | OpenError::Definition(..) | OpenError::Stream(_) | OpenError::Key(_)) => {
                StoreError::Corrupt(format!("{other:?}"))
            }
        }
    }
}
