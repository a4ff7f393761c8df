//! Table definitions: one row each, read at start and then held in the catalog's snapshot.
//!
//! ```text
//!   part   01 | table id (8, big-endian)
//!   sort   empty
//!   value  encoding::stored of catalog::definition
//! ```

use stator_kv::{Key, Range};
use stator_model::table::TableId;

use super::{PART_TABLE, SMALL};

/// The row key of a definition.
pub fn key(table: TableId) -> Key {
    let mut part = vec![PART_TABLE];
    part.extend_from_slice(&table.0.to_be_bytes());
    Key::new(SMALL, &part, &[])
}

/// All definitions.
pub fn all() -> Range {
    Range::prefix(SMALL, &[PART_TABLE])
}

/// The table that a joined key belongs to.
pub fn parse(joined: &[u8]) -> Option<TableId> {
    let id = joined.strip_prefix(&[PART_TABLE])?;
    id.try_into().ok().map(u64::from_be_bytes).map(TableId)
}
