//! When to try again what has failed or panicked.
//!
//! An attempt is noted before it is made and forgotten when it has ended well. So a panic, which comes back to nobody here,
//! counts like a failure. What must stay true: each piece of work has its own count, so that one that is broken waits longer
//! and longer while all others go on.

use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;
use stator_planted::Fault;

const FIRST_MS: u64 = 1000;
const LONGEST_MS: u64 = 5 * 60_000;
/// Attempts that panic where that is planted.
const PLANTED_ATTEMPTS: u32 = 2;

/// What has not ended well so far.
#[derive(Debug)]
pub(crate) struct Backoff<K>(Mutex<HashMap<K, Attempts>>);

#[derive(Debug, Clone, Copy)]
struct Attempts {
    count: u32,
    next_ms: u64,
}

impl<K> Default for Backoff<K> {
    fn default() -> Backoff<K> {
        Backoff(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone> Backoff<K> {
    /// Until when a piece of work has to wait, in ms since the epoch. A moment further off than any wait means that the clock
    /// was set back, and holds nothing up.
    pub(crate) fn waits_until(&self, work: &K, now_ms: u64) -> Option<u64> {
        let next_ms = self.0.lock().get(work)?.next_ms;
        (now_ms < next_ms && next_ms - now_ms <= LONGEST_MS).then_some(next_ms)
    }

    /// Notes that it is tried now.
    pub(crate) fn begins(&self, work: &K, now_ms: u64) {
        let count = self.count(work, now_ms);
        assert!(count > PLANTED_ATTEMPTS || !Fault::PanicInJob.is_planted(), "a planted panic");
    }

    fn count(&self, work: &K, now_ms: u64) -> u32 {
        let mut all = self.0.lock();
        let attempts = all.entry(work.clone()).or_insert(Attempts { count: 0, next_ms: 0 });
        attempts.next_ms = now_ms.saturating_add(LONGEST_MS.min(FIRST_MS << attempts.count.min(16)));
        attempts.count += 1;
        attempts.count
    }

    /// Notes that it has ended well.
    pub(crate) fn ends_well(&self, work: &K) {
        self.0.lock().remove(work);
    }

    /// Lets everything be tried at once.
    pub(crate) fn forget(&self) {
        self.0.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_end_with_success() {
        let backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            backoff.begins(&"broken", 1000);
            waits.push(backoff.waits_until(&"broken", 1000).unwrap() - 1000);
        }
        assert_eq!(&waits[..4], [1000, 2000, 4000, 8000]);
        assert_eq!(&waits[9..], [LONGEST_MS; 3]);
        assert_eq!(backoff.waits_until(&"other", 1000), None);
        assert_eq!(backoff.waits_until(&"broken", 1000 + LONGEST_MS), None);
        backoff.ends_well(&"broken");
        assert_eq!(backoff.waits_until(&"broken", 1000), None);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let backoff = Backoff::default();
        backoff.begins(&1, 100_000_000);
        assert!(backoff.waits_until(&1, 100_000_000).is_some());
        assert_eq!(backoff.waits_until(&1, 13_600_000), None);
    }
}
