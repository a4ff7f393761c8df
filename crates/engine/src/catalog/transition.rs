//! How long tables take to be made, changed and dropped, and ending it before its time.
//!
//! What must stay true: a table knows itself until when it is in transition, so a change of the time concerns later verbs only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stator_kv::StoreError;
use stator_model::table::TableStatus;

use super::Table;
use crate::Engine;

/// The end of a transition that lasts until it is released.
const NEVER_MS: u64 = u64::MAX;

/// The time that a transition takes.
#[derive(Debug)]
pub(crate) struct Transition {
    ms: AtomicU64,
}

impl Transition {
    pub(crate) fn of_ms(ms: u64) -> Transition {
        Transition { ms: AtomicU64::new(ms) }
    }

    /// Whether tables change at once.
    pub(super) fn is_none(&self) -> bool {
        self.ms.load(Ordering::Relaxed) == 0
    }

    /// The end of a transition that begins now, in ms since the epoch. One that takes no time has ended whatever the clock is
    /// set to afterwards.
    pub(super) fn end(&self, now_ms: u64) -> u64 {
        match self.ms.load(Ordering::Relaxed) {
            0 => 0,
            ms => now_ms.saturating_add(ms),
        }
    }
}

/// A table that is in transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTransition {
    /// The table.
    pub table: Arc<Table>,
    /// What it shows.
    pub status: TableStatus,
    /// Until when, in ms since the epoch; `None` until it is released.
    pub until_ms: Option<u64>,
}

impl Engine {
    /// How long tables take to be made, changed and dropped, in ms; `None` until they are released.
    pub fn table_transition(&self) -> Option<u64> {
        Some(self.transition.ms.load(Ordering::Relaxed)).filter(|ms| *ms != NEVER_MS)
    }

    /// Sets the time that later transitions take, in ms; `None` makes them last until they are released.
    pub fn set_table_transition(&self, ms: Option<u64>) {
        self.transition.ms.store(ms.unwrap_or(NEVER_MS), Ordering::Relaxed);
    }

    /// All tables that are in transition by time, in the order of their names.
    pub fn tables_in_transition(&self) -> Vec<InTransition> {
        let now_ms = self.now_ms();
        let mut tables: Vec<InTransition> = self.snapshot.load().tables().filter_map(|table| in_transition(table, now_ms)).collect();
        tables.sort_by(|one, other| (&one.table.name, &one.table.scope).cmp(&(&other.table.name, &other.table.scope)));
        tables
    }

    /// Ends the transitions of all tables, or of those of a name; answers which. What they owe is done in the background.
    pub async fn release_tables(&self, name: Option<&str>) -> Result<Vec<InTransition>, StoreError> {
        let _turn = self.catalog_turn.lock().await;
        let mut released = self.tables_in_transition();
        released.retain(|held| name.is_none_or(|name| held.table.name == name));
        let now_ms = self.now_ms();
        for held in &released {
            let mut next = Table::clone(&held.table);
            next.creating_until_ms = next.creating_until_ms.min(now_ms);
            next.updating_until_ms = next.updating_until_ms.min(now_ms);
            next.deleting_until_ms = next.deleting_until_ms.map(|until_ms| until_ms.min(now_ms));
            let snapshot = self.snapshot.load_full();
            self.store_definition(&snapshot, next, Vec::new()).await?;
        }
        self.wake_jobs();
        Ok(released)
    }
}

fn in_transition(table: &Arc<Table>, now_ms: u64) -> Option<InTransition> {
    let ends = [Some(table.creating_until_ms), Some(table.updating_until_ms), table.deleting_until_ms];
    let until_ms = ends.into_iter().flatten().filter(|until_ms| *until_ms > now_ms).max()?;
    let status = table.status(now_ms);
    Some(InTransition { table: Arc::clone(table), status, until_ms: (until_ms != NEVER_MS).then_some(until_ms) })
}
