//! The real time and the real randomness, and a time that tests set.
//!
//! What must stay true: everything below the server learns of either only through the engine's `Clock`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use stator_engine::Clock;

/// The clock of this machine and the randomness of its kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the home of the wall clock")]
    fn now_ms(&self) -> u64 {
        // A machine whose clock stands before 1970 gets 1970: signatures will be refused, and data stays in order.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "the home of randomness")]
    fn random(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the kernel has randomness");
    }
}

/// The real time until somebody sets it. For tests of what takes days.
#[derive(Debug, Default)]
pub struct SettableClock(Mutex<Setting>);

#[derive(Debug, Clone, Copy, Default)]
struct Setting {
    /// Ahead of the real time.
    offset_ms: i64,
    /// The moment at which it stands still.
    frozen_at_ms: Option<u64>,
}

impl Setting {
    fn now_ms(self) -> u64 {
        self.frozen_at_ms.unwrap_or_else(|| SystemClock.now_ms().saturating_add_signed(self.offset_ms))
    }
}

impl SettableClock {
    /// The time that it shows, in ms since the epoch.
    pub fn read_ms(&self) -> u64 {
        self.setting().now_ms()
    }

    /// Sets the time; a clock that stands still does so at the new one.
    pub fn set(&self, now_ms: u64) {
        let mut setting = self.setting();
        setting.offset_ms = distance(SystemClock.now_ms(), now_ms);
        setting.frozen_at_ms = setting.frozen_at_ms.map(|_| now_ms);
    }

    /// Stops it, or lets it go on from where it stands.
    pub fn freeze(&self, is_frozen: bool) {
        let mut setting = self.setting();
        let now_ms = setting.now_ms();
        setting.offset_ms = distance(SystemClock.now_ms(), now_ms);
        setting.frozen_at_ms = is_frozen.then_some(now_ms);
    }

    /// Goes back to the real time.
    pub fn reset(&self) {
        *self.setting() = Setting::default();
    }

    /// Whether it stands still.
    pub fn is_frozen(&self) -> bool {
        self.setting().frozen_at_ms.is_some()
    }

    /// How far it is ahead of the real time, in ms.
    pub fn offset_ms(&self) -> i64 {
        let setting = *self.setting();
        setting.frozen_at_ms.map_or(setting.offset_ms, |now_ms| distance(SystemClock.now_ms(), now_ms))
    }

    fn setting(&self) -> MutexGuard<'_, Setting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From one moment to another, in ms.
fn distance(from_ms: u64, to_ms: u64) -> i64 {
    let ms = i64::try_from(from_ms.abs_diff(to_ms)).unwrap_or(i64::MAX);
    if from_ms > to_ms { -ms } else { ms }
}

impl Clock for SettableClock {
    fn now_ms(&self) -> u64 {
        self.read_ms()
    }

    fn random(&self, buffer: &mut [u8]) {
        SystemClock.random(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_stopped_and_let_go() {
        let clock = SettableClock::default();
        let real_ms = SystemClock.now_ms();
        assert!(clock.read_ms() >= real_ms && clock.offset_ms() == 0);
        clock.set(real_ms + 1_000_000);
        assert!(clock.read_ms() >= real_ms + 1_000_000 && clock.offset_ms() > 900_000);
        clock.freeze(true);
        clock.set(5000);
        assert_eq!((clock.read_ms(), clock.is_frozen()), (5000, true));
        clock.freeze(false);
        assert!((5000..60_000).contains(&clock.read_ms()) && clock.offset_ms() < 0);
        clock.reset();
        assert!(clock.read_ms() >= real_ms);
    }
}
