//! Removing items whose time has come.
//!
//! What must stay true: a sweep does a bounded number of deletions and then lets others go first; each of them is a write
//! like any other, with its index entries and its stream record, that looks at the item once more.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use futures_util::future::join_all;
use parking_lot::Mutex;
use stator_kv::{Key, Level, StoreError, Visit};
use stator_model::table::TableId;

use super::{Ttl, end_of_due_s, oldest_due_s};
use crate::Engine;
use crate::catalog::Table;
use crate::encoding::stored;
use crate::index::project;
use crate::keyspace::deadline;
use crate::write::{Action, Intent, WriteError};

/// Items removed in one sweep; whoever calls for sweeps lets others go first between two of them.
const ITEMS_PER_SWEEP: usize = 512;
/// Items removed at the same time, so that they share a sync; few enough for requests that come meanwhile to hardly wait.
const ITEMS_AT_ONCE: usize = 32;

/// How far sweeps have come with the tables that have more to remove than one sweep takes. Going on there instead of at the
/// beginning spares reading over what was just removed; whatever lies before it is met by the next round.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Mutex<HashMap<(TableId, u32), Place>>);

/// Where a round goes on: the lane, and the sort of the last deadline met there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    lane: u8,
    behind: Vec<u8>,
}

impl Engine {
    /// Removes items whose time has come; answers whether there are more. Every table gets its share, so that none has to wait
    /// until a larger one is done.
    pub async fn sweep_expired(&self) -> Result<bool, StoreError> {
        let is_swept = |table: &&Arc<Table>| table.ttl.is_some() && table.is_usable(self.now_ms());
        let tables: Vec<Arc<Table>> = self.snapshot.load().tables().filter(is_swept).cloned().collect();
        let share = (ITEMS_PER_SWEEP / tables.len().max(1)).max(1);
        let mut places = std::mem::take(&mut *self.rounds.0.lock());
        let mut next = HashMap::new();
        for table in &tables {
            let Some(ttl) = &table.ttl else { continue };
            let round = (table.id, ttl.epoch);
            let (due, place) = self.due_items(table, ttl, places.remove(&round), share).await?;
            next.extend(place.map(|place| (round, place)));
            for some in due.chunks(ITEMS_AT_ONCE) {
                let outcomes = join_all(some.iter().map(|key| self.expire(table, key))).await;
                outcomes.into_iter().collect::<Result<(), _>>()?;
            }
        }
        let has_more = !next.is_empty();
        *self.rounds.0.lock() = next;
        Ok(has_more)
    }

    /// Keys of the items whose deadlines have passed, at most so many, and where to go on if there may be more.
    async fn due_items(
        &self,
        table: &Table,
        ttl: &Ttl,
        from: Option<Place>,
        limit: usize,
    ) -> Result<(Vec<Key>, Option<Place>), StoreError> {
        let now_ms = self.expiry_ms();
        let (mut due, first_lane) = (Vec::new(), from.as_ref().map_or(0, |place| place.lane));
        for lane in first_lane..deadline::LANES {
            let behind = from.as_ref().filter(|place| place.lane == lane).map(|place| place.behind.clone());
            let from = behind.map_or_else(|| Bound::Included(deadline::sort_of(oldest_due_s(now_ms))), Bound::Excluded);
            let mut last = None;
            self.store
                .scan(&deadline::between(table.id, ttl.epoch, lane, from, end_of_due_s(now_ms)), &mut |row| {
                    if due.len() == limit {
                        return Visit::Stop;
                    }
                    due.extend(deadline::parse(row.key).map(|(_, _, _, item_key)| item_key));
                    last = Some(deadline::sort_in(row.key).to_vec());
                    Visit::Next
                })
                .await?;
            if due.len() == limit {
                return Ok((due, last.map(|behind| Place { lane, behind })));
            }
        }
        Ok((due, None))
    }

    async fn expire(&self, table: &Arc<Table>, item_key: &Key) -> Result<(), StoreError> {
        let found = self.store.read(std::slice::from_ref(item_key), Level::Strong).await?.remove(0);
        let Some(row) = found else { return Ok(()) };
        let key = project(stored::map(&row.value), |name| table.key.contains(name));
        match self.write(table, &Intent { action: Action::Expire { key }, condition: None }).await {
            Err(WriteError::Store(error)) => Err(error),
            // Moved, held or gone: the next sweep sees.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
