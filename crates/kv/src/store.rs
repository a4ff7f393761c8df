//! The contract that every backend keeps. It has nine methods and promises, for all of them:
//!
//! 1. `commit` takes effect whole or not at all, is durable before `Ok`, and is strictly serializable over its checks and
//!    writes. Versions are opaque and never reused, so a check cannot be fooled by a row that came back.
//! 2. `Level::Strong` reads are linearizable, and see only what a crash cannot take back. One `read` and one `scan` are one
//!    snapshot each (across parts where `caps` says so).
//! 3. Nothing is held between calls: no lock, no open transaction.
//! 4. A lost reply is `Unknown(id)`, never an error that looks like failure; the same id is never applied twice.
//! 5. A conflict carries the row that was found, so that nobody has to read again to explain it.
//! 6. What is too large is refused by `caps`, before anything is written.

#![deny(clippy::wildcard_enum_match_arm)]

use async_trait::async_trait;
use bytes::Bytes;

use crate::key::Key;
use crate::range::Range;
use crate::space::Space;

/// What a backend can do, and how much it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    /// One read of several parts is one snapshot.
    pub snapshot_across_parts: bool,
    /// A commit over several parts costs no more than one over a single part.
    pub commit_across_parts: bool,
    /// Bytes of a part.
    pub part_bytes_max: usize,
    /// Bytes of a sort position.
    pub sort_bytes_max: usize,
    /// Bytes of a value.
    pub value_bytes_max: usize,
    /// Writes of a commit.
    pub commit_writes_max: usize,
    /// Bytes of a commit, keys and values.
    pub commit_bytes_max: usize,
}

impl Caps {
    /// What every backend accepts at least, and the embedded ones exactly.
    pub const BASE: Caps = Caps {
        snapshot_across_parts: true,
        commit_across_parts: true,
        part_bytes_max: 10 * 1024,
        sort_bytes_max: 10 * 1024,
        value_bytes_max: 1024 * 1024,
        commit_writes_max: 16_384,
        commit_bytes_max: 64 * 1024 * 1024,
    };
}

/// How fresh a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Linearizable.
    Strong,
    /// May lag behind by a bounded time.
    Eventual,
}

/// The state of a row: another version means another state. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A row that a read met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its version; rows made by [`Write::Add`] all answer version 0 and cannot be checked.
    pub version: Version,
    /// Its value, shared with whoever else holds it.
    pub value: Bytes,
}

/// A row borrowed from a scan.
#[derive(Debug, Clone, Copy)]
pub struct RowRef<'a> {
    /// Part and sort, end to end.
    pub key: &'a [u8],
    /// The value.
    pub value: &'a [u8],
}

/// Whether a scan goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// With the next row.
    Next,
    /// No further.
    Stop,
}

/// Called for each row of a scan.
pub type Visitor<'v> = dyn for<'r> FnMut(RowRef<'r>) -> Visit + Send + 'v;

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets the value.
    Put(Key, Bytes),
    /// Removes the row, if there is one.
    Delete(Key),
    /// Puts a row behind every row that was appended before it: to the key its [`Stamp`] is added. A reader that has met
    /// such a row will never meet one with a lower stamp that it has not met. Not readable by its own commit.
    Append(Key, Bytes),
    /// Adds to the numbers that the row holds (little-endian i64s; a missing row is all zeros). Commutative: never a
    /// reason for a conflict. A row is either only ever added to (and deleted) or never.
    Add(Key, Vec<i64>),
}

/// Where a row was appended: the version of its commit, and its place among the commit's writes. The order of stamps is
/// the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp {
    /// Version of the commit.
    pub version: u64,
    /// Place among its writes.
    pub place: u32,
}

impl Stamp {
    /// Bytes of a stamp at the end of a key.
    pub const BYTES: usize = 12;

    /// The bytes, in an order that is that of stamps.
    pub fn to_bytes(self) -> [u8; Stamp::BYTES] {
        let mut bytes = [0; Stamp::BYTES];
        bytes[..8].copy_from_slice(&self.version.to_be_bytes());
        bytes[8..].copy_from_slice(&self.place.to_be_bytes());
        bytes
    }

    /// The stamp of these bytes.
    pub fn from_bytes(bytes: [u8; Stamp::BYTES]) -> Stamp {
        let (version, place) = bytes.split_at(8);
        Stamp {
            version: u64::from_be_bytes(version.try_into().expect("eight bytes")),
            place: u32::from_be_bytes(place.try_into().expect("four bytes")),
        }
    }

    /// The stamp at the end of a joined key.
    pub fn of_key(joined: &[u8]) -> Option<Stamp> {
        joined.last_chunk::<{ Stamp::BYTES }>().map(|bytes| Stamp::from_bytes(*bytes))
    }

    /// The next possible one.
    #[must_use]
    pub fn next(self) -> Stamp {
        match self.place.checked_add(1) {
            Some(place) => Stamp { place, ..self },
            None => Stamp { version: self.version + 1, place: 0 },
        }
    }
}

impl Write {
    /// The row's key; of an appended row, what stands in front of its stamp.
    pub fn key(&self) -> &Key {
        match self {
            Write::Put(key, _) | Write::Append(key, _) | Write::Delete(key) | Write::Add(key, _) => key,
        }
    }
}

/// What has to hold for a commit to take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The row is still in that state.
    Version(Key, Version),
    /// There is no such row.
    Absent(Key),
}

/// Names a commit, so that its fate can be asked for. Chosen at random by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TxnId(pub u128);

impl TxnId {
    /// What an unknown mutation answers in place of a name: there is nothing to ask for. No commit may be called so.
    pub const NAMELESS: TxnId = TxnId(0);
}

/// Checks and writes, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MiniTxn {
    /// Its name.
    pub id: TxnId,
    /// What has to hold.
    pub checks: Vec<Check>,
    /// What changes; each row at most once.
    pub writes: Vec<Write>,
}

/// Proof of a durable commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The version that its rows have now; ascending in commit order.
    pub version: Version,
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Committed(Version),
    /// It did not, and never will.
    NotCommitted,
    /// Too long ago to tell.
    Forgotten,
}

/// A commit that was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// A check failed; nothing was written.
    Conflict {
        /// The row whose check failed.
        key: Key,
        /// What was there.
        found: Option<Found>,
    },
    /// The reply was lost: ask [`Store::resolve`].
    Unknown(TxnId),
    /// Beyond `caps`; nothing was written. Names the limit.
    TooLarge(&'static str),
    /// Nothing was written.
    Store(StoreError),
}

/// The store cannot do its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A failed sync or write stopped the store for writing until it is restarted. Carries the first cause.
    ReadOnly(String),
    /// Stored bytes are damaged.
    Corrupt(String),
    /// The device or the system refused.
    Io(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreError::ReadOnly(cause) => write!(f, "the store takes no more writes until it is restarted: {cause}"),
            StoreError::Corrupt(cause) => write!(f, "stored data is damaged: {cause}"),
            StoreError::Io(cause) => write!(f, "storage failed: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> CommitError {
        CommitError::Store(error)
    }
}

/// What the deciding function of [`Store::mutate`] wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Write this, if what was read still holds.
    Commit(Vec<Write>),
    /// Write nothing.
    Abort,
}

/// Decides from the rows read (in the order of the keys) what to write. May be called again when a store had to retry, so
/// what it leaves behind must be overwritten by each call. It must be quick, and must not wait.
pub type Decide<'d> = dyn FnMut(&[Option<Found>]) -> Decision + Send + 'd;

/// Ordered bytes with one-shot transactions. See the head of this module for what every method promises.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Abilities and limits.
    fn caps(&self) -> &Caps;

    /// Point reads, answered in the order of the keys.
    async fn read(&self, keys: &[Key], level: Level) -> Result<Vec<Option<Found>>, StoreError>;

    /// Visits the rows of a range in order until the visitor says stop.
    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError>;

    /// Applies a transaction.
    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError>;

    /// Reads, lets `decide` say what to write, and commits it as if nothing could come in between; `None` if it aborted.
    /// Writes may go to rows that were not read.
    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError>;

    /// What became of a commit whose reply was lost.
    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError>;

    /// At most `n - 1` joined keys that cut a space into runs of similar weight.
    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Removes every row of a space from one joined key (inclusive) to another (exclusive), after all commits that were
    /// accepted before the call.
    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError>;
}
