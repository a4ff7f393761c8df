//! Work that is never done: it comes round again at intervals.
//!
//! | chore | every | does |
//! |---|---|---|
//! | tokens | minute | forgets the tokens of transactions that count no more |
//! | expiry | five seconds | removes items whose time has come |
//! | shards | second | closes shards of streams and opens their children |
//! | trimming | ten seconds | removes records of streams that are older than a day |
//!
//! What must stay true: a chore may be late, repeated or skipped without harm, because whoever reads its rows looks at
//! their time, too. One that fails or panics holds up no other.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use stator_kv::StoreError;

use super::JobKey;
use super::backoff::Backoff;
use crate::Engine;
use crate::stream::Rounds;

/// One chore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Chore {
    Tokens,
    Expiry,
    Shards,
    Trimming,
}

/// All chores, and their intervals in ms.
const CHORES: [(Chore, u64); 4] = [(Chore::Tokens, 60_000), (Chore::Expiry, 5000), (Chore::Shards, 1000), (Chore::Trimming, 10_000)];

/// When each chore is due next, in ms since the epoch; at once after a start.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    chores: [AtomicU64; CHORES.len()],
    broken: Backoff<Chore>,
    /// Jobs that have not ended well so far.
    pub(super) broken_jobs: Backoff<JobKey>,
    /// Which lanes of streams have something to trim.
    pub(crate) rounds: Mutex<Rounds>,
}

impl Upkeep {
    /// Makes every chore due now.
    pub(crate) fn make_due(&self) {
        self.chores.iter().for_each(|due_ms| due_ms.store(0, Ordering::Relaxed));
        self.rounds.lock().forget();
        self.forgive();
    }

    /// Lets what has failed be tried at once.
    pub(super) fn forgive(&self) {
        self.broken.forget();
        self.broken_jobs.forget();
    }
}

impl Engine {
    /// Does everything that time has made due, to its end. For a clock that has been moved.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        {
            let _turn = self.jobs_turn.lock().await;
            self.token_time.forget();
            self.upkeep.make_due();
            while self.run_upkeep().await? {}
        }
        self.wake_jobs();
        self.settled().await
    }

    /// Removes all items whose time has come.
    pub async fn sweep_now(&self) -> Result<(), StoreError> {
        let _turn = self.jobs_turn.lock().await;
        while self.sweep_expired().await? {}
        Ok(())
    }

    /// Removes all records of streams that are older than a day.
    pub async fn trim_now(&self) -> Result<(), StoreError> {
        let _turn = self.jobs_turn.lock().await;
        self.upkeep.make_due();
        while self.trim_streams().await? {}
        Ok(())
    }

    /// Does a bounded piece of each chore that is due; answers whether one of them has more to do. The first that fails ends the
    /// round, and the next round begins with the others.
    pub(super) async fn run_upkeep(&self) -> Result<bool, StoreError> {
        let mut is_left = false;
        for (at, (chore, interval_ms)) in CHORES.into_iter().enumerate() {
            let (due_ms, now_ms) = (&self.upkeep.chores[at], self.now_ms());
            let wait_ms = due_ms.load(Ordering::Relaxed).saturating_sub(now_ms);
            // A longer wait means that the clock was set back.
            if (wait_ms > 0 && wait_ms <= interval_ms) || self.upkeep.broken.waits_until(&chore, now_ms).is_some() {
                continue;
            }
            self.upkeep.broken.begins(&chore, now_ms);
            let has_more = match chore {
                Chore::Tokens => self.forget_tokens().await.map(|()| false)?,
                Chore::Expiry => self.sweep_expired().await?,
                Chore::Shards => self.roll_shards().await.map(|()| false)?,
                Chore::Trimming => self.trim_streams().await?,
            };
            self.upkeep.broken.ends_well(&chore);
            is_left |= has_more;
            due_ms.store(if has_more { now_ms } else { now_ms + interval_ms }, Ordering::Relaxed);
        }
        Ok(is_left)
    }
}
