//! Which tables there are, and what each is like.
//!
//! Definitions are rows; all of them are held in memory as an immutable [`Snapshot`] that is swapped whole, so that a
//! request looks a table up without storage, locks or copies. What must stay true: a definition is durable before the
//! snapshot shows it, and a snapshot never changes.

mod change;
pub mod definition;
mod members;
mod snapshot;
mod stream;
mod table;
mod tags;
mod transition;
mod verbs;

pub use change::{ChangeError, IndexChange, ON_DEMAND_WARM, StreamChange, TableChange, warm_default};
pub use snapshot::Snapshot;
pub use stream::Stream;
pub use table::{Index, Table, ThroughputHistory};
pub use tags::TagError;
pub use transition::InTransition;
pub(crate) use transition::Transition;
pub(crate) use verbs::store_error;
pub use verbs::{CreateError, DeleteError, Description};
