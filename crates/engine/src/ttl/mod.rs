//! Time to live: items with a time in an attribute are removed once that time has passed.
//!
//! ```text
//!   write  ── the attribute's value ──► deadline row, in the same commit
//!   sweep  ── deadline rows that have passed ──► Action::Expire ── looks at the item again ──► effects as of any delete
//! ```
//!
//! What must stay true: nothing ever searches the table for what has expired; whether an item goes is decided on the item
//! itself, under its latch. Source: developer guide, "Using time to live in DynamoDB".

mod backfill;
mod settings;
mod sweep;

use stator_model::{MapRef, ValueRef};

pub use settings::{TtlError, TtlStatus};
pub(crate) use sweep::Rounds;

/// Seconds that a deadline may lie in the past: older ones are taken for mistakes. Five years.
const PAST_MAX_S: u64 = 5 * 365 * 24 * 60 * 60;

/// TTL as a table has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ttl {
    /// The attribute that holds the deadline, in seconds since the epoch.
    pub attribute: String,
    /// Which time it is that TTL is on for this table, from 1.
    pub epoch: u32,
    /// Items that were there before are still being looked through.
    pub is_enabling: bool,
}

/// The deadline that an item has, in seconds since the epoch; whatever is not a number has none.
pub(crate) fn deadline_s(ttl: &Ttl, item: MapRef<'_>) -> Option<u64> {
    let ValueRef::N(number) = item.get(&ttl.attribute)?.view() else { return None };
    let number = number.number();
    match number.to_i64() {
        Some(whole) => u64::try_from(whole).ok(),
        None => number.to_string().split('.').next().and_then(|whole| whole.parse().ok()),
    }
}

/// Whether a deadline has passed, but not too long ago.
pub(crate) fn is_due(deadline_s: u64, now_ms: u64) -> bool {
    (oldest_due_s(now_ms)..end_of_due_s(now_ms)).contains(&deadline_s)
}

/// The oldest deadline that counts.
fn oldest_due_s(now_ms: u64) -> u64 {
    (now_ms / 1000).saturating_sub(PAST_MAX_S)
}

/// The first deadline that has not passed.
fn end_of_due_s(now_ms: u64) -> u64 {
    now_ms.div_ceil(1000)
}
