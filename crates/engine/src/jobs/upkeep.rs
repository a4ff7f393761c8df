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
//! their time, too.

use std::sync::atomic::{AtomicU64, Ordering};

use stator_kv::StoreError;

use crate::Engine;

/// One chore.
#[derive(Debug, Clone, Copy)]
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
pub(crate) struct Upkeep([AtomicU64; CHORES.len()]);

impl Upkeep {
    /// Makes every chore due now.
    pub(crate) fn make_due(&self) {
        self.0.iter().for_each(|due_ms| due_ms.store(0, Ordering::Relaxed));
    }
}

impl Engine {
    /// Does everything that time has made due, to its end. For a clock that has been moved.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        {
            let _turn = self.jobs_turn.lock().await;
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
        while self.trim_streams().await? {}
        Ok(())
    }

    /// Does a bounded piece of each chore that is due; answers whether one of them has more to do.
    pub(super) async fn run_upkeep(&self) -> Result<bool, StoreError> {
        let mut is_left = false;
        for (at, (chore, interval_ms)) in CHORES.into_iter().enumerate() {
            let (due_ms, now_ms) = (&self.upkeep.0[at], self.now_ms());
            if now_ms < due_ms.load(Ordering::Relaxed) {
                continue;
            }
            let has_more = match chore {
                Chore::Tokens => self.forget_tokens().await.map(|()| false)?,
                Chore::Expiry => self.sweep_expired().await?,
                Chore::Shards => self.roll_shards().await.map(|()| false)?,
                Chore::Trimming => self.trim_streams().await?,
            };
            is_left |= has_more;
            due_ms.store(if has_more { now_ms } else { now_ms + interval_ms }, Ordering::Relaxed);
        }
        Ok(is_left)
    }
}
