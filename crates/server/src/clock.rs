//! The real time and the real randomness.
//!
//! What must stay true: everything below the server learns of either only through the engine's `Clock`.

use std::time::{SystemTime, UNIX_EPOCH};

use stator_engine::Clock;

/// The clock of this machine and the randomness of its kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        // A machine whose clock stands before 1970 gets 1970: signatures will be refused, and data stays in order.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn random(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the kernel has randomness");
    }
}
