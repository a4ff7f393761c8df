//! Latches: decisions on one key follow one another, decisions on different keys do not wait.
//!
//! What must stay true: latches are taken in one order, so that no two decisions wait for each other; they are let go when
//! the decision panics; none is held while the disk works.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use parking_lot::{Mutex, MutexGuard};
use stator_planted::Fault;

use crate::layout::Place;

/// Stripes; two keys that share one merely wait for each other.
const STRIPES: usize = 4096;

pub(crate) struct Latches {
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Latches {
    pub(crate) fn new() -> Latches {
        Latches { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(), hasher: RandomState::default() }
    }

    /// Takes the latches of some keys.
    pub(crate) fn take<'l, 'p>(&'l self, places: impl Iterator<Item = &'p Place>) -> Held<'l> {
        let mut stripes: Vec<usize> = places.map(|place| self.stripe(place)).collect();
        stripes.sort_unstable();
        stripes.dedup();
        if Fault::SkipLatch.is_planted() {
            stripes.clear();
        }
        let guards = stripes.iter().map(|stripe| self.stripes[*stripe].lock()).collect();
        Held { latches: self, stripes, guards }
    }

    fn stripe(&self, place: &Place) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "any bits of a hash choose a stripe")]
        let hash = self.hasher.hash_one(&place.key) as usize;
        hash % STRIPES
    }
}

/// Latches that are held.
pub(crate) struct Held<'l> {
    latches: &'l Latches,
    stripes: Vec<usize>,
    guards: Vec<MutexGuard<'l, ()>>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if Fault::KeepLatch.is_planted() && std::thread::panicking() {
            self.guards.drain(..).for_each(std::mem::forget);
        }
    }
}

impl Held<'_> {
    /// Takes the latch of one key more, if it can be had at once: waiting for it here would be out of order.
    pub(crate) fn try_also(&mut self, place: &Place) -> bool {
        let stripe = self.latches.stripe(place);
        if self.stripes.contains(&stripe) {
            return true;
        }
        let Some(guard) = self.latches.stripes[stripe].try_lock() else { return false };
        self.stripes.push(stripe);
        self.guards.push(guard);
        true
    }
}
