//! The single read path: point reads, and pages of tables and indexes.
//!
//! What must stay true: nothing here writes or waits for a writer. A page is one scan of the store, so it is consistent in
//! itself; filter and projection read the stored bytes in place, and so does whoever prints the answer.

#![deny(clippy::wildcard_enum_match_arm)]

mod cursor;
mod items;
mod page;

use std::sync::Arc;

use stator_kv::{Level, StoreError};
use stator_model::Item;

pub use cursor::StartKeyError;
pub use items::Items;
pub use page::{ItemVisitor, Page, PageRequest, Select, Target};

use crate::Engine;
use crate::capacity::{Consistency, HalfUnits};
use crate::catalog::Table;
use crate::encoding::stored;
use crate::receipt::Receipt;
use crate::write::{KeyError, row_key};

/// Why nothing was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The key is not one of this table.
    Key(KeyError),
    /// The exclusive start key has no place here.
    StartKey(StartKeyError),
    /// The store failed.
    Store(StoreError),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> ReadError {
        ReadError::Store(error)
    }
}

impl Engine {
    /// Reads one item.
    pub async fn get(&self, table: &Table, key: &Item, consistency: Consistency) -> Result<(Option<Item>, Receipt), ReadError> {
        let (mut items, receipt) = self.get_many(table, std::slice::from_ref(key), consistency).await?;
        Ok((items.pop().expect("every key is answered"), receipt))
    }

    /// Reads items by their keys in one snapshot, in the order of the keys. Each is charged on its own.
    pub async fn get_many(
        &self,
        table: &Table,
        keys: &[Item],
        consistency: Consistency,
    ) -> Result<(Vec<Option<Item>>, Receipt), ReadError> {
        let rows = keys.iter().map(|key| row_key(table, key)).collect::<Result<Vec<_>, _>>().map_err(ReadError::Key)?;
        let found = self.store.read(&rows, level(consistency)).await?;
        let mut units = HalfUnits::default();
        let items = found.into_iter().map(|row| {
            let item = row.map(|row| stored::item(&row.value));
            units += HalfUnits::of_read(item.as_ref().map_or(0, Item::size_bytes), consistency);
            item
        });
        let items = items.collect();
        Ok((items, Receipt::of_table(units)))
    }

    /// Reads a page of a Query or Scan; its items are visited one by one, and copied by nobody else. After an error, what was
    /// visited is no page.
    pub async fn page(&self, table: &Arc<Table>, request: &PageRequest<'_>, visit: &mut ItemVisitor<'_>) -> Result<Page, ReadError> {
        page::read(self, table, request, visit).await
    }
}

pub(crate) fn level(consistency: Consistency) -> Level {
    match consistency {
        Consistency::Strong => Level::Strong,
        Consistency::Eventual => Level::Eventual,
    }
}
