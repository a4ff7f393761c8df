//! Every kind of row, one file each. Opening this folder shows the whole database.
//!
//! | kind | space | number | changes | lives |
//! |---|---|---|---|---|
//! | `item` | ITEMS | sort 0 | by every write | as long as the item |
//! | `local_index` | ITEMS | sort 1 | with its item | as long as the item projects it |
//! | `collection` | ITEMS | sort 2 | added to with every item and entry of its partition | as long as the table |
//! | `global_index` | GLOBAL | – | with its item | as long as the item projects it |
//! | `vector_entry` | VECTORS | – | with its item | as long as the item has a vector |
//! | `table` | SMALL | part 1 | by table operations | as long as the table |
//! | `counter` | SMALL | part 2 | added to by every write | as long as the table or index |
//! | `job` | SMALL | part 3 | by the job's progress | until the job is done |
//! | `sequence` | SMALL | part 4 | by CreateTable, and when a stream is enabled | forever |
//! | `transaction_token` | SMALL | part 5 | never | ten to twenty minutes |
//! | `stream` | SMALL | part 6 | when it is disabled | until a day after that |
//! | `stream_volume` | SMALL | part 7 | added to with every record | as long as the stream |
//! | `deadline` | DEADLINES | – | with its item | as long as the item has it and TTL is on |
//! | `stream_shard` | LOG | sort 0 | never | until its last record is trimmed |
//! | `stream_record` | LOG | sort 1 | never | a day |
//! | `stream_horizon` | LOG | sort 2 | by trimming | as long as the stream |
//!
//! What must stay true: nothing outside this folder builds a key. Numbers are given once and never reused. Within a space
//! no part is a prefix of another, as the storage contract asks.

use stator_kv::{Key, Profile, Space};

pub mod collection;
pub mod counter;
pub mod deadline;
pub mod global_index;
pub mod item;
pub mod job;
pub mod local_index;
pub mod sequence;
pub mod stream;
pub mod stream_horizon;
pub mod stream_record;
pub mod stream_shard;
pub mod stream_volume;
pub mod table;
pub mod transaction_token;
pub mod vector_entry;

mod partition;

pub use partition::KeyFault;
pub(crate) use partition::key_value;

/// Items, their local index entries, and the sizes of item collections.
pub const ITEMS: Space = Space { id: 1, profile: Profile::Rows };
/// Global index entries.
pub const GLOBAL: Space = Space { id: 2, profile: Profile::Derived };
/// Definitions, counters and jobs.
pub const SMALL: Space = Space { id: 3, profile: Profile::Small };
/// Records of streams and their shards.
pub const LOG: Space = Space { id: 4, profile: Profile::Log };
/// When items have had their time.
pub const DEADLINES: Space = Space { id: 5, profile: Profile::Derived };

/// Vector index entries.
pub const VECTORS: Space = Space { id: 6, profile: Profile::Dense };

/// All spaces of the engine.
pub const SPACES: [Space; 6] = [ITEMS, GLOBAL, SMALL, LOG, DEADLINES, VECTORS];

/// The first byte of `sort` in ITEMS.
pub(crate) const SORT_ITEM: u8 = 0;
pub(crate) const SORT_LOCAL_INDEX: u8 = 1;
pub(crate) const SORT_COLLECTION: u8 = 2;

/// The first byte of `part` in SMALL.
pub(crate) const PART_TABLE: u8 = 1;
pub(crate) const PART_COUNTER: u8 = 2;
pub(crate) const PART_JOB: u8 = 3;
pub(crate) const PART_SEQUENCE: u8 = 4;
pub(crate) const PART_TRANSACTION_TOKEN: u8 = 5;
pub(crate) const PART_STREAM: u8 = 6;
pub(crate) const PART_STREAM_VOLUME: u8 = 7;

/// The first byte of `sort` in LOG.
pub(crate) const SORT_SHARD: u8 = 0;
pub(crate) const SORT_RECORD: u8 = 1;
pub(crate) const SORT_HORIZON: u8 = 2;

/// Whether two of the keys are one.
pub(crate) fn has_twins(keys: &[Key]) -> bool {
    let mut sorted: Vec<&Key> = keys.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}
