//! Values that are queued for the disk but not there yet, for decisions on the same key.
//!
//! What must stay true: an entry is made before its latch is let go, and removed only after its batch is readable from the
//! database; so whoever holds the latch finds the newest value in one of the two.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use parking_lot::Mutex;
use stator_kv::{Found, Version};

use crate::layout::Place;

const SHARDS: usize = 64;

/// A queued value: `None` for a deletion.
struct Pending {
    version: Version,
    value: Option<Vec<u8>>,
}

pub(crate) struct Overlay {
    shards: Vec<Mutex<HashMap<Place, Pending>>>,
    hasher: RandomState,
}

impl Overlay {
    pub(crate) fn new() -> Overlay {
        Overlay { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// The queued state of a row; `None` if nothing is queued for it.
    pub(crate) fn get(&self, place: &Place) -> Option<Option<Found>> {
        let shard = self.shard(place).lock();
        let pending = shard.get(place)?;
        Some(pending.value.as_ref().map(|value| Found { version: pending.version, value: value.clone() }))
    }

    /// Notes what is queued for a row.
    pub(crate) fn put(&self, place: Place, version: Version, value: Option<Vec<u8>>) {
        self.shard(&place).lock().insert(place, Pending { version, value });
    }

    /// Forgets what was queued at a version, unless something newer is queued by now.
    pub(crate) fn settle(&self, place: &Place, version: Version) {
        let mut shard = self.shard(place).lock();
        if shard.get(place).is_some_and(|pending| pending.version == version) {
            shard.remove(place);
        }
    }

    fn shard(&self, place: &Place) -> &Mutex<HashMap<Place, Pending>> {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash choose a shard")]
        let hash = self.hasher.hash_one(place) as usize;
        &self.shards[hash % SHARDS]
    }
}
