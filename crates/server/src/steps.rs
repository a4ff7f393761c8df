//! Noticing that somebody has set the machine's clock.
//!
//! What the real time is ahead of the steady one changes when the clock is set, and only then. That is logged, because
//! signatures are refused whose senders have another time. What must stay true: for a day after a step the steady time goes on
//! as it was, so that nothing from before counts as older than it is; then both agree again.

use stator_engine::Clock;

use crate::clock::{SystemClock, running_ms};

/// Smaller steps are those of a clock that is being disciplined.
const STEP_MS_MIN: i64 = 1000;
/// As long as anything is kept that goes by its age: records of streams.
const SETTLING_MS: u64 = 24 * 60 * 60 * 1000;

/// What was seen when the clocks were last looked at.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The real time before the steady one.
    ahead_ms: i64,
    stepped_at_ms: u64,
}

impl Steps {
    /// Looks at the clocks, says what has changed, and lets them agree when it is time.
    pub(crate) fn look(&mut self) {
        let (now_ms, steady_ms) = (SystemClock.now_ms(), SystemClock.steady_ms());
        let distance_ms = i64::try_from(now_ms.abs_diff(steady_ms)).unwrap_or(i64::MAX);
        let ahead_ms = if now_ms < steady_ms { -distance_ms } else { distance_ms };
        if let Some(step_ms) = self.see(ahead_ms, running_ms()) {
            tracing::warn!(
                step_ms,
                ahead_ms,
                "the clock of this machine was set: signatures are checked against the new time, and nothing expires earlier than by the old one"
            );
        }
        if self.is_settled(running_ms()) {
            SystemClock::settle();
            self.ahead_ms = 0;
        }
    }

    /// The step, if there was one since the last look.
    fn see(&mut self, ahead_ms: i64, running_ms: u64) -> Option<i64> {
        let step_ms = ahead_ms - self.ahead_ms;
        self.ahead_ms = ahead_ms;
        let is_step = step_ms.abs() >= STEP_MS_MIN;
        if is_step {
            self.stepped_at_ms = running_ms;
        }
        is_step.then_some(step_ms)
    }

    fn is_settled(&self, running_ms: u64) -> bool {
        self.ahead_ms.abs() >= STEP_MS_MIN && running_ms.saturating_sub(self.stepped_at_ms) >= SETTLING_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_once_and_settled_after_a_day() {
        let mut steps = Steps::default();
        assert_eq!(steps.see(0, 0), None);
        assert_eq!(steps.see(900, 1), None, "a small difference is none");
        assert_eq!(steps.see(3_600_900, 2), Some(3_600_000));
        assert_eq!(steps.see(3_600_900, 3), None);
        assert!(!steps.is_settled(SETTLING_MS));
        assert!(steps.is_settled(SETTLING_MS + 2));
        assert_eq!(steps.see(900, 4), Some(-3_600_000));
        assert!(!steps.is_settled(2 * SETTLING_MS), "both agree");
    }
}
