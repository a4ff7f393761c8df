//! The store's methods: what happens on the caller's side of the queue.
//!
//! What must stay true: reads take neither latch nor queue; a mutation's decision and its place in the queue are one step
//! under its latches.

#![deny(clippy::wildcard_enum_match_arm)]

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use futures_channel::oneshot;
use parking_lot::Mutex;
use rocksdb::{ColumnFamilyDescriptor, DB, ReadOptions};
use stator_kv::key::SPACE_BYTES;
use stator_kv::memory::check_caps;
use stator_kv::{
    Caps, Check, CommitError, Decide, Decision, Direction, Found, Key, Level, MiniTxn, Outcome, Profile, Range, Receipt, RowRef, Space,
    Store, StoreError, TxnId, Version, Visit, Visitor, Write,
};
use stator_planted::Fault;

use crate::committer::{Committer, Queue, family};
use crate::directory::{Directory, OpenError};
use crate::latch::Latches;
use crate::layout::{self, Place, VERSION_BYTES, VERSION_KEY};
use crate::options::{FAMILIES, RocksOptions, Shared};
use crate::recent::{Known, Recent};

/// Bytes read ahead in scans of dense rows.
const DENSE_READAHEAD_BYTES: usize = 1 << 20;

/// Rows of a scan after which the thread lets others run: a tenth of a millisecond, where the scheduler would wait for some.
const ROWS_PER_TURN: usize = 128;

/// Commits whose fate is remembered for [`Store::resolve`]; none is remembered across a restart.
const OUTCOMES_MAX: usize = 4096;

type Answer = oneshot::Receiver<Result<Version, ()>>;

/// Rows in RocksDB.
pub struct RocksStore {
    db: Arc<DB>,
    queue: Arc<Queue>,
    recent: Arc<Recent>,
    latches: Latches,
    outcomes: Mutex<Outcomes>,
    committer: Option<JoinHandle<()>>,
    caps: Caps,
    /// Last, because it notes what the engine has left behind.
    directory: Directory,
}

/// The fates of named commits.
#[derive(Default)]
struct Outcomes {
    by_id: HashMap<TxnId, Fate>,
    order: VecDeque<TxnId>,
}

/// What is known of a named commit.
#[derive(Clone, Copy)]
enum Fate {
    /// It has its place in the queue; whether it comes to the disk will show.
    Accepted(Version),
    /// It is on disk.
    Durable(Version),
}

/// What a decision came to, under its latches.
enum Decided {
    Queued(Answer),
    /// Nothing to write, but a queued value was looked at: answer when it is on disk.
    AbortedAfter(Answer),
    Aborted,
}

/// What a named commit came to, under its latches.
enum Named {
    Queued(Version, Answer),
    /// It had taken effect before.
    Durable(Version),
    /// A check failed on a value that is still queued: answer when that is on disk.
    RefusedAfter(CommitError, Answer),
}

impl RocksStore {
    /// Opens a data directory, making it if need be.
    pub fn open(path: &Path, options: &RocksOptions) -> Result<RocksStore, OpenError> {
        let mut directory = Directory::open(path)?;
        let engine_error = |error: rocksdb::Error| OpenError::Engine(path.to_owned(), error.to_string());
        let shared = Shared::new(options).map_err(engine_error)?;
        let families = FAMILIES.into_iter().map(|(profile, name)| ColumnFamilyDescriptor::new(name, shared.family(profile)));
        let db = DB::open_cf_descriptors(&shared.database(), &directory.engine, families).map_err(engine_error)?;
        let last_version = last_version(&db).map_err(|error| OpenError::Engine(path.to_owned(), error))?;
        directory.opened(last_version)?;
        let (db, recent) = (Arc::new(db), Arc::new(Recent::new(shared.recent_bytes())));
        let queue = Arc::new(Queue::new(last_version, Arc::clone(&recent)));
        let committer = Committer::new(Arc::clone(&db), Arc::clone(&queue));
        #[expect(clippy::disallowed_methods, reason = "the home of the committer's thread")]
        let thread = std::thread::Builder::new().name("stator-committer".into()).spawn(move || committer.run());
        let thread = thread.map_err(|error| OpenError::Io(path.to_owned(), error))?;
        Ok(RocksStore {
            db,
            queue,
            recent,
            latches: Latches::new(),
            outcomes: Mutex::default(),
            committer: Some(thread),
            caps: Caps::BASE,
            directory,
        })
    }

    /// A row as the database holds it.
    fn read_row(&self, place: Place) -> Result<Option<Found>, StoreError> {
        let ticket = match self.recent.get(&place) {
            Known::Settled(row) => return Ok(Some(row)),
            Known::Nothing(ticket) => ticket,
            Known::Pending(_) => None,
        };
        let row = self.read_stored(&place)?;
        if let (Some(ticket), Some(row)) = (ticket, &row) {
            self.recent.settle_read(place, ticket, row);
        }
        Ok(row)
    }

    fn read_stored(&self, place: &Place) -> Result<Option<Found>, StoreError> {
        let family = family(&self.db, place.profile).map_err(StoreError::Io)?;
        let raw = if Fault::SkipChecksum.is_planted() {
            self.db.get_pinned_cf_opt(family, &place.key, &unchecked(ReadOptions::default()))
        } else {
            self.db.get_pinned_cf(family, &place.key)
        };
        raw.map_err(io)?.map(|raw| layout::found(&raw).ok_or_else(|| corrupt(place))).transpose()
    }

    /// The newest state of a row, and whether it is still queued.
    fn newest(&self, place: &Place) -> Result<(Option<Found>, bool), StoreError> {
        match self.recent.get(place) {
            Known::Pending(row) => Ok((row, true)),
            Known::Settled(row) => Ok((Some(row), false)),
            Known::Nothing(_) => Ok((self.read_stored(place)?, false)),
        }
    }

    fn decide(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Decided, CommitError> {
        let places: Vec<Place> = keys.iter().map(Place::of).collect();
        let mut unread = Vec::new();
        loop {
            let mut latches = self.latches.take(places.iter().chain(&unread));
            let mut found = Vec::with_capacity(places.len());
            let mut looked_ahead = false;
            for place in &places {
                let (row, is_queued) = self.newest(place)?;
                looked_ahead |= is_queued;
                found.push(row);
            }
            let writes = match decide(&found) {
                Decision::Commit(writes) => writes,
                Decision::Abort if looked_ahead => return Ok(Decided::AbortedAfter(self.queue.accept(Vec::new())?.1)),
                Decision::Abort => return Ok(Decided::Aborted),
            };
            check_caps(&self.caps, &writes)?;
            let writes = placed(writes);
            // A row that is written unread may be under another's decision, which has to come wholly before or after.
            let is_latched = writes.iter().filter(|(_, write)| replaces(write)).all(|(place, _)| latches.try_also(place));
            if is_latched {
                return Ok(Decided::Queued(self.queue.accept(writes)?.1));
            }
            unread = writes.into_iter().filter(|(_, write)| replaces(write)).map(|(place, _)| place).collect();
        }
    }

    /// Puts a commit into the queue, unless it is there or on disk already.
    fn accept(&self, txn: MiniTxn) -> Result<Named, CommitError> {
        check_caps(&self.caps, &txn.writes)?;
        let checked = txn.checks.iter().map(|check| match check {
            Check::Version(key, _) | Check::Absent(key) => key,
        });
        let places: Vec<Place> = checked.chain(txn.writes.iter().map(Write::key)).map(Place::of).collect();
        let _latches = self.latches.take(places.iter());
        // Before the checks: those of a repetition may fail because of what the first one wrote.
        let known = self.outcomes.lock().by_id.get(&txn.id).copied();
        if let Some(fate) = known {
            return self.repeated(txn.id, fate);
        }
        for (check, place) in txn.checks.iter().zip(&places) {
            let (key, wanted) = match check {
                Check::Version(key, version) => (key, Some(*version)),
                Check::Absent(key) => (key, None),
            };
            let (found, is_queued) = self.newest(place)?;
            if found.as_ref().map(|found| found.version) != wanted {
                let conflict = CommitError::Conflict { key: key.clone(), found };
                return if is_queued { Ok(Named::RefusedAfter(conflict, self.queue.accept(Vec::new())?.1)) } else { Err(conflict) };
            }
        }
        let mut outcomes = self.outcomes.lock();
        // Again: a commit of that name over other rows may have come in between.
        if let Some(fate) = outcomes.by_id.get(&txn.id).copied() {
            drop(outcomes);
            return self.repeated(txn.id, fate);
        }
        let (version, answer) = self.queue.accept(placed(txn.writes))?;
        outcomes.remember(txn.id, Fate::Accepted(version));
        Ok(Named::Queued(version, answer))
    }

    fn repeated(&self, id: TxnId, fate: Fate) -> Result<Named, CommitError> {
        match fate {
            Fate::Durable(version) => Ok(Named::Durable(version)),
            // Whatever is accepted now reaches the disk no earlier than the first one.
            Fate::Accepted(version) => match self.queue.accept(Vec::new()) {
                Ok((_, answer)) => Ok(Named::Queued(version, answer)),
                Err(_) => Err(CommitError::Unknown(id)),
            },
        }
    }
}

/// Whether a write sets what decisions and checks look at. Sums and appended rows are for neither.
fn replaces(write: &Write) -> bool {
    matches!(write, Write::Put(..) | Write::Delete(_))
}

fn placed(writes: Vec<Write>) -> Vec<(Place, Write)> {
    writes.into_iter().map(|write| (Place::of(write.key()), write)).collect()
}

fn io(error: rocksdb::Error) -> StoreError {
    use rocksdb::ErrorKind;
    match error.kind() {
        ErrorKind::Corruption => StoreError::Corrupt(error.into_string()),
        ErrorKind::NotFound
        | ErrorKind::NotSupported
        | ErrorKind::InvalidArgument
        | ErrorKind::IOError
        | ErrorKind::MergeInProgress
        | ErrorKind::Incomplete
        | ErrorKind::ShutdownInProgress
        | ErrorKind::TimedOut
        | ErrorKind::Aborted
        | ErrorKind::Busy
        | ErrorKind::Expired
        | ErrorKind::TryAgain
        | ErrorKind::CompactionTooLarge
        | ErrorKind::ColumnFamilyDropped
        | ErrorKind::Unknown => StoreError::Io(error.into_string()),
    }
}

/// The last version that was written.
fn last_version(db: &DB) -> Result<u64, String> {
    match db.get(VERSION_KEY).map_err(rocksdb::Error::into_string)? {
        None => Ok(0),
        Some(bytes) => bytes.try_into().map(u64::from_le_bytes).map_err(|_| "the last version cannot be read".to_owned()),
    }
}

/// Options that do without checksums where that fault is planted.
fn unchecked(mut options: ReadOptions) -> ReadOptions {
    if Fault::SkipChecksum.is_planted() {
        options.set_verify_checksums(false);
    }
    options
}

fn corrupt(place: &Place) -> StoreError {
    StoreError::Corrupt(format!("the row at {:02x?} has no version", place.key))
}

async fn wait(answer: Answer, id: TxnId) -> Result<Receipt, CommitError> {
    match answer.await {
        Ok(Ok(version)) => Ok(Receipt { version }),
        // The batch failed, or the committer is gone: what reached the disk is known after a restart.
        Ok(Err(())) | Err(oneshot::Canceled) => Err(CommitError::Unknown(id)),
    }
}

#[async_trait]
impl Store for RocksStore {
    fn caps(&self) -> &Caps {
        &self.caps
    }

    async fn read(&self, keys: &[Key], _level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        if let [key] = keys {
            return Ok(vec![self.read_row(Place::of(key))?]);
        }
        let snapshot = self.db.snapshot();
        let read = |key: &Key| {
            let place = Place::of(key);
            let family = family(&self.db, place.profile).map_err(StoreError::Io)?;
            let mut options = unchecked(ReadOptions::default());
            options.set_snapshot(&snapshot);
            let raw = self.db.get_pinned_cf_opt(family, &place.key, &options).map_err(io)?;
            raw.map(|raw| layout::found(&raw).ok_or_else(|| corrupt(&place))).transpose()
        };
        keys.iter().map(read).collect()
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        let (lower, upper) = layout::raw_bounds(range);
        if lower >= upper {
            return Ok(());
        }
        let family = family(&self.db, range.space().profile).map_err(StoreError::Io)?;
        let mut options = unchecked(ReadOptions::default());
        options.set_iterate_lower_bound(lower);
        options.set_iterate_upper_bound(upper);
        if range.space().profile == Profile::Dense {
            // Long scans would drive everything else out of the cache, and find nothing of their own there the next time.
            options.fill_cache(false);
            options.set_readahead_size(DENSE_READAHEAD_BYTES);
        }
        let mut rows = self.db.raw_iterator_cf_opt(family, options);
        let forward = range.direction() == Direction::Forward;
        if forward {
            rows.seek_to_first();
        } else {
            rows.seek_to_last();
        }
        let mut visited = 0_usize;
        while let Some((key, raw)) = rows.item() {
            visited += 1;
            if visited.is_multiple_of(ROWS_PER_TURN) {
                std::thread::yield_now();
            }
            let value = raw.get(VERSION_BYTES..).ok_or_else(|| StoreError::Corrupt(format!("the row at {key:02x?} has no version")))?;
            if visit(RowRef { key: &key[SPACE_BYTES..], value }) == Visit::Stop {
                return Ok(());
            }
            if forward { rows.next() } else { rows.prev() }
        }
        rows.status().map_err(io)
    }

    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError> {
        let id = txn.id;
        match self.accept(txn)? {
            Named::Durable(version) => Ok(Receipt { version }),
            Named::Queued(version, answer) => {
                wait(answer, id).await?;
                self.outcomes.lock().remember(id, Fate::Durable(version));
                Ok(Receipt { version })
            }
            Named::RefusedAfter(conflict, answer) => match answer.await {
                Ok(Ok(_)) => Err(conflict),
                Ok(Err(())) | Err(oneshot::Canceled) => Err(StoreError::Io("writing failed beside a refused commit".into()).into()),
            },
        }
    }

    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        match self.decide(keys, decide)? {
            Decided::Queued(answer) => wait(answer, TxnId::NAMELESS).await.map(Some),
            Decided::AbortedAfter(answer) => wait(answer, TxnId::NAMELESS).await.map(|_| None),
            Decided::Aborted => Ok(None),
        }
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        let known = self.outcomes.lock().by_id.get(&id).copied();
        match known {
            None => Ok(Outcome::Forgotten),
            Some(Fate::Durable(version)) => Ok(Outcome::Committed(version)),
            Some(Fate::Accepted(version)) => match self.queue.accept(Vec::new())?.1.await {
                Ok(Ok(_)) => Ok(Outcome::Committed(version)),
                Ok(Err(())) | Err(oneshot::Canceled) => Err(StoreError::Io("writing failed: a restart will show".into())),
            },
        }
    }

    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let name = FAMILIES.into_iter().find(|(profile, _)| *profile == space.profile).map_or("", |(_, name)| name);
        let files = self.db.live_files().map_err(io)?;
        let starts = files.into_iter().filter(|file| file.column_family_name == name).filter_map(|file| file.start_key);
        let mut cuts: Vec<Vec<u8>> = starts.filter_map(|key| key.strip_prefix(&space.id.to_be_bytes()).map(<[u8]>::to_vec)).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let step = cuts.len().div_ceil(n.max(1)).max(1);
        Ok(cuts.into_iter().step_by(step).skip(1).collect())
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let (_, answer) = self.queue.accept_range(space.profile, layout::raw_key(space, from), layout::raw_key(space, to))?;
        match answer.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(())) | Err(oneshot::Canceled) => Err(StoreError::Io("a range was not deleted: writing failed".into())),
        }
    }
}

impl Outcomes {
    fn remember(&mut self, id: TxnId, fate: Fate) {
        if self.by_id.insert(id, fate).is_some() {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > OUTCOMES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}

impl Drop for RocksStore {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.committer.take()
            && thread.join().is_err()
        {
            tracing::error!("the committer ended in a panic");
        }
        if self.queue.has_failed() {
            return;
        }
        if let Ok(version) = last_version(&self.db) {
            self.directory.ends_at(version);
        }
    }
}
