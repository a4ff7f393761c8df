//! How far item collections may still grow: the items of one partition key of a table with local indexes weigh 10 GB at most
//! with their entries. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html>
//!
//! The size is a sum that every write adds to, and sums are not part of what a decision reads. What must stay true: it is
//! read before the decision, so writes that run beside each other, or come in one request, may go over the limit together by
//! their own bytes and no more. What shrinks a collection, or leaves its size, is never refused.

use stator_kv::{Key, Level, StoreError};

use super::{Action, Intent};
use crate::Engine;
use crate::catalog::Table;
use crate::keyspace::collection;

/// Bytes that a collection may grow by; `None` where nothing is counted or nothing can grow.
pub(crate) type Room = Option<i64>;

impl Engine {
    /// The room of the collection of an item that is about to be written.
    pub(crate) async fn room(&self, table: &Table, intent: &Intent, item_key: &Key) -> Result<Room, StoreError> {
        if !matches!(intent.action, Action::Put(_) | Action::Update { .. }) {
            return Ok(None);
        }
        let limit = self.options.item_collection_bytes_max;
        let size = self.collection_bytes(table, item_key).await?;
        Ok(size.map(|size| i64::try_from(limit.saturating_sub(size)).unwrap_or(i64::MAX)))
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
