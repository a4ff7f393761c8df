//! Two stores side by side; the first difference between them is a panic.
//!
//! The left one answers, the right one has to agree. Versions are each store's own, so they are compared by pairs: a pair
//! is made when both have committed the same, and from then on one never stands for another. The same goes for the stamps
//! of appended rows: keys that callers learned from the left store are told to the right one with its own stamps.
//!
//! What must stay true: no write runs beside another call, or the two would rightly differ. So this serves tests of meaning,
//! not of speed; and a call has to be waited for, because one that is given up half way has reached one store only.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;
use std::sync::Arc;

use async_lock::RwLock;
use async_trait::async_trait;
use parking_lot::Mutex;

use crate::key::Key;
use crate::range::Range;
use crate::space::Space;
use crate::store::{
    Caps, Check, CommitError, Decide, Decision, Found, Level, MiniTxn, Outcome, Receipt, RowRef, Stamp, Store, StoreError, TxnId, Version,
    Visit, Visitor, Write,
};

#[derive(Debug, Default)]
struct Pairs {
    right_of: BTreeMap<u64, u64>,
    left_of: HashMap<u64, u64>,
    /// What stands in front of the stamps of appended rows.
    appended: HashSet<(u32, Vec<u8>)>,
}

/// Two stores side by side.
pub struct Mirror {
    left: Arc<dyn Store>,
    right: Arc<dyn Store>,
    turn: RwLock<()>,
    pairs: Mutex<Pairs>,
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror").field("pairs", &self.pairs).finish_non_exhaustive()
    }
}

#[track_caller]
fn differ(call: &str, left: &dyn std::fmt::Debug, right: &dyn std::fmt::Debug) -> ! {
    panic!("two stores differ in {call}: {left:?} on the left, {right:?} on the right")
}

impl Mirror {
    /// Two stores that hold the same, most easily nothing.
    pub fn new(left: Arc<dyn Store>, right: Arc<dyn Store>) -> Mirror {
        Mirror { left, right, turn: RwLock::new(()), pairs: Mutex::default() }
    }

    fn pair(&self, left: Version, right: Version) -> bool {
        let mut pairs = self.pairs.lock();
        *pairs.right_of.entry(left.0).or_insert(right.0) == right.0 && *pairs.left_of.entry(right.0).or_insert(left.0) == left.0
    }

    fn same_row(&self, left: Option<&Found>, right: Option<&Found>) -> bool {
        match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => left.value == right.value && self.pair(left.version, right.version),
            _ => false,
        }
    }

    fn same_rows(&self, left: &[Option<Found>], right: &[Option<Found>]) -> bool {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| self.same_row(left.as_ref(), right.as_ref()))
    }

    fn same_failure(&self, left: &CommitError, right: &CommitError) -> bool {
        match (left, right) {
            (CommitError::Conflict { key, found }, CommitError::Conflict { key: right_key, found: right_found }) => {
                self.right_key(key) == *right_key && self.same_row(found.as_ref(), right_found.as_ref())
            }
            (CommitError::Store(left), CommitError::Store(right)) => std::mem::discriminant(left) == std::mem::discriminant(right),
            _ => left == right,
        }
    }

    fn right_version(&self, left: Version) -> Version {
        // A version that nobody was given is one that no row has.
        Version(self.pairs.lock().right_of.get(&left.0).copied().unwrap_or(u64::MAX))
    }

    /// The same place between the rows of the right store as a joined key has between those of the left one.
    fn right_place(&self, space: Space, joined: &[u8]) -> Vec<u8> {
        let pairs = self.pairs.lock();
        let Some((prefix, stamp)) = joined.split_last_chunk::<{ Stamp::BYTES }>() else { return joined.to_vec() };
        if !pairs.appended.contains(&(space.id, prefix.to_vec())) {
            return joined.to_vec();
        }
        let stamp = Stamp::from_bytes(*stamp);
        let right = match pairs.right_of.range(stamp.version..).find(|(_, right)| **right > 0) {
            Some((left, right)) if *left == stamp.version => Stamp { version: *right, ..stamp },
            // Between commits: above everything that lies below the next one.
            Some((_, right)) => Stamp { version: right - 1, place: u32::MAX },
            None => Stamp { version: u64::MAX, place: u32::MAX },
        };
        [prefix, &right.to_bytes()].concat()
    }

    fn right_key(&self, key: &Key) -> Key {
        Key::from_joined(key.space(), &self.right_place(key.space(), key.bytes()), key.part().len())
    }

    fn right_keys(&self, keys: &[Key]) -> Vec<Key> {
        keys.iter().map(|key| self.right_key(key)).collect()
    }

    fn right_range(&self, range: &Range) -> Range {
        let (from, to) = range.joined_bounds();
        let (space, direction) = (range.space(), range.direction());
        let place = |bound: Bound<Vec<u8>>| bound.map(|joined| self.right_place(space, &joined));
        Range::Across { space, from: place(from), to: place(to), direction }
    }

    fn right_writes(&self, writes: &[Write]) -> Vec<Write> {
        let appended = writes.iter().filter_map(|write| if let Write::Append(key, _) = write { Some(key) } else { None });
        self.pairs.lock().appended.extend(appended.map(|key| (key.space().id, key.bytes().to_vec())));
        let right = |write: &Write| match write {
            Write::Put(key, value) => Write::Put(self.right_key(key), value.clone()),
            Write::Delete(key) => Write::Delete(self.right_key(key)),
            Write::Append(..) | Write::Add(..) => write.clone(),
        };
        writes.iter().map(right).collect()
    }

    fn right_checks(&self, checks: &[Check]) -> Vec<Check> {
        let right = |check: &Check| match check {
            Check::Version(key, version) => Check::Version(self.right_key(key), self.right_version(*version)),
            Check::Absent(key) => Check::Absent(self.right_key(key)),
        };
        checks.iter().map(right).collect()
    }
}

#[async_trait]
impl Store for Mirror {
    fn caps(&self) -> &Caps {
        self.left.caps()
    }

    async fn read(&self, keys: &[Key], level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        let _turn = self.turn.read().await;
        let left = self.left.read(keys, level).await?;
        let right = self.right.read(&self.right_keys(keys), level).await?;
        if self.same_rows(&left, &right) { Ok(left) } else { differ("read", &left, &right) }
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let _turn = self.turn.read().await;
        let mut met: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut is_stopped = false;
        self.left
            .scan(range, &mut |row| {
                met.push((self.right_place(range.space(), row.key), row.value.to_vec()));
                let visited = visit(row);
                is_stopped = visited == Visit::Stop;
                visited
            })
            .await?;
        let mut at = 0;
        self.right
            .scan(&self.right_range(range), &mut |row: RowRef<'_>| {
                match met.get(at) {
                    Some((key, value)) if key == row.key && value == row.value => {}
                    other => differ("scan", &other, &row),
                }
                at += 1;
                if is_stopped && at == met.len() { Visit::Stop } else { Visit::Next }
            })
            .await?;
        if at == met.len() { Ok(()) } else { differ("scan", &met.get(at), &"nothing more") }
    }

    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError> {
        let _turn = self.turn.write().await;
        let (checks, writes) = (self.right_checks(&txn.checks), self.right_writes(&txn.writes));
        let right = MiniTxn { id: txn.id, checks, writes };
        let (left, right) = (self.left.commit(txn).await, self.right.commit(right).await);
        match (&left, &right) {
            (Ok(one), Ok(other)) if self.pair(one.version, other.version) => left,
            (Err(one), Err(other)) if self.same_failure(one, other) => left,
            _ => differ("commit", &left, &right),
        }
    }

    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        let _turn = self.turn.write().await;
        let (mut seen, mut decided) = (Vec::new(), Decision::Abort);
        let left = self
            .left
            .mutate(keys, &mut |found| {
                decided = decide(found);
                seen = found.to_vec();
                decided.clone()
            })
            .await;
        let decided = match decided {
            Decision::Abort => Decision::Abort,
            Decision::Commit(writes) => Decision::Commit(self.right_writes(&writes)),
        };
        let right = self
            .right
            .mutate(&self.right_keys(keys), &mut |found| {
                if !self.same_rows(&seen, found) {
                    differ("mutate", &seen, &found);
                }
                decided.clone()
            })
            .await;
        match (&left, &right) {
            (Ok(Some(one)), Ok(Some(other))) if self.pair(one.version, other.version) => left,
            (Ok(None), Ok(None)) => left,
            (Err(one), Err(other)) if self.same_failure(one, other) => left,
            _ => differ("mutate", &left, &right),
        }
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        let _turn = self.turn.read().await;
        let (left, right) = (self.left.resolve(id).await?, self.right.resolve(id).await?);
        match (left, right) {
            (Outcome::Committed(_), Outcome::NotCommitted) | (Outcome::NotCommitted, Outcome::Committed(_)) => {
                differ("resolve", &left, &right)
            }
            // How long a store remembers is its own affair.
            _ => Ok(left),
        }
    }

    /// Where a store may be cut is its own affair, too.
    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.left.splits(space, n).await
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let _turn = self.turn.write().await;
        let (right_from, right_to) = (self.right_place(space, from), self.right_place(space, to));
        self.left.delete_range(space, from, to).await?;
        self.right.delete_range(space, &right_from, &right_to).await
    }
}
