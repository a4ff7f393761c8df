//! The reference backend: everything in memory, nothing survives. `stator dev` and most tests run on it.
//!
//! What must stay true: it is the plainest possible reading of the contract. One lock guards everything, no call holds it
//! across an await, and commits take effect in the order in which they take the lock. A state that is kept aside shares its
//! rows with the store until one of both changes them.

mod rows;

use std::collections::{HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};

use self::rows::Rows;
use crate::key::Key;
use crate::range::Range;
use crate::space::Space;
use crate::store::{
    Caps, Check, CommitError, Decide, Decision, Found, Level, MiniTxn, Outcome, Receipt, RowRef, Stamp, Store, StoreError, TxnId, Version,
    Visit, Visitor, Write,
};

/// Commits whose fate is remembered for [`Store::resolve`].
const OUTCOMES_MAX: usize = 4096;

/// All rows of a store at one moment, kept aside. The default is a store without any.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    rows: HashMap<u32, Arc<Rows>>,
}

/// A store that goes back to a state it had.
pub trait Rewind: Send + Sync + 'static {
    /// Keeps the present state aside, at once.
    fn keep(&self) -> Kept;

    /// Makes a kept state the present one, at once. Versions go on from where they are, so that none is used again.
    fn rewind(&self, kept: &Kept);
}

/// Rows in memory.
#[derive(Debug)]
pub struct MemoryStore {
    spaces: RwLock<Spaces>,
    outcomes: Mutex<Outcomes>,
    caps: Caps,
}

#[derive(Debug, Default)]
struct Spaces {
    /// Of each space.
    rows: HashMap<u32, Arc<Rows>>,
    version: u64,
}

#[derive(Debug, Default)]
struct Outcomes {
    /// `None` for those that somebody was told will never take effect.
    by_id: HashMap<TxnId, Option<Version>>,
    order: VecDeque<TxnId>,
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore { spaces: RwLock::default(), outcomes: Mutex::default(), caps: Caps::BASE }
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }
}

impl Spaces {
    fn get(&self, key: &Key) -> Option<Found> {
        let (version, value) = self.rows.get(&key.space().id)?.get(key.bytes())?;
        Some(Found { version: *version, value: value.clone() })
    }

    fn check(&self, check: &Check) -> Result<(), CommitError> {
        let (key, wanted) = match check {
            Check::Version(key, version) => (key, Some(*version)),
            Check::Absent(key) => (key, None),
        };
        let found = self.get(key);
        if found.as_ref().map(|found| found.version) == wanted { Ok(()) } else { Err(CommitError::Conflict { key: key.clone(), found }) }
    }

    fn apply(&mut self, writes: Vec<Write>) -> Version {
        self.version += 1;
        let version = Version(self.version);
        for (place, write) in (0_u32..).zip(writes) {
            let rows = Arc::make_mut(self.rows.entry(write.key().space().id).or_default());
            match write {
                Write::Put(key, value) => {
                    rows.insert(key.bytes().to_vec(), (version, value));
                }
                Write::Append(key, value) => {
                    let stamp = Stamp { version: version.0, place };
                    rows.insert([key.bytes(), &stamp.to_bytes()].concat(), (version, value));
                }
                Write::Delete(key) => {
                    rows.remove(key.bytes());
                }
                Write::Add(key, deltas) => {
                    let sum = add(rows.get(key.bytes()).map_or(&[], |(_, value)| value), &deltas);
                    rows.insert(key.bytes().to_vec(), (Version(0), sum.into()));
                }
            }
        }
        version
    }
}

/// Adds numbers to a row of numbers; the longer of the two decides how many there are.
pub fn add(row: &[u8], deltas: &[i64]) -> Vec<u8> {
    let count = deltas.len().max(row.len() / 8);
    let mut sum = Vec::with_capacity(count * 8);
    for index in 0..count {
        let stored =
            row.get(index * 8..index * 8 + 8).map_or(0, |bytes| i64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")));
        let delta = deltas.get(index).copied().unwrap_or(0);
        sum.extend_from_slice(&stored.wrapping_add(delta).to_le_bytes());
    }
    sum
}

/// Whether writes fit into the limits of a store; names the one that they break.
pub fn check_caps(caps: &Caps, writes: &[Write]) -> Result<(), CommitError> {
    if writes.len() > caps.commit_writes_max {
        return Err(CommitError::TooLarge("commit_writes_max"));
    }
    let mut commit_bytes = 0;
    for write in writes {
        let key = write.key();
        let value_bytes = if let Write::Put(_, value) | Write::Append(_, value) = write { value.len() } else { 0 };
        if key.part().len() > caps.part_bytes_max {
            return Err(CommitError::TooLarge("part_bytes_max"));
        }
        if key.sort().len() > caps.sort_bytes_max {
            return Err(CommitError::TooLarge("sort_bytes_max"));
        }
        if value_bytes > caps.value_bytes_max {
            return Err(CommitError::TooLarge("value_bytes_max"));
        }
        commit_bytes += key.bytes().len() + value_bytes;
    }
    if commit_bytes > caps.commit_bytes_max { Err(CommitError::TooLarge("commit_bytes_max")) } else { Ok(()) }
}

fn is_empty(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from >= to,
        _ => false,
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn caps(&self) -> &Caps {
        &self.caps
    }

    async fn read(&self, keys: &[Key], _level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        let spaces = self.spaces.read();
        Ok(keys.iter().map(|key| spaces.get(key)).collect())
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let spaces = self.spaces.read();
        let (from, to) = range.joined_bounds();
        let Some(rows) = spaces.rows.get(&range.space().id) else { return Ok(()) };
        if is_empty(&from, &to) {
            return Ok(());
        }
        let (from, to) = (from.as_ref().map(Vec::as_slice), to.as_ref().map(Vec::as_slice));
        rows.visit(from, to, range.direction(), |key, (_, value)| visit(RowRef { key, value }) == Visit::Next);
        Ok(())
    }

    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError> {
        check_caps(&self.caps, &txn.writes)?;
        let mut spaces = self.spaces.write();
        let mut outcomes = self.outcomes.lock();
        match outcomes.by_id.get(&txn.id) {
            Some(Some(version)) => return Ok(Receipt { version: *version }),
            Some(None) => return Err(StoreError::Io("the commit was given up for lost".into()).into()),
            None => {}
        }
        txn.checks.iter().try_for_each(|check| spaces.check(check))?;
        let version = spaces.apply(txn.writes);
        outcomes.remember(txn.id, Some(version));
        Ok(Receipt { version })
    }

    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        let mut spaces = self.spaces.write();
        let found: Vec<Option<Found>> = keys.iter().map(|key| spaces.get(key)).collect();
        match decide(&found) {
            Decision::Abort => Ok(None),
            Decision::Commit(writes) => {
                check_caps(&self.caps, &writes)?;
                Ok(Some(Receipt { version: spaces.apply(writes) }))
            }
        }
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        let mut outcomes = self.outcomes.lock();
        Ok(match outcomes.by_id.get(&id) {
            Some(Some(version)) => Outcome::Committed(*version),
            Some(None) => Outcome::NotCommitted,
            None if id != TxnId::NAMELESS && outcomes.order.len() < OUTCOMES_MAX => {
                // It may still be on its way: from now on it comes too late.
                outcomes.remember(id, None);
                Outcome::NotCommitted
            }
            None => Outcome::Forgotten,
        })
    }

    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let spaces = self.spaces.read();
        let Some(rows) = spaces.rows.get(&space.id) else { return Ok(Vec::new()) };
        let step = rows.len().div_ceil(n.max(1)).max(1);
        Ok(rows.keys_apart(step))
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let mut spaces = self.spaces.write();
        if let Some(rows) = spaces.rows.get_mut(&space.id).map(Arc::make_mut) {
            rows.remove_range(from, to);
        }
        Ok(())
    }
}

impl Rewind for MemoryStore {
    fn keep(&self) -> Kept {
        Kept { rows: self.spaces.read().rows.clone() }
    }

    fn rewind(&self, kept: &Kept) {
        let rows = kept.rows.clone();
        let left = std::mem::replace(&mut self.spaces.write().rows, rows);
        // Rows that nobody shares are freed outside the lock.
        drop(left);
    }
}

impl Outcomes {
    fn remember(&mut self, id: TxnId, outcome: Option<Version>) {
        self.by_id.insert(id, outcome);
        self.order.push_back(id);
        if self.order.len() > OUTCOMES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::*;
    use crate::space::Profile;

    const SPACE: Space = Space { id: 7, profile: Profile::Small };

    fn now<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("memory never waits"),
        }
    }

    fn put(store: &MemoryStore, key: &[u8], value: &[u8]) -> Version {
        let write = Write::Put(Key::new(SPACE, key, &[]), value.to_vec().into());
        now(store.mutate(&[], &mut |_| Decision::Commit(vec![write.clone()]))).unwrap().unwrap().version
    }

    fn value(store: &MemoryStore, key: &[u8]) -> Option<Bytes> {
        now(store.read(&[Key::new(SPACE, key, &[])], Level::Strong)).unwrap().remove(0).map(|found| found.value)
    }

    #[test]
    fn a_kept_state_comes_back_as_often_as_wanted_and_versions_go_on() {
        let store = MemoryStore::new();
        put(&store, b"a", b"1");
        let kept = store.keep();
        let mut last = Version(0);
        for round in [b"2", b"3"] {
            put(&store, b"a", round);
            let version = put(&store, b"b", round);
            assert!(version > last);
            last = version;
            store.rewind(&kept);
            assert_eq!((value(&store, b"a"), value(&store, b"b")), (Some(Bytes::from_static(b"1")), None));
        }
        store.rewind(&Kept::default());
        assert_eq!(value(&store, b"a"), None);
        store.rewind(&kept);
        assert_eq!(value(&store, b"a"), Some(Bytes::from_static(b"1")));
    }
}
