//! The store under test, with the few calls that promises are made of.
//!
//! What must stay true: a helper that expects success panics with the store's own words.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::block_on;
use crate::key::Key;
use crate::range::{Direction, Range};
use crate::space::{Profile, Space};
use crate::store::{Check, CommitError, Decide, Decision, Found, Level, MiniTxn, Receipt, Store, TxnId, Version, Visit, Write};

/// Rows of the usual kind.
pub(super) const ROWS: Space = Space { id: 101, profile: Profile::Rows };
/// Another space of another profile.
pub(super) const DERIVED: Space = Space { id: 102, profile: Profile::Derived };
/// Rows that are read in long scans.
pub(super) const DENSE: Space = Space { id: 105, profile: Profile::Dense };
/// Rows that are added to.
pub(super) const SMALL: Space = Space { id: 103, profile: Profile::Small };
/// Rows that are appended.
pub(super) const LOG: Space = Space { id: 104, profile: Profile::Log };

/// A key of [`ROWS`]; no part is a prefix of another.
pub(super) fn key(part: &str, sort: &str) -> Key {
    key_in(ROWS, part, sort)
}

/// A key of a space.
pub(super) fn key_in(space: Space, part: &str, sort: &str) -> Key {
    Key::new(space, format!("{part}\0").as_bytes(), sort.as_bytes())
}

/// A row that holds a number.
pub(super) fn put_number(key: &Key, number: u64) -> Write {
    Write::Put(key.clone(), number.to_le_bytes().to_vec().into())
}

/// The number of a row; zero if there is none.
pub(super) fn number(found: Option<&Found>) -> u64 {
    found.map_or(0, |row| u64::from_le_bytes(row.value[..].try_into().expect("the row holds a number")))
}

/// A commit with a name of its own.
pub(super) fn txn(checks: Vec<Check>, writes: Vec<Write>) -> MiniTxn {
    MiniTxn { id: TxnId(u128::from(NAMES.fetch_add(1, Ordering::Relaxed)) << 64), checks, writes }
}

/// The whole of a part.
pub(super) fn part(space: Space, part: &str) -> Range {
    let part = format!("{part}\0").into_bytes();
    Range::InPart { space, part, from: Bound::Unbounded, to: Bound::Unbounded, direction: Direction::Forward }
}

/// The numbers that a row of sums holds.
pub(super) fn sums(value: &[u8]) -> Vec<i64> {
    value.chunks(8).map(|bytes| i64::from_le_bytes(bytes.try_into().expect("sums are of eight bytes"))).collect()
}

/// Tells those who work until something is over that it is, also when it ended in a panic.
pub(super) struct Ending<'e>(pub(super) &'e AtomicBool);

impl Ending<'_> {
    pub(super) fn has_come(is_over: &AtomicBool) -> bool {
        is_over.load(Ordering::SeqCst)
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A store under test.
pub struct Subject {
    store: Arc<dyn Store>,
}

/// Numbers for the names of commits: one subject may stand on the store of another.
static NAMES: AtomicU64 = AtomicU64::new(1);

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("caps", self.store.caps()).finish_non_exhaustive()
    }
}

impl Subject {
    /// Takes a store that is new and empty.
    pub fn new(store: Arc<dyn Store>) -> Subject {
        Subject { store }
    }

    /// The store itself.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn commit(&self, checks: Vec<Check>, writes: Vec<Write>) -> Result<Receipt, CommitError> {
        block_on(self.store.commit(txn(checks, writes)))
    }

    pub(super) fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        block_on(self.store.mutate(keys, decide))
    }

    /// Writes without looking.
    pub(super) fn write(&self, writes: &[Write]) -> Version {
        let receipt = self.mutate(&[], &mut |_| Decision::Commit(writes.to_vec())).unwrap();
        receipt.expect("what is decided is committed").version
    }

    pub(super) fn put(&self, key: &Key, value: &[u8]) -> Version {
        self.write(&[Write::Put(key.clone(), value.to_vec().into())])
    }

    /// Adds one to the number of a row; answers the sum.
    pub(super) fn increment(&self, key: &Key) -> u64 {
        let mut sum = 0;
        self.mutate(std::slice::from_ref(key), &mut |found| {
            sum = number(found[0].as_ref()) + 1;
            Decision::Commit(vec![put_number(key, sum)])
        })
        .unwrap();
        sum
    }

    pub(super) fn read(&self, keys: &[Key]) -> Vec<Option<Found>> {
        block_on(self.store.read(keys, Level::Strong)).unwrap()
    }

    pub(super) fn found(&self, key: &Key) -> Option<Found> {
        self.read(std::slice::from_ref(key)).remove(0)
    }

    pub(super) fn value(&self, key: &Key) -> Option<Vec<u8>> {
        self.found(key).map(|row| row.value.to_vec())
    }

    pub(super) fn number(&self, key: &Key) -> u64 {
        number(self.found(key).as_ref())
    }

    /// The rows of a range: joined keys and values.
    pub(super) fn rows(&self, range: &Range) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut rows = Vec::new();
        block_on(self.store.scan(range, &mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Visit::Next
        }))
        .unwrap();
        rows
    }

    /// The values of a range.
    pub(super) fn values(&self, range: &Range) -> Vec<Vec<u8>> {
        self.rows(range).into_iter().map(|(_, value)| value).collect()
    }
}
