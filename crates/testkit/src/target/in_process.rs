//! The operations called through their registry, without sockets and signatures.
//!
//! What must stay true: the stages follow one another as in the server: name, decode, validate, perform.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stator_api::{Context, Fault};
use stator_engine::{Clock, Engine, EngineOptions};
use stator_kv::Store;
use stator_model::arn::Scope;

use super::{Call, Reply, Target, block_on, target_of};

/// A clock that ticks a millisecond at each look, and randomness that is the same in each run.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl Default for TestClock {
    fn default() -> TestClock {
        // 2026-11-24, early.
        TestClock(AtomicU64::new(1_795_500_000_000))
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn random(&self, buffer: &mut [u8]) {
        let mut state = self.0.fetch_add(1, Ordering::Relaxed);
        for byte in buffer {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct SetClock {
    now_ms: AtomicU64,
    randomness: TestClock,
}

impl SetClock {
    /// A clock that shows a moment, in ms since the epoch.
    pub fn at(now_ms: u64) -> SetClock {
        SetClock { now_ms: AtomicU64::new(now_ms), randomness: TestClock::default() }
    }

    /// Lets it show another moment.
    pub fn set(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Moves it on.
    pub fn advance(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn random(&self, buffer: &mut [u8]) {
        self.randomness.random(buffer);
    }
}

/// The operations over an engine.
#[derive(Clone)]
pub struct InProcess {
    engine: Arc<Engine>,
    clock: Option<Arc<SetClock>>,
}

impl InProcess {
    /// Opens an engine over a store.
    ///
    /// # Panics
    /// When the store cannot be opened: a test has nothing else to do then.
    pub fn open(store: Arc<dyn Store>) -> InProcess {
        let opened = block_on(Engine::open(store, Arc::new(TestClock::default()), EngineOptions::default()));
        InProcess::over(opened.unwrap_or_else(|error| panic!("the store does not open: {error:?}")))
    }

    /// Opens an engine whose time is set.
    ///
    /// # Panics
    /// When the store cannot be opened.
    pub fn open_at(store: Arc<dyn Store>, now_ms: u64) -> InProcess {
        InProcess::open_with(store, Arc::new(SetClock::at(now_ms)))
    }

    /// Opens an engine over what another one has left, with the clock of that one: its randomness goes on, and names nothing twice.
    ///
    /// # Panics
    /// When the store cannot be opened.
    pub fn open_with(store: Arc<dyn Store>, clock: Arc<SetClock>) -> InProcess {
        let opened = block_on(Engine::open(store, Arc::clone(&clock) as Arc<dyn Clock>, EngineOptions::default()));
        InProcess { engine: opened.unwrap_or_else(|error| panic!("the store does not open: {error:?}")), clock: Some(clock) }
    }

    /// The operations over an engine that is open already.
    pub fn over(engine: Arc<Engine>) -> InProcess {
        InProcess { engine, clock: None }
    }

    fn answer(&self, call: &Call) -> Result<Vec<u8>, Fault> {
        let operation = stator_api::target::find(&target_of(&call.operation))?;
        let mut prepared = operation.decode(&call.body)?;
        prepared.validate()?;
        let context = Context {
            engine: Arc::clone(&self.engine),
            scope: Scope { account: "000000000000".to_owned(), region: call.region.clone() },
            host: "localhost:8000".to_owned(),
            ledger: None,
        };
        block_on(prepared.perform(&context)).map(|answer| answer.body)
    }
}

impl Target for InProcess {
    fn call(&mut self, call: &Call) -> Reply {
        let answer = catch_unwind(AssertUnwindSafe(|| self.answer(call))).unwrap_or_else(|_| Err(Fault::internal()));
        match answer {
            Ok(body) => Reply { status: 200, body, ..Reply::default() },
            Err(fault) => Reply { status: fault.status, body: fault.body(), ..Reply::default() },
        }
    }

    fn settle(&mut self) {
        block_on(self.engine.settled()).unwrap_or_else(|error| panic!("jobs fail: {error:?}"));
    }

    fn set_clock(&mut self, now_ms: u64) -> bool {
        let Some(clock) = &self.clock else { return false };
        clock.set(now_ms);
        self.settle();
        true
    }

    fn is_http(&self) -> bool {
        false
    }
}
