//! How far item collections may still grow: the items of one partition key of a table with local indexes weigh 10 GB at most
//! with their entries. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html>
//!
//! The size is a sum that every write adds to, and sums are not part of what a decision reads. What must stay true: it is
//! read before the decision, so writes that run beside each other, or come in one request, may go over the limit together by
//! their own bytes and no more. What shrinks a collection, or leaves its size, is never refused. As long as a whole table
//! weighs less than one collection may, no size is read: what it weighs at most is known from its counters, once, and from
//! what was added since.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use stator_kv::{Key, Level, StoreError};
use stator_model::table::{IndexKind, TableId};

use super::{Action, Intent};
use crate::Engine;
use crate::catalog::{Snapshot, Table};
use crate::keyspace::collection;

/// A table that is not lighter than the limit by this has to be looked at closely. More than all writes can add that are under
/// way at the same time, with their entries.
const MARGIN_BYTES: u64 = 256 << 20;
/// Writes to a heavy table that look at their collection before the table is weighed again.
const LOOKS: u32 = 4096;

/// How much may be added to a collection.
#[derive(Debug, Clone)]
pub(crate) enum Room {
    /// Nothing is counted, or nothing can grow.
    Any,
    /// The whole table is far from what one collection may weigh. What is added is noted.
    Ample(Arc<Weight>),
    /// So many bytes.
    Bytes(i64),
}

impl Room {
    /// Whether there is room for so many bytes more. What is taken back later stays noted: the weight is an upper bound.
    pub(crate) fn takes(&self, growth_bytes: i64) -> bool {
        match self {
            Room::Any => true,
            Room::Ample(weight) => {
                weight.bytes_most.fetch_add(u64::try_from(growth_bytes).unwrap_or(0), Ordering::Relaxed);
                true
            }
            Room::Bytes(room) => growth_bytes <= 0 || growth_bytes <= *room,
        }
    }
}

/// What the items of a table weigh at most with their local index entries.
#[derive(Debug)]
pub(crate) struct Weight {
    bytes_most: AtomicU64,
    looks_left: AtomicU32,
}

impl Default for Weight {
    /// Not known: it has to be weighed.
    fn default() -> Weight {
        Weight { bytes_most: AtomicU64::new(u64::MAX), looks_left: AtomicU32::new(0) }
    }
}

impl Weight {
    fn is_far_below(&self, limit: u64) -> bool {
        self.bytes_most.load(Ordering::Relaxed) < limit.saturating_sub(MARGIN_BYTES)
    }

    /// Whether so many have looked closely that the table may be lighter by now than it seems.
    fn is_due(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.looks_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err()
    }

    fn is(&self, bytes: u64) {
        self.bytes_most.store(bytes, Ordering::Relaxed);
        self.looks_left.store(LOOKS, Ordering::Relaxed);
    }
}

/// The weights of those tables that were written to since the start.
#[derive(Debug, Default)]
pub(crate) struct Weights(ArcSwap<HashMap<TableId, Arc<Weight>>>);

impl Weights {
    fn of(&self, table: TableId) -> Option<Arc<Weight>> {
        self.0.load().get(&table).cloned()
    }

    /// Enters a table, and drops those that are gone.
    fn enter(&self, table: TableId, snapshot: &Snapshot) -> Arc<Weight> {
        self.0.rcu(|known| {
            let mut next = HashMap::clone(known);
            next.retain(|known, _| snapshot.table_by_id(*known).is_some());
            next.entry(table).or_default();
            next
        });
        self.of(table).unwrap_or_default()
    }

    /// The rows have been exchanged for others.
    pub(crate) fn forget(&self) {
        self.0.store(Arc::default());
    }
}

impl Engine {
    /// The room of the collection of an item that is about to be written.
    pub(crate) async fn room(&self, table: &Table, intent: &Intent, item_key: &Key) -> Result<Room, StoreError> {
        if !table.counts_collections || !matches!(intent.action, Action::Put(_) | Action::Update { .. }) {
            return Ok(Room::Any);
        }
        let limit = self.options.item_collection_bytes_max;
        let weight = match self.weights.of(table.id) {
            Some(weight) => weight,
            None => self.weights.enter(table.id, &self.snapshot.load()),
        };
        if !weight.is_far_below(limit) && weight.is_due() {
            weight.is(self.weigh(table).await?);
        }
        if weight.is_far_below(limit) {
            return Ok(Room::Ample(weight));
        }
        let size = self.collection_bytes(table, item_key).await?.unwrap_or(0);
        Ok(Room::Bytes(i64::try_from(limit.saturating_sub(size)).unwrap_or(i64::MAX)))
    }

    async fn weigh(&self, table: &Table) -> Result<u64, StoreError> {
        let counts = self.counts(table).await?;
        let is_local = std::iter::once(true).chain(table.indexes.iter().map(|index| index.kind == IndexKind::Local));
        Ok(counts.into_iter().zip(is_local).filter(|(_, is_local)| *is_local).map(|((_, bytes), _)| bytes).sum())
    }

    /// Bytes of the collection that an item of a table belongs to; `None` where nothing is counted.
    pub async fn collection_bytes(&self, table: &Table, item_key: &Key) -> Result<Option<u64>, StoreError> {
        if !table.counts_collections {
            return Ok(None);
        }
        let key = collection::key(item_key);
        let Some(row) = self.store.read(std::slice::from_ref(&key), Level::Strong).await?.remove(0) else { return Ok(Some(0)) };
        let unreadable = || StoreError::Corrupt(format!("the collection {:02x?} cannot be read", key.bytes()));
        collection::decode(&row.value).map(|bytes| Some(u64::try_from(bytes).unwrap_or(0))).ok_or_else(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 10 << 30;

    #[test]
    fn a_table_is_looked_at_closely_when_it_may_be_heavy_and_weighed_again_at_times() {
        let weight = Arc::new(Weight::default());
        weight.is(LIMIT - MARGIN_BYTES - 1000);
        assert!(weight.is_far_below(LIMIT));
        assert!(Room::Ample(Arc::clone(&weight)).takes(-5000));
        assert!(Room::Ample(Arc::clone(&weight)).takes(999));
        assert!(weight.is_far_below(LIMIT));
        assert!(Room::Ample(Arc::clone(&weight)).takes(1));
        assert!(!weight.is_far_below(LIMIT));
        assert_eq!((0..LOOKS).filter(|_| weight.is_due()).count(), 0);
        assert!(weight.is_due());
        weight.is(0);
        assert!(weight.is_far_below(LIMIT));
    }

    #[test]
    fn room_is_for_what_grows() {
        assert!(Room::Bytes(10).takes(10) && !Room::Bytes(10).takes(11));
        assert!(Room::Bytes(-5).takes(0) && Room::Bytes(-5).takes(-1) && !Room::Bytes(-5).takes(1));
        let light = Weight::default();
        assert!(!light.is_far_below(LIMIT) && light.is_due(), "it has not been weighed");
        light.is(0);
        assert!(light.is_far_below(LIMIT) && !light.is_far_below(MARGIN_BYTES), "a small limit is always looked at closely");
    }

    #[test]
    fn tables_are_told_apart_and_forgotten() {
        let (weights, none) = (Weights::default(), Snapshot::default());
        weights.enter(TableId(1), &none).is(7);
        assert_eq!(weights.of(TableId(1)).unwrap().bytes_most.load(Ordering::Relaxed), 7);
        weights.enter(TableId(2), &none);
        assert!(weights.of(TableId(1)).is_none(), "there is no such table any more");
        weights.forget();
        assert!(weights.of(TableId(2)).is_none());
    }
}
