//! Streams: what happened to a table's items, in the order of the commits.
//!
//! ```text
//!   table ── hashes of partition keys ──► lanes ── time and volume ──► shards ──► records
//!                                          lane 0   [shard]──►[shard]──►[open shard]
//!                                          lane 1   [shard]──────────►[open shard]
//! ```
//!
//! A record is appended by the commit that changes the item, so its sequence number is the commit's place in the history and
//! nobody has to ask for the highest one. What must stay true: an item's records are all in one lane; a lane's shards follow
//! one another without a gap; a reader who has met a record meets no earlier one of its lane any more.

pub(crate) mod record;
pub(crate) mod shard;

mod position;
mod read;
mod round;
mod upkeep;

pub use position::{Position, sequence_number, stamp_of};
pub use read::{RecordPage, StartAt, StreamError};
pub use record::Record;
pub(crate) use round::Rounds;
pub use shard::Shard;

/// How long records are kept, in ms. Source: developer guide, 24 hours.
pub const RETENTION_MS: u64 = 24 * 60 * 60 * 1000;
