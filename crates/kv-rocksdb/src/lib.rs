//! The default durable backend: RocksDB behind a group commit of our own.
//!
//! ```text
//!   mutate ─ latches ─ read (pending values first) ─ decide ─┐ queue, in order
//!   commit ─ latches ─ check ────────────────────────────────┤
//!                                                            ▼
//!                              one committer: drain ─ one WriteBatch ─ one sync ─ wake all
//! ```
//!
//! A latch is held while its key is read and decided on, never while the disk works: what is queued but not yet on disk
//! waits in `recent`, where the next decision on the same key finds it. Readers do not see what waits there; they see what
//! the disk has, from `recent` where it was lately written or read. What must stay true: nothing is acknowledged before its batch is synced; a decision that looked at a queued
//! value is acknowledged no earlier than that value; after a failed write nothing is acknowledged any more.

mod closing;
mod committer;
mod directory;
mod latch;
mod layout;
mod options;
mod recent;
mod store;
mod write_log;

pub use directory::{OpenError, make_directory};
pub use options::RocksOptions;
pub use store::RocksStore;
