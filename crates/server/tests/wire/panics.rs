//! Background work that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stator_engine::{Clock, Engine, EngineOptions};
use stator_kv::MemoryStore;
use stator_server::jobs;

use crate::harness::FixedClock;

/// Panics once in so many looks at it, as any code that a job calls may.
struct Brittle {
    looks: AtomicU64,
    panics: AtomicU64,
}

impl Clock for Brittle {
    fn now_ms(&self) -> u64 {
        let look = self.looks.fetch_add(1, Ordering::SeqCst);
        if look % 7 == 3 && self.panics.load(Ordering::SeqCst) < 2 {
            self.panics.fetch_add(1, Ordering::SeqCst);
            panic!("the clock breaks");
        }
        // Each look is a second later, so that all chores come round.
        1_795_493_106_000 + look * 1000
    }

    fn random(&self, buffer: &mut [u8]) {
        FixedClock.random(buffer);
    }
}

#[tokio::test]
async fn background_work_that_panics_is_started_again() {
    let clock = Arc::new(Brittle { looks: AtomicU64::new(0), panics: AtomicU64::new(0) });
    let opened = Engine::open(Arc::new(MemoryStore::new()), Arc::clone(&clock) as Arc<dyn Clock>, EngineOptions::default());
    let engine = opened.await.ok().unwrap();
    let driven = tokio::spawn(jobs::drive(engine, Arc::default()));
    while clock.looks.load(Ordering::SeqCst) < 100 {
        assert!(!driven.is_finished());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(clock.panics.load(Ordering::SeqCst) == 2);
    driven.abort();
}
