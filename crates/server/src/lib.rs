//! The shell around the operations: sockets, the request pipeline, logs, settings, and the timer of the background work.
//!
//! What must stay true: no rule of DynamoDB is here, and nothing here branches on the name of an operation.

pub mod bulk;
pub mod clock;
pub mod config;
mod guard;
pub mod hooks;
pub mod jobs;
pub mod listen;
pub mod observe;
pub mod pace;
pub mod pipeline;
mod steps;
mod venue;

pub use bulk::{Bulk, BulkThreads};
pub use clock::{SettableClock, SystemClock};
pub use config::{Config, SETTINGS, Setting};
pub use hooks::Hooks;
pub use listen::{BindError, Bound, Limits};
pub use pipeline::{Gate, Shell};
