//! Jobs: background work that is owed, with its progress, so that a restart goes on where it stopped.
//!
//! ```text
//!   part   03 | table id (8, big-endian)
//!   sort   kind (1) | index id (4, big-endian; 0 where the job is about the table)
//!   value  encoding::stored of jobs::Progress
//! ```

use stator_kv::{Key, Range};
use stator_model::table::{IndexId, TableId};

use super::{PART_JOB, SMALL};

/// What a job does. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Removes all rows of a dropped table.
    DropTable = 1,
    /// Removes all rows of a dropped index.
    DropIndex = 2,
    /// Enters existing items into a new index.
    Backfill = 3,
    /// Enters the deadlines of existing items.
    Deadlines = 4,
}

/// The row key of a job.
pub fn key(table: TableId, kind: JobKind, index: Option<IndexId>) -> Key {
    let mut part = vec![PART_JOB];
    part.extend_from_slice(&table.0.to_be_bytes());
    let mut sort = vec![kind as u8];
    sort.extend_from_slice(&index.map_or(0, |index| index.0).to_be_bytes());
    Key::new(SMALL, &part, &sort)
}

/// All jobs.
pub fn all() -> Range {
    Range::prefix(SMALL, &[PART_JOB])
}

/// The job that a joined key belongs to.
pub fn parse(joined: &[u8]) -> Option<(TableId, JobKind, Option<IndexId>)> {
    let rest = joined.strip_prefix(&[PART_JOB])?;
    let (table, rest) = rest.split_first_chunk::<8>()?;
    let (&kind, index) = rest.split_first()?;
    let kinds = [JobKind::DropTable, JobKind::DropIndex, JobKind::Backfill, JobKind::Deadlines];
    let kind = kinds.into_iter().find(|known| *known as u8 == kind)?;
    let index = u32::from_be_bytes(index.try_into().ok()?);
    Some((TableId(u64::from_be_bytes(*table)), kind, (index > 0).then_some(IndexId(index))))
}
