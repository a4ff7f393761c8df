//! The storage wall: ordered bytes and one-shot transactions, and nothing else.
//!
//! Everything above this crate gives meaning to bytes; everything below keeps them. What must stay true: no word of what
//! the rows mean appears here, a commit is atomic and durable before it is answered, and no lock outlives a call.

pub mod key;
pub mod memory;
pub mod range;
pub mod space;
pub mod store;
#[cfg(feature = "suite")]
pub mod suite;
#[cfg(feature = "suite")]
pub mod wrap;

pub use key::{Key, KeyBuilder};
pub use memory::{Kept, MemoryStore, Rewind};
pub use range::{Direction, Range};
pub use space::{Profile, Space};
pub use store::{
    Caps, Check, CommitError, Decide, Decision, Found, Level, MiniTxn, Outcome, Receipt, RowRef, Stamp, Store, StoreError, TxnId, Version,
    Visit, Visitor, Write,
};
