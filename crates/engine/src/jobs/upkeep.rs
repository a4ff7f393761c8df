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

impl Engine {
    pub(super) async fn run_upkeep(&self) -> Result<(), StoreError> {
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
            due_ms.store(if has_more { now_ms } else { now_ms + interval_ms }, Ordering::Relaxed);
        }
        Ok(())
    }
}
