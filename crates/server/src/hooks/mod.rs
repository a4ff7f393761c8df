//! What a test may do to a server that runs for it: `/_stator/` of `stator dev`.
//!
//! ```text
//!   /_stator/...   call ──► ROUTES ──► one file per resource ──► JSON
//!   any request    validate ──► faults that match ──► perform (under `turn`) ──► journal
//! ```
//!
//! What must stay true: a server without hooks has no trace of them but an empty `Option`. Nothing here knows an operation:
//! names of operations and tables are data that a test gives. What changes the world under requests (snapshots, lag) waits for
//! those that are being performed, and holds up the others.

mod call;
mod clock;
mod faults;
mod lag;
mod problem;
mod requests;
mod reset;
mod routes;
mod snapshots;
mod span;
mod tables;
mod trace;
mod upkeep;

use std::sync::Arc;

use stator_engine::index::LaggingStore;
use stator_engine::{Engine, Rewind};
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::clock::SettableClock;
use faults::Faults;
pub(crate) use faults::{Effect, Outcome};
pub(crate) use requests::Answered;
use requests::Journal;
use snapshots::Snapshots;
pub(crate) use trace::Trace;

/// What all paths begin with.
pub(crate) const PREFIX: &str = "/_stator";

/// An answer to a call of a test.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// JSON.
    pub(crate) body: Vec<u8>,
    /// The methods that the path takes, where another one was tried.
    pub(crate) allow: Option<String>,
}

/// Everything that a test can reach.
pub struct Hooks {
    engine: Arc<Engine>,
    clock: Arc<SettableClock>,
    indexes: Arc<LaggingStore>,
    /// The store's way back, if it has one.
    rewind: Option<Arc<dyn Rewind>>,
    /// How long tables take to change, as the server was started.
    transition_ms: Option<u64>,
    faults: Faults,
    journal: Journal,
    snapshots: Snapshots,
    /// Shared by requests while they are performed; taken alone by what must not happen under them.
    turn: RwLock<()>,
}

impl Hooks {
    /// Hooks into an engine that lives by this clock and over this store.
    pub fn new(engine: Arc<Engine>, clock: Arc<SettableClock>, indexes: Arc<LaggingStore>, rewind: Option<Arc<dyn Rewind>>) -> Hooks {
        let transition_ms = engine.table_transition();
        Hooks {
            engine,
            clock,
            indexes,
            rewind,
            transition_ms,
            faults: Faults::default(),
            journal: Journal::default(),
            snapshots: Snapshots::default(),
            turn: RwLock::new(()),
        }
    }

    /// Whether a path is one of these.
    pub(crate) fn is_addressed(path: &str) -> bool {
        path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Answers a call.
    pub(crate) async fn call(&self, method: &str, path: &str, query: Option<&str>, body: &[u8]) -> Answer {
        match routes::dispatch(self, method, path, query, body).await {
            Ok(answer) => answer,
            Err(problem) => problem.answer(),
        }
    }

    /// What a request that begins now leaves behind.
    pub(crate) fn trace(&self) -> Trace {
        Trace::begin(self.engine.now_ms())
    }

    /// The fault that a request meets, if there is one. It counts as met.
    pub(crate) fn fault(&self, trace: &Trace) -> Option<Effect> {
        self.faults.hit(trace)
    }

    /// Lets a request be performed; ends with the guard.
    pub(crate) async fn performing(&self) -> RwLockReadGuard<'_, ()> {
        self.turn.read().await
    }

    /// Enters a request in the journal.
    pub(crate) fn enter(&self, trace: Trace, answered: Answered) {
        self.journal.enter(trace, answered);
    }
}
