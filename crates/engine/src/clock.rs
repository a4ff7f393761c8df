//! Time and randomness as inputs, so that tests decide both.
//!
//! What must stay true: the engine learns of neither in any other way. The clock may be set, in either direction and at any
//! moment: nothing is ordered by it, and what it makes due may come late but not early by more than it was set.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where the engine gets time and randomness.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// The same of a clock that nobody sets: from here to there it tells how much time has passed.
    fn steady_ms(&self) -> u64 {
        self.now_ms()
    }

    /// Fills a buffer with random bytes.
    fn random(&self, buffer: &mut [u8]);

    /// A random UUID, version 4, in its usual form.
    fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.random(&mut bytes);
        bytes[6] = (bytes[6] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        let number = u128::from_be_bytes(bytes);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            number >> 96,
            (number >> 80) & 0xFFFF,
            (number >> 64) & 0xFFFF,
            (number >> 48) & 0xFFFF,
            number & 0xFFFF_FFFF_FFFF
        )
    }
}

/// A time that never goes back, for what counts for some minutes since it was written.
#[derive(Debug, Default)]
pub(crate) struct Forward(AtomicU64);

impl Forward {
    /// The time, or the latest one that was ever given here if that is later.
    pub(crate) fn after(&self, now_ms: u64) -> u64 {
        self.0.fetch_max(now_ms, Ordering::Relaxed).max(now_ms)
    }

    /// Forgets what was given: the clock was set on purpose, for a test.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Forward;

    #[test]
    fn time_goes_forward_until_it_is_forgotten() {
        let forward = Forward::default();
        assert_eq!([5, 9, 3, 10].map(|now_ms| forward.after(now_ms)), [5, 9, 9, 10]);
        forward.forget();
        assert_eq!(forward.after(4), 4);
    }
}
