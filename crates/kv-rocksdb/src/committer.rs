//! The one thread that writes: it drains the queue into one batch, syncs once, and wakes everybody in it.
//!
//! While the disk syncs one batch, the next one fills. Versions are given out under the queue's lock, so their order is the
//! order of commits. Counters (rows that are added to) are only ever written here; their sums are kept in memory and each
//! touched one is written once per batch.
//!
//! What must stay true: a waiter is woken after the sync of its batch, in the order of the queue. The first failure or panic ends
//! all writing: those in the failed batch are told that the outcome is unknown, everybody after them that nothing happened.

use std::collections::HashMap;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use foldhash::fast::RandomState;
use futures_channel::oneshot;
use parking_lot::{Condvar, Mutex};
use rocksdb::{ColumnFamily, DB, WriteBatch, WriteOptions};
use stator_kv::memory::add;
use stator_kv::{Found, Profile, Stamp, StoreError, Version, Write};
use stator_planted::Fault;

use crate::layout::{Place, VERSION_BYTES, VERSION_KEY, raw_value};
use crate::options::FAMILIES;
use crate::recent::Recent;

/// Bytes of values after which a batch is closed; what is left goes into the next one.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// What a planted leak loses with each batch.
const LEAK_BYTES: usize = 64 << 10;

/// What a row of a batch takes beside its key and value: kind, family, lengths, version, stamp.
const ROW_BYTES: usize = 32;

/// Sums held in memory at most; others are read again when they are added to.
const COUNTERS_MAX: usize = 4096;

/// What a waiter hears: the version, or that the fate of its commit is unknown.
type Waiter = oneshot::Sender<Result<Version, ()>>;
/// A place in the queue: its version, and the other end of its waiter.
pub(crate) type Accepted = (Version, oneshot::Receiver<Result<Version, ()>>);

/// One accepted transaction.
struct Queued {
    version: Version,
    change: Change,
    waiter: Waiter,
}

/// What becomes of a row.
enum RowChange {
    Put(Bytes),
    Delete,
    Append(Bytes),
    Add(Vec<i64>),
}

enum Change {
    Writes(Vec<(Place, RowChange)>),
    DeleteRange { profile: Profile, from: Vec<u8>, to: Vec<u8> },
}

impl Change {
    /// About what it takes in a batch.
    fn bytes(&self) -> usize {
        match self {
            Change::Writes(writes) => writes.iter().map(|(place, change)| ROW_BYTES + place.key.len() + change.value_bytes()).sum(),
            Change::DeleteRange { from, to, .. } => ROW_BYTES + from.len() + to.len(),
        }
    }
}

impl RowChange {
    fn of(write: Write) -> RowChange {
        match write {
            Write::Put(_, value) => RowChange::Put(value),
            Write::Delete(_) => RowChange::Delete,
            Write::Append(_, value) => RowChange::Append(value),
            Write::Add(_, deltas) => RowChange::Add(deltas),
        }
    }

    fn value_bytes(&self) -> usize {
        match self {
            RowChange::Put(value) | RowChange::Append(value) => value.len(),
            RowChange::Delete | RowChange::Add(_) => 16,
        }
    }
}

#[derive(Default)]
struct Lines {
    queued: Vec<Queued>,
    last_version: u64,
    closed: bool,
}

/// The queue in front of the committer.
pub(crate) struct Queue {
    lines: Mutex<Lines>,
    arrived: Condvar,
    failure: OnceLock<String>,
    recent: Arc<Recent>,
}

impl Queue {
    pub(crate) fn new(last_version: u64, recent: Arc<Recent>) -> Queue {
        let lines = Lines { last_version, ..Lines::default() };
        Queue { lines: Mutex::new(lines), arrived: Condvar::new(), failure: OnceLock::new(), recent }
    }

    /// Accepts writes. No writes at all wait for everything accepted before.
    pub(crate) fn accept(&self, writes: Vec<(Place, Write)>) -> Result<Accepted, StoreError> {
        self.push(|version, recent| {
            let queue = |(place, write): (Place, Write)| {
                let change = RowChange::of(write);
                match &change {
                    RowChange::Put(value) => recent.put(place.clone(), version, Some(Found { version, value: value.clone() })),
                    RowChange::Delete => recent.put(place.clone(), version, None),
                    // Nobody decides on these.
                    RowChange::Add(_) | RowChange::Append(_) => {}
                }
                (place, change)
            };
            Change::Writes(writes.into_iter().map(queue).collect())
        })
    }

    /// Accepts the deletion of a range. The engine takes a range that ends before it begins for a failure, so it gets none.
    pub(crate) fn accept_range(&self, profile: Profile, from: Vec<u8>, to: Vec<u8>) -> Result<Accepted, StoreError> {
        self.push(|_, recent| {
            if from >= to {
                return Change::Writes(Vec::new());
            }
            recent.put_range();
            Change::DeleteRange { profile, from, to }
        })
    }

    /// Lets the committer finish what is queued, and end.
    pub(crate) fn close(&self) {
        self.lines.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Whether writing has ended because a write failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// Queues a change, which `make` makes once its version is known.
    fn push(&self, make: impl FnOnce(Version, &Recent) -> Change) -> Result<Accepted, StoreError> {
        let (waiter, answer) = oneshot::channel();
        let mut lines = self.lines.lock();
        if let Some(cause) = self.failure.get() {
            return Err(StoreError::ReadOnly(cause.clone()));
        }
        lines.last_version += 1;
        let version = Version(lines.last_version);
        let change = make(version, &self.recent);
        lines.queued.push(Queued { version, change, waiter });
        drop(lines);
        self.arrived.notify_one();
        Ok((version, answer))
    }

    /// Everything queued now, or nothing once closed.
    fn drain(&self) -> Vec<Queued> {
        let mut lines = self.lines.lock();
        while lines.queued.is_empty() && !lines.closed {
            self.arrived.wait(&mut lines);
        }
        std::mem::take(&mut lines.queued)
    }

    fn fail(&self, cause: &str) {
        // Under the lock, so that nothing is accepted after the failure and before it shows.
        let lines = self.lines.lock();
        if self.failure.set(cause.to_owned()).is_ok() {
            tracing::error!(
                cause,
                "writing to the data directory failed: no write will be acknowledged until a restart. Check the disk (space, health), then restart stator"
            );
        }
        drop(lines);
    }
}

/// A sum as it will be, and the turn in which it was added to last.
struct Counter {
    sum: Vec<u8>,
    turn: u64,
}

/// What one batch does to counters.
#[derive(Default)]
struct Counting<'b> {
    /// Those whose sum is to be written.
    touched: Vec<&'b Place>,
    /// Rows that the batch deletes: the database still shows them while the batch is made.
    deleted: Vec<&'b Place>,
    ranges: Vec<(Profile, &'b [u8], &'b [u8])>,
}

impl Counting<'_> {
    fn has_deleted(&self, place: &Place) -> bool {
        self.deleted.contains(&place) || self.ranges.iter().any(|(profile, from, to)| lies_in(place, *profile, from, to))
    }
}

fn lies_in(place: &Place, profile: Profile, from: &[u8], to: &[u8]) -> bool {
    place.profile == profile && place.key[..] >= *from && place.key[..] < *to
}

/// The committer's own state.
pub(crate) struct Committer {
    db: Arc<DB>,
    queue: Arc<Queue>,
    counters: HashMap<Place, Counter, RandomState>,
    /// Counts how often touched counters were written.
    turn: u64,
    /// The stored form of the value that is being put.
    scratch: Vec<u8>,
}

impl Committer {
    pub(crate) fn new(db: Arc<DB>, queue: Arc<Queue>) -> Committer {
        Committer { db, queue, counters: HashMap::default(), turn: 0, scratch: Vec::new() }
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let mut drained = self.queue.drain();
            if drained.is_empty() {
                return;
            }
            while !drained.is_empty() {
                let taken = batch_len(&drained);
                let rest = drained.split_off(taken);
                // Those in the batch hear that its fate is unknown, because their waiters go with it.
                if catch_unwind(AssertUnwindSafe(|| self.commit(drained))).is_err() {
                    self.queue.fail("the thread that writes panicked");
                }
                drained = rest;
            }
        }
    }

    fn commit(&mut self, batch: Vec<Queued>) {
        if self.queue.failure.get().is_some() {
            tell_unknown(batch);
            return;
        }
        if Fault::LeakMemory.is_planted() {
            // An optimized build drops an allocation that nobody looks at, leak and all.
            black_box(vec![1_u8; LEAK_BYTES].leak());
        }
        match self.write(&batch) {
            Ok(()) => self.acknowledge(batch),
            Err(_) if Fault::IgnoreFailedSync.is_planted() => self.acknowledge(batch),
            Err(cause) => {
                self.queue.fail(&cause);
                tell_unknown(batch);
            }
        }
    }

    /// First all rows, then all waiters: whoever is woken wants this core.
    fn acknowledge(&self, batch: Vec<Queued>) {
        let mut waiters = Vec::with_capacity(batch.len());
        for Queued { version, change, waiter } in batch {
            self.settle(change, version);
            waiters.push((waiter, version));
        }
        for (waiter, version) in waiters {
            // A waiter that has gone away does not mind.
            let _ = waiter.send(Ok(version));
        }
    }

    fn settle(&self, change: Change, version: Version) {
        match change {
            Change::Writes(writes) => {
                for (place, change) in writes {
                    if matches!(change, RowChange::Put(_) | RowChange::Delete) {
                        self.queue.recent.settle(place, version);
                    }
                }
            }
            Change::DeleteRange { profile, from, to } => {
                self.queue.recent.settle_range(|place| lies_in(place, profile, &from, &to));
            }
        }
    }

    fn write(&mut self, batch: &[Queued]) -> Result<(), String> {
        assert!(!Fault::PanicInCommit.strikes(), "a planted panic");
        let db = Arc::clone(&self.db);
        let mut rows = Rows::with_room_for(&db, batch)?;
        let mut counting = Counting::default();
        for queued in batch {
            match &queued.change {
                Change::Writes(_) if Fault::DropWrite.strikes() => {}
                Change::Writes(writes) => {
                    for (at, (place, change)) in (0_u32..).zip(writes) {
                        let stamp = Stamp { version: queued.version.0, place: at };
                        self.put_write(&mut rows, &mut counting, stamp, place, change)?;
                    }
                }
                Change::DeleteRange { profile, from, to } => {
                    self.put_counters(&mut rows, &mut counting);
                    rows.batch.delete_range_cf(rows.families.of_profile(*profile), from, to);
                    self.counters.retain(|place, _| !lies_in(place, *profile, from, to));
                    counting.ranges.push((*profile, from, to));
                }
            }
        }
        self.put_counters(&mut rows, &mut counting);
        let Rows { batch: mut rows, .. } = rows;
        if rows.is_empty() {
            return Ok(());
        }
        let last = batch.last().map_or(0, |queued| queued.version.0);
        rows.put(VERSION_KEY, last.to_le_bytes());
        let mut options = WriteOptions::default();
        options.set_sync(!Fault::SkipSync.is_planted());
        self.db.write_opt(rows, &options).map_err(|error| error.to_string())?;
        // Every sum is in the database now.
        if self.counters.len() > COUNTERS_MAX {
            self.counters.clear();
        }
        Ok(())
    }

    fn put_write<'b>(
        &mut self,
        rows: &mut Rows<'_>,
        counting: &mut Counting<'b>,
        stamp: Stamp,
        place: &'b Place,
        change: &RowChange,
    ) -> Result<(), String> {
        let family = rows.families.of_profile(place.profile);
        let version = Version(stamp.version);
        match change {
            RowChange::Put(value) => rows.batch.put_cf(family, &place.key, raw_value(&mut self.scratch, version, value)),
            RowChange::Append(value) => {
                rows.batch.put_cf(family, [&place.key, stamp.to_bytes().as_slice()].concat(), raw_value(&mut self.scratch, version, value));
            }
            RowChange::Delete => {
                self.counters.remove(place);
                counting.touched.retain(|counter| *counter != place);
                counting.deleted.push(place);
                rows.batch.delete_cf(family, &place.key);
            }
            RowChange::Add(deltas) => {
                if let Some(counter) = self.counters.get_mut(place) {
                    counter.sum = add(&counter.sum, deltas);
                    if std::mem::replace(&mut counter.turn, self.turn) != self.turn {
                        counting.touched.push(place);
                    }
                    return Ok(());
                }
                let begin = if counting.has_deleted(place) { Vec::new() } else { stored_counter(&self.db, family, place)? };
                self.counters.insert(place.clone(), Counter { sum: add(&begin, deltas), turn: self.turn });
                counting.touched.push(place);
            }
        }
        Ok(())
    }

    fn put_counters(&mut self, rows: &mut Rows<'_>, counting: &mut Counting<'_>) {
        self.turn += 1;
        for place in counting.touched.drain(..) {
            if let Some(Counter { sum, .. }) = self.counters.get(place) {
                rows.batch.put_cf(rows.families.of_profile(place.profile), &place.key, raw_value(&mut self.scratch, Version(0), sum));
            }
        }
    }
}

fn tell_unknown(batch: Vec<Queued>) {
    for queued in batch {
        let _ = queued.waiter.send(Err(()));
    }
}

fn stored_counter(db: &DB, family: &ColumnFamily, place: &Place) -> Result<Vec<u8>, String> {
    let stored = db.get_cf(family, &place.key).map_err(|error| error.to_string())?;
    Ok(stored.and_then(|raw| raw.get(VERSION_BYTES..).map(<[u8]>::to_vec)).unwrap_or_default())
}

/// A batch for the engine, in the making.
struct Rows<'d> {
    batch: WriteBatch,
    families: Families<'d>,
}

impl<'d> Rows<'d> {
    fn with_room_for(db: &'d DB, queued: &[Queued]) -> Result<Rows<'d>, String> {
        let bytes = queued.iter().map(|queued| queued.change.bytes()).sum();
        Ok(Rows { batch: WriteBatch::with_capacity_bytes(bytes), families: Families::of(db)? })
    }
}

/// The column families, in the order of [`FAMILIES`]: the engine finds one by its name each time.
struct Families<'d>([&'d ColumnFamily; FAMILIES.len()]);

impl<'d> Families<'d> {
    fn of(db: &'d DB) -> Result<Families<'d>, String> {
        let mut found = [family(db, FAMILIES[0].0)?; FAMILIES.len()];
        for (place, (profile, _)) in found.iter_mut().zip(FAMILIES) {
            *place = family(db, profile)?;
        }
        Ok(Families(found))
    }

    fn of_profile(&self, profile: Profile) -> &'d ColumnFamily {
        let at = FAMILIES.iter().position(|(known, _)| *known == profile);
        self.0[at.expect("every profile has its family")]
    }
}

/// The column family of a profile.
pub(crate) fn family(db: &DB, profile: Profile) -> Result<&ColumnFamily, String> {
    let name = FAMILIES.into_iter().find(|(known, _)| *known == profile).map_or("", |(_, name)| name);
    db.cf_handle(name).ok_or_else(|| format!("there is no column family {name}"))
}

fn batch_len(queued: &[Queued]) -> usize {
    let mut bytes = 0;
    let fits = |queued: &&Queued| {
        bytes += queued.change.bytes();
        bytes <= BATCH_BYTES_MAX
    };
    queued.iter().take_while(fits).count().max(1)
}
