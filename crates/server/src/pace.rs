//! How long work gives way: after a piece of it rests so long that all pieces together take a share of the machine.
//!
//! A lower priority alone does not do: a thread that was set aside while it held a lock of the storage engine or of the
//! allocator keeps everybody waiting for its next turn. A piece that rests between two of its steps holds nothing. What must
//! stay true: nothing rests on a machine that has nothing else to do, and nothing rests for ever on one that has.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};

/// The part of the machine that long work takes where something else is being done: one in so many.
const SHARE: u32 = 4;
/// Less than one part in so many of the machine, and nothing else is being done.
const QUIET_SHARE: u32 = 8;
/// How long a look at what else is being done holds.
const LOOK: Duration = Duration::from_millis(10);
/// What is owed at most, whatever has been taken: long work that came last does not wait for all that came before it.
const OWED_MAX: Duration = Duration::from_millis(500);
/// Whoever waits looks again after this time.
const STEP: Duration = Duration::from_millis(2);

/// What all long work of a process shares.
#[derive(Debug)]
pub struct Pace {
    cores: u32,
    begin: Instant,
    state: Mutex<State>,
}

/// Moments count from the begin.
#[derive(Debug, Default)]
struct State {
    /// When the next piece may begin.
    free_at: Duration,
    /// Processor time that long work has taken.
    taken: Duration,
    looked_at: Duration,
    /// Processor time that everything else had taken at that moment.
    others: Duration,
    is_crowded: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Pace { cores: u32::try_from(cores).unwrap_or(u32::MAX), begin: started(), state: Mutex::default() }
    }
}

impl Pace {
    /// Does a piece of long work, once it may begin.
    pub async fn piece<F: Future>(&self, work: F) -> F::Output {
        while !self.may_begin() {
            tokio::time::sleep(STEP).await;
        }
        let mut work = pin!(work);
        let mut took = Duration::ZERO;
        let done = std::future::poll_fn(|context| {
            let begin = processor_time(ClockId::ThreadCPUTime);
            let polled = work.as_mut().poll(context);
            took += processor_time(ClockId::ThreadCPUTime).saturating_sub(begin);
            polled
        });
        let done = done.await;
        self.state.lock().took(took, self.begin.elapsed(), self.cores);
        done
    }

    fn may_begin(&self) -> bool {
        let now = self.begin.elapsed();
        let mut state = self.state.lock();
        if now >= state.free_at {
            return true;
        }
        if now.saturating_sub(state.looked_at) >= LOOK {
            state.look(processor_time(ClockId::ProcessCPUTime), now, self.cores);
        }
        !state.is_crowded
    }
}

impl State {
    /// Whether something else is being done, by the processor time of this process.
    fn look(&mut self, process: Duration, now: Duration, cores: u32) {
        let others = process.saturating_sub(self.taken);
        let machine = now.saturating_sub(self.looked_at) * cores;
        self.is_crowded = others.saturating_sub(self.others) * QUIET_SHARE > machine;
        (self.others, self.looked_at) = (others, now);
    }

    fn took(&mut self, time: Duration, now: Duration, cores: u32) {
        self.taken += time;
        let begin = self.free_at.clamp(now, now + OWED_MAX);
        self.free_at = begin + time * SHARE / cores;
    }
}

fn processor_time(clock: ClockId) -> Duration {
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "durations are taken here, of what the machine does")]
fn started() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn pieces_take_their_share_and_owe_no_more_than_that() {
        let mut state = State::default();
        state.took(10 * MS, 100 * MS, 2);
        assert_eq!(state.free_at, 120 * MS);
        // Side by side with the first.
        state.took(10 * MS, 100 * MS, 2);
        assert_eq!(state.free_at, 140 * MS);
        state.took(10 * MS, 1000 * MS, 8);
        assert_eq!(state.free_at, 1005 * MS);
        state.took(10_000 * MS, 2000 * MS, 2);
        state.took(MS, 2001 * MS, 2);
        assert_eq!(state.free_at, 2001 * MS + OWED_MAX + 2 * MS);
    }

    #[test]
    fn what_long_work_takes_itself_does_not_count_as_something_else() {
        let mut state = State { taken: 80 * MS, ..State::default() };
        state.look(100 * MS, 100 * MS, 2);
        assert!(!state.is_crowded, "20 of 200 ms");
        state.look(130 * MS, 200 * MS, 2);
        assert!(state.is_crowded, "30 of 200 ms");
        state.look(131 * MS, 300 * MS, 2);
        assert!(!state.is_crowded);
    }

    #[tokio::test]
    async fn a_piece_that_is_free_begins_at_once_and_one_that_rests_begins_in_the_end() {
        let pace = Pace::default();
        assert_eq!(pace.piece(async { 1 }).await, 1);
        pace.state.lock().free_at = pace.begin.elapsed() + 300 * MS;
        pace.state.lock().is_crowded = true;
        pace.state.lock().looked_at = pace.begin.elapsed() + 10_000 * MS;
        assert!(!pace.may_begin());
        assert_eq!(pace.piece(async { 2 }).await, 2);
    }
}
