//! A store that writes down what is written through it.
//!
//! What must stay true: an entry is made for every call that may have changed something, after its answer is known, and
//! none for a call that changed nothing.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::key::Key;
use crate::range::Range;
use crate::space::Space;
use crate::store::{
    Caps, CommitError, Decide, Decision, Found, Level, MiniTxn, Outcome, Receipt, Store, StoreError, TxnId, Version, Visitor, Write,
};

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traced {
    /// A commit.
    Commit {
        /// Its version; `None` if its reply was lost.
        version: Option<Version>,
        /// What it wrote.
        writes: Vec<Write>,
    },
    /// A deletion of a range.
    DeleteRange {
        /// Where.
        space: Space,
        /// From this joined key on.
        from: Vec<u8>,
        /// Up to this one, which stays.
        to: Vec<u8>,
    },
}

/// A store that writes down what is written through it.
pub struct Trace {
    inner: Arc<dyn Store>,
    entries: Mutex<Vec<Traced>>,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trace").field("entries", &self.entries).finish_non_exhaustive()
    }
}

impl Trace {
    /// Wraps a store.
    pub fn new(inner: Arc<dyn Store>) -> Trace {
        Trace { inner, entries: Mutex::default() }
    }

    /// Everything written since the last time it was taken; of calls that ran side by side, in the order of their answers.
    pub fn take(&self) -> Vec<Traced> {
        std::mem::take(&mut *self.entries.lock())
    }

    fn note(&self, writes: Option<Vec<Write>>, answer: Result<Option<Receipt>, &CommitError>) {
        let version = match answer {
            Ok(Some(receipt)) => Some(receipt.version),
            Err(CommitError::Unknown(_)) => None,
            Ok(None) | Err(CommitError::Conflict { .. } | CommitError::TooLarge(_) | CommitError::Store(_)) => return,
        };
        if let Some(writes) = writes {
            self.entries.lock().push(Traced::Commit { version, writes });
        }
    }
}

#[async_trait]
impl Store for Trace {
    fn caps(&self) -> &Caps {
        self.inner.caps()
    }

    async fn read(&self, keys: &[Key], level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        self.inner.read(keys, level).await
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.inner.scan(range, visit).await
    }

    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError> {
        let writes = txn.writes.clone();
        let committed = self.inner.commit(txn).await;
        self.note(Some(writes), committed.as_ref().map(|receipt| Some(*receipt)));
        committed
    }

    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        let mut last = None;
        let mutated = self
            .inner
            .mutate(keys, &mut |found| {
                let decision = decide(found);
                last = if let Decision::Commit(writes) = &decision { Some(writes.clone()) } else { None };
                decision
            })
            .await;
        self.note(last, mutated.as_ref().copied());
        mutated
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        self.inner.resolve(id).await
    }

    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.splits(space, n).await
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let deleted = self.inner.delete_range(space, from, to).await;
        self.entries.lock().push(Traced::DeleteRange { space, from: from.to_vec(), to: to.to_vec() });
        deleted
    }
}
