//! Global and vector indexes read as they were a while ago: a store around a store, for tests of programs that have to live
//! with it.
//!
//! ```text
//!   commit ──► the entries it will change, as they are ──► kept with the time ──► the commit itself, whole
//!   scan of GLOBAL or VECTORS ──► rows below, with those that changed too recently as they were before
//! ```
//!
//! What must stay true: the rows below are always whole and up to date, so that nothing is lost or torn by a lag, and writers
//! and jobs, who read entries by their keys, see the present. Without a lag, calls pass through.

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use async_lock::RwLock;
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use stator_kv::{
    Caps, CommitError, Decide, Decision, Direction, Found, Key, Level, MiniTxn, Outcome, Range, Receipt, RowRef, Space, Store, StoreError,
    TxnId, Visit, Visitor, Write,
};

use crate::Clock;
use crate::keyspace::{GLOBAL, VECTORS};

/// How far global and vector indexes lag behind their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IndexLag {
    /// Not at all.
    #[default]
    None,
    /// By so many ms.
    By(u64),
    /// They stay as they were when this was set.
    Held,
}

/// A store whose global and vector indexes lag behind.
pub struct LaggingStore {
    below: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Shared by calls that pass through; taken alone by those that have to look first, and to change the lag.
    lag: RwLock<IndexLag>,
    past: Mutex<Past>,
}

/// Entries of a space as they were before they changed, oldest change first.
type Changes = BTreeMap<Vec<u8>, VecDeque<Before>>;

/// The past of each space whose rows lag; of no other.
#[derive(Debug, Default)]
struct Past {
    global: Changes,
    vectors: Changes,
}

/// The key of an entry, and its value as a reader is to see it.
type Entry = (Vec<u8>, Option<Bytes>);

#[derive(Debug)]
struct Before {
    changed_at_ms: u64,
    value: Option<Bytes>,
}

impl Past {
    /// The past of a space; `None` if its rows do not lag.
    fn of(&mut self, space: Space) -> Option<&mut Changes> {
        match space {
            GLOBAL => Some(&mut self.global),
            VECTORS => Some(&mut self.vectors),
            _ => None,
        }
    }

    fn clear(&mut self) {
        *self = Past::default();
    }
}

/// Whether the rows of a space are seen late.
fn lags(space: Space) -> bool {
    space == GLOBAL || space == VECTORS
}

impl IndexLag {
    fn hides(self, change: &Before, now_ms: u64) -> bool {
        match self {
            IndexLag::None => false,
            IndexLag::By(ms) => change.changed_at_ms.saturating_add(ms) > now_ms,
            IndexLag::Held => true,
        }
    }
}

impl LaggingStore {
    /// A store without lag around another.
    pub fn new(below: Arc<dyn Store>, clock: Arc<dyn Clock>) -> LaggingStore {
        LaggingStore { below, clock, lag: RwLock::new(IndexLag::None), past: Mutex::default() }
    }

    /// The lag now.
    pub async fn lag(&self) -> IndexLag {
        *self.lag.read().await
    }

    /// Sets the lag. What is hidden now comes to light when the new lag lets it; changes made while there was none are never hidden.
    pub async fn set_lag(&self, lag: IndexLag) {
        let mut current = self.lag.write().await;
        *current = lag;
        if lag == IndexLag::None {
            self.past.lock().clear();
        }
    }

    /// How many entries a reader does not see as they are.
    pub async fn hidden_count(&self) -> usize {
        let lag = self.lag.read().await;
        let now_ms = self.clock.now_ms();
        let past = self.past.lock();
        let entries = past.global.values().chain(past.vectors.values());
        entries.filter(|changes| changes.iter().any(|change| lag.hides(change, now_ms))).count()
    }

    /// Shows the present: everything that has changed so far comes to light.
    pub async fn show_all(&self) {
        let _alone = self.lag.write().await;
        self.past.lock().clear();
    }

    /// Entries that the writes will change, as they are.
    async fn before(&self, writes: &[Write]) -> Result<Vec<(Key, Option<Found>)>, StoreError> {
        let keys: Vec<Key> = writes.iter().map(Write::key).filter(|key| lags(key.space())).cloned().collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.below.read(&keys, Level::Strong).await?;
        Ok(keys.into_iter().zip(found).collect())
    }

    fn remember(&self, lag: IndexLag, entries: Vec<(Key, Option<Found>)>) {
        let now_ms = self.clock.now_ms();
        let mut past = self.past.lock();
        for (key, found) in entries {
            let Some(past) = past.of(key.space()) else { continue };
            let changes = past.entry(key.bytes().to_vec()).or_default();
            while changes.front().is_some_and(|change| !lag.hides(change, now_ms)) {
                changes.pop_front();
            }
            changes.push_back(Before { changed_at_ms: now_ms, value: found.map(|row| row.value) });
        }
    }

    /// Entries of a range that a reader is to see otherwise than they are, in the order of reading.
    fn hidden(&self, lag: IndexLag, range: &Range) -> Vec<Entry> {
        let now_ms = self.clock.now_ms();
        let mut past = self.past.lock();
        let Some(past) = past.of(range.space()) else { return Vec::new() };
        past.retain(|_, changes| changes.iter().any(|change| lag.hides(change, now_ms)));
        let (from, to) = range.joined_bounds();
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice));
        let as_it_was = |changes: &VecDeque<Before>| changes.iter().find(|change| lag.hides(change, now_ms))?.value.clone();
        let within = past.iter().filter(|(key, _)| RangeBounds::<[u8]>::contains(&bounds, key.as_slice()));
        let mut hidden: Vec<_> = within.map(|(key, changes)| (key.clone(), as_it_was(changes))).collect();
        if range.direction() == Direction::Backward {
            hidden.reverse();
        }
        hidden
    }
}

/// Merges the rows of a scan with entries that are to be seen otherwise.
struct Merge<'m, 'v> {
    hidden: std::iter::Peekable<std::vec::IntoIter<Entry>>,
    direction: Direction,
    visit: &'m mut Visitor<'v>,
    has_stopped: bool,
}

impl Merge<'_, '_> {
    fn show(&mut self, key: &[u8], value: &[u8]) -> Visit {
        let next = (self.visit)(RowRef { key, value });
        self.has_stopped = next == Visit::Stop;
        next
    }

    /// Shows the entries in front of a key; all of them without one.
    fn show_before(&mut self, key: Option<&[u8]>) -> Visit {
        let direction = self.direction;
        let is_before = |entry: &Entry| match (key, direction) {
            (None, _) => true,
            (Some(key), Direction::Forward) => entry.0.as_slice() < key,
            (Some(key), Direction::Backward) => entry.0.as_slice() > key,
        };
        while let Some((key, value)) = self.hidden.next_if(is_before) {
            if value.is_some_and(|value| self.show(&key, &value) == Visit::Stop) {
                return Visit::Stop;
            }
        }
        Visit::Next
    }

    fn row(&mut self, row: RowRef<'_>) -> Visit {
        if self.show_before(Some(row.key)) == Visit::Stop {
            return Visit::Stop;
        }
        match self.hidden.next_if(|(key, _)| key == row.key) {
            Some((key, Some(value))) => self.show(&key, &value),
            Some((_, None)) => Visit::Next,
            None => self.show(row.key, row.value),
        }
    }
}

#[async_trait]
impl Store for LaggingStore {
    fn caps(&self) -> &Caps {
        self.below.caps()
    }

    async fn read(&self, keys: &[Key], level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        self.below.read(keys, level).await
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        if !lags(range.space()) {
            return self.below.scan(range, visit).await;
        }
        {
            let lag = self.lag.read().await;
            if *lag == IndexLag::None {
                return self.below.scan(range, visit).await;
            }
        }
        // Alone, so that no entry changes between the look at the past and the look at the rows.
        let lag = self.lag.write().await;
        let hidden = self.hidden(*lag, range).into_iter().peekable();
        let mut merge = Merge { hidden, direction: range.direction(), visit, has_stopped: false };
        self.below.scan(range, &mut |row| merge.row(row)).await?;
        if !merge.has_stopped {
            merge.show_before(None);
        }
        Ok(())
    }

    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError> {
        {
            let lag = self.lag.read().await;
            if *lag == IndexLag::None {
                return self.below.commit(txn).await;
            }
        }
        let lag = self.lag.write().await;
        let before = self.before(&txn.writes).await?;
        let receipt = self.below.commit(txn).await?;
        self.remember(*lag, before);
        Ok(receipt)
    }

    /// Decides once without effect, to learn which entries will change, and then commits that decision: nobody else writes
    /// in between.
    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        {
            let lag = self.lag.read().await;
            if *lag == IndexLag::None {
                return self.below.mutate(keys, decide).await;
            }
        }
        let lag = self.lag.write().await;
        let mut decision = Decision::Abort;
        let mut rehearse = |found: &[Option<Found>]| {
            decision = decide(found);
            Decision::Abort
        };
        self.below.mutate(keys, &mut rehearse).await?;
        let Decision::Commit(writes) = &decision else { return Ok(None) };
        let before = self.before(writes).await?;
        let receipt = self.below.mutate(keys, &mut |_| decision.clone()).await?;
        self.remember(*lag, before);
        Ok(receipt)
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        self.below.resolve(id).await
    }

    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.below.splits(space, n).await
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let _alone = self.lag.write().await;
        if let Some(past) = self.past.lock().of(space) {
            past.retain(|key, _| !(from..to).contains(&key.as_slice()));
        }
        self.below.delete_range(space, from, to).await
    }
}
