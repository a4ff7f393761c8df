//! How quickly clients send, and how long they wait for answers.
//!
//! What must stay true: a wait is counted from the moment at which a request was due, so that a server that stands still is
//! not spared the requests that it kept from being sent.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A rate for each client, and what was waited.
pub(crate) struct Pace {
    /// Between two requests of one client; zero for as fast as it goes.
    interval: Duration,
    waits_us: Mutex<Vec<u64>>,
}

impl Pace {
    /// As fast as it goes.
    pub(crate) fn free() -> Pace {
        Pace::every(Duration::ZERO)
    }

    /// One request of each client in so much time.
    pub(crate) fn every(interval: Duration) -> Pace {
        Pace { interval, waits_us: Mutex::default() }
    }

    /// Waits until the next request is due; answers when that was, or is.
    pub(super) fn wait(&self, last_due: Option<Instant>) -> Instant {
        let now = Instant::now();
        let due = match last_due {
            Some(last) if !self.interval.is_zero() => last + self.interval,
            _ => now,
        };
        std::thread::sleep(due.saturating_duration_since(now));
        due
    }

    /// Lets the time between two requests pass, however long the last one took.
    pub(super) fn rest(&self) {
        std::thread::sleep(self.interval);
    }

    pub(super) fn note(&self, due: Instant) {
        let wait_us = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waits_us.lock().expect("nobody panics with it").push(wait_us);
    }

    /// How many requests were answered since the waits were taken.
    pub(super) fn noted(&self) -> u64 {
        self.waits_us.lock().expect("nobody panics with it").len() as u64
    }

    /// What was waited since the last time that this was asked, ascending.
    pub(crate) fn take(&self) -> Vec<u64> {
        let mut waits = std::mem::take(&mut *self.waits_us.lock().expect("nobody panics with it"));
        waits.sort_unstable();
        waits
    }
}
