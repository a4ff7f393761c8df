//! Which tables there are, and what each is like.
//!
//! Definitions are rows; all of them are held in memory as an immutable [`Snapshot`] that is swapped whole, so that a
//! request looks a table up without storage, locks or copies. What must stay true: a definition is durable before the
//! snapshot shows it, and a snapshot never changes.

pub mod definition;
mod snapshot;
mod table;

pub use snapshot::Snapshot;
pub use table::{Index, Table};
