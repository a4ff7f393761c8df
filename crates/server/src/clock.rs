//! The real time and the real randomness, and a time that tests set.
//!
//! What must stay true: everything below the server learns of either only through the engine's `Clock`. The steady time agrees
//! with the real one until somebody sets the machine's clock, and is made to agree again when `steps` says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use stator_engine::Clock;

/// What the real time was when the machine had run for no time, as far as the steady time is concerned.
static STARTED_MS: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(started_ms()));

fn started_ms() -> u64 {
    SystemClock.now_ms().saturating_sub(running_ms())
}

/// The clock of this machine and the randomness of its kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// Lets the steady time agree with the real one from now on.
    pub(crate) fn settle() {
        STARTED_MS.store(started_ms(), Ordering::Relaxed);
    }
}

/// How long the machine has been running, while it slept too.
#[cfg(target_os = "linux")]
pub(crate) fn running_ms() -> u64 {
    let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(since.tv_sec).unwrap_or(0) * 1000 + u64::try_from(since.tv_nsec).unwrap_or(0) / 1_000_000
}

/// How long the process has been running.
#[cfg(not(target_os = "linux"))]
pub(crate) fn running_ms() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the home of the steady clock")]
    static BEGAN: LazyLock<std::time::Instant> = LazyLock::new(std::time::Instant::now);
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl Clock for SystemClock {
    fn steady_ms(&self) -> u64 {
        STARTED_MS.load(Ordering::Relaxed).saturating_add(running_ms())
    }

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
    /// What a test sets is time that passes.
    fn steady_ms(&self) -> u64 {
        let setting = *self.setting();
        setting.frozen_at_ms.unwrap_or_else(|| SystemClock.steady_ms().saturating_add_signed(setting.offset_ms))
    }

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
