//! What operations mean: tables, items, indexes and the jobs behind them, as rows of a [`stator_kv::Store`].
//!
//! What must stay true: given rows, a clock and a request, the outcome is determined. Nothing here knows JSON, HTTP, a
//! runtime, the wall clock or the service's sentences. There is one write path (`write`), and one read path (`read`).
#![deny(clippy::float_arithmetic)]

pub mod capacity;
pub mod catalog;
pub mod check;
pub mod clock;
pub mod encoding;
mod engine;
pub mod index;
pub mod jobs;
pub mod keyspace;
pub mod partiql;
pub mod read;
pub mod receipt;
pub mod stream;
pub mod transact;
pub mod ttl;
pub mod vector;
pub mod write;

pub use clock::Clock;
pub use engine::{Engine, EngineOptions, OpenError};
pub use stator_kv::{Kept, Rewind, StoreError};
