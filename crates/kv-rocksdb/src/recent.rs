//! Rows in memory: what is queued for the disk, for decisions; and what was lately written or read, for everybody.
//!
//! ```text
//!   accepted ──► pending ── its batch is in the database ──► settled ◄── a read found it in the database
//! ```
//!
//! What must stay true: a row is pending before its latch is let go, and until its batch is readable from the database, so
//! that whoever holds the latch finds the newest value. A settled row is what the database holds: while a row is pending,
//! nobody is answered from here but decisions, and what a read found is thrown away when any write came to its shard in
//! between. Rows of version 0, which are added to, and rows under a range that is being deleted are never answered from here.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::unsync::Cache;
use stator_kv::{Found, Profile, Version};

use crate::layout::Place;

const SHARDS: usize = 64;
/// What an entry takes beside its key and value: two tables' slots, the headers of its allocations.
const ENTRY_BYTES: u64 = 160;
/// An ordinary item, for the first size of the tables.
const ITEM_BYTES: usize = 1024;

/// A queued value: `None` for a deletion.
struct Pending {
    version: Version,
    row: Option<Found>,
}

/// What is known of a row.
pub(crate) enum Known {
    /// It is queued in this state.
    Pending(Option<Found>),
    /// The database holds this.
    Settled(Found),
    /// The database has to be asked; what it answers may be told here with the ticket.
    Nothing(Option<Ticket>),
}

/// The state of a shard when a read began.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    writes: u64,
}

struct Shard {
    pending: HashMap<Place, Pending, RandomState>,
    settled: Cache<Place, Found, Bytes, RandomState>,
    /// Writes so far.
    writes: u64,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<Place, Found> for Bytes {
    fn weight(&self, place: &Place, row: &Found) -> u64 {
        ENTRY_BYTES + (place.key.len() + row.value.len()) as u64
    }
}

/// Items are read by their keys again and again; entries and records are met in scans, which do not look here.
fn is_kept(place: &Place) -> bool {
    place.profile == Profile::Rows
}

pub(crate) struct Recent {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    /// Ranges that are queued to be deleted.
    ranges: AtomicUsize,
}

impl Recent {
    /// Holds settled rows of so many bytes; pending ones as they come.
    pub(crate) fn new(bytes: usize) -> Recent {
        let hasher = RandomState::default();
        let shard = || {
            let (items, bytes) = (bytes / SHARDS / ITEM_BYTES, (bytes / SHARDS) as u64);
            let settled = Cache::with(items, bytes, Bytes, hasher.clone(), quick_cache::unsync::DefaultLifecycle::default());
            Mutex::new(Shard { pending: HashMap::with_hasher(hasher.clone()), settled, writes: 0 })
        };
        Recent { shards: (0..SHARDS).map(|_| shard()).collect(), hasher: hasher.clone(), ranges: AtomicUsize::new(0) }
    }

    /// What is known of a row.
    pub(crate) fn get(&self, place: &Place) -> Known {
        let shard = self.shard(place).lock();
        if let Some(pending) = shard.pending.get(place) {
            return Known::Pending(pending.row.clone());
        }
        // A range that is accepted later than this look is deleted later than it, too.
        if self.ranges.load(Ordering::Acquire) > 0 {
            return Known::Nothing(None);
        }
        match shard.settled.get(place) {
            Some(row) => Known::Settled(row.clone()),
            None => Known::Nothing(Some(Ticket { writes: shard.writes })),
        }
    }

    /// Tells what the database answered.
    pub(crate) fn settle_read(&self, place: Place, ticket: Ticket, row: &Found) {
        if row.version == Version(0) || !is_kept(&place) {
            return;
        }
        let mut shard = self.shard(&place).lock();
        if shard.writes == ticket.writes && self.ranges.load(Ordering::Acquire) == 0 {
            shard.settled.insert(place, row.clone());
        }
    }

    /// Notes what is queued for a row.
    pub(crate) fn put(&self, place: Place, version: Version, row: Option<Found>) {
        let mut shard = self.shard(&place).lock();
        shard.writes += 1;
        shard.settled.remove(&place);
        shard.pending.insert(place, Pending { version, row });
    }

    /// The batch with this state of a row is in the database.
    pub(crate) fn settle(&self, place: Place, version: Version) {
        let mut shard = self.shard(&place).lock();
        if shard.pending.get(&place).is_none_or(|pending| pending.version != version) {
            return;
        }
        if let Some(row) = shard.pending.remove(&place).and_then(|pending| pending.row)
            && is_kept(&place)
        {
            shard.settled.insert(place, row);
        }
    }

    /// A range is queued to be deleted.
    pub(crate) fn put_range(&self) {
        self.ranges.fetch_add(1, Ordering::AcqRel);
        self.shards.iter().for_each(|shard| shard.lock().writes += 1);
    }

    /// The rows of a range are gone from the database.
    pub(crate) fn settle_range(&self, is_inside: impl Fn(&Place) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.writes += 1;
            shard.settled.retain(|place, _| !is_inside(place));
        }
        self.ranges.fetch_sub(1, Ordering::AcqRel);
    }

    fn shard(&self, place: &Place) -> &Mutex<Shard> {
        let hash = (self.hasher.hash_one(place) >> 32) as usize;
        &self.shards[hash % SHARDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Place {
        Place { profile: Profile::Rows, key: key.as_bytes().to_vec().into() }
    }

    fn row(version: u64) -> Found {
        Found { version: Version(version), value: b"value".to_vec().into() }
    }

    fn ticket(recent: &Recent, place: &Place) -> Ticket {
        match recent.get(place) {
            Known::Nothing(Some(ticket)) => ticket,
            _ => panic!("something is known of the row, or nothing may be told"),
        }
    }

    fn settled(recent: &Recent, place: &Place) -> Option<u64> {
        match recent.get(place) {
            Known::Settled(row) => Some(row.version.0),
            Known::Pending(_) | Known::Nothing(_) => None,
        }
    }

    #[test]
    fn a_row_is_answered_once_it_is_settled() {
        let (recent, place) = (Recent::new(1 << 20), place("a"));
        recent.put(place.clone(), Version(1), Some(row(1)));
        assert_eq!(settled(&recent, &place), None);
        recent.settle(place.clone(), Version(1));
        assert_eq!(settled(&recent, &place), Some(1));
        recent.put(place.clone(), Version(2), Some(row(2)));
        recent.put(place.clone(), Version(3), None);
        recent.settle(place.clone(), Version(2));
        assert!(matches!(recent.get(&place), Known::Pending(None)));
        recent.settle(place.clone(), Version(3));
        assert!(matches!(recent.get(&place), Known::Nothing(Some(_))));
    }

    #[test]
    fn what_a_read_found_is_thrown_away_if_a_write_came_in_between() {
        let (recent, place) = (Recent::new(1 << 20), place("a"));
        let early = ticket(&recent, &place);
        recent.put(place.clone(), Version(2), None);
        recent.settle(place.clone(), Version(2));
        recent.settle_read(place.clone(), early, &row(1));
        assert_eq!(settled(&recent, &place), None);
        recent.settle_read(place.clone(), ticket(&recent, &place), &row(1));
        assert_eq!(settled(&recent, &place), Some(1));
    }

    #[test]
    fn rows_that_are_added_to_are_not_kept() {
        let (recent, place) = (Recent::new(1 << 20), place("a"));
        recent.settle_read(place.clone(), ticket(&recent, &place), &row(0));
        assert_eq!(settled(&recent, &place), None);
    }

    #[test]
    fn nothing_is_answered_from_here_while_a_range_is_being_deleted() {
        let (recent, inside, outside) = (Recent::new(1 << 20), place("a"), place("b"));
        let early = ticket(&recent, &inside);
        for place in [&inside, &outside] {
            recent.settle_read(place.clone(), ticket(&recent, place), &row(1));
        }
        recent.put_range();
        assert!(matches!(recent.get(&outside), Known::Nothing(None)));
        recent.settle_range(|place| place.key == b"a"[..]);
        assert_eq!((settled(&recent, &inside), settled(&recent, &outside)), (None, Some(1)));
        recent.settle_read(inside.clone(), early, &row(1));
        assert_eq!(settled(&recent, &inside), None);
    }

    #[test]
    fn the_rows_take_no_more_than_they_may() {
        let recent = Recent::new(1 << 20);
        for key in 0..10_000 {
            let place = place(&key.to_string());
            recent.put(place.clone(), Version(1), Some(Found { version: Version(1), value: vec![0; 1000].into() }));
            recent.settle(place, Version(1));
        }
        let kept: u64 = recent.shards.iter().map(|shard| shard.lock().settled.weight()).sum();
        assert!((1 << 19..=1 << 20).contains(&kept), "{kept}");
    }
}
