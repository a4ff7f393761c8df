//! Latches: decisions on one key follow one another, decisions on different keys do not wait.
//!
//! What must stay true: latches are taken in one order, so that no two decisions wait for each other; they are let go when
//! the decision panics; none is held while the disk works.

use std::hash::{BuildHasher, RandomState};

use parking_lot::{Mutex, MutexGuard};

use crate::layout::Place;

/// Stripes; two keys that share one merely wait for each other.
const STRIPES: usize = 4096;

pub(crate) struct Latches {
    stripes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Latches {
    pub(crate) fn new() -> Latches {
        Latches { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }

    /// Takes the latches of some keys.
    pub(crate) fn take<'l, 'p>(&'l self, places: impl Iterator<Item = &'p Place>) -> Vec<MutexGuard<'l, ()>> {
        let mut stripes: Vec<usize> = places.map(|place| self.hasher.hash_one(&place.key) as usize % STRIPES).collect();
        stripes.sort_unstable();
        stripes.dedup();
        stripes.into_iter().map(|stripe| self.stripes[stripe].lock()).collect()
    }
}
