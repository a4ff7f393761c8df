//! Removing the rows of dropped tables and indexes.
//!
//! What must stay true: the catalog no longer maintains what is removed here, and the store removes a range after every
//! write accepted before; so no row can come back.

use std::sync::Arc;

use stator_kv::range::after_prefix;
use stator_kv::{Space, StoreError, Write};
use stator_model::table::{IndexId, TableId};

use crate::Engine;
use crate::catalog::Table;
use crate::keyspace::job::JobKind;
use crate::keyspace::{DEADLINES, GLOBAL, ITEMS, SMALL, VECTORS, counter, deadline, global_index, item, vector_entry};

impl Engine {
    /// Drops tables whose time has come; answers when the next one's comes.
    pub(super) async fn drop_due_tables(&self) -> Result<Option<u64>, StoreError> {
        let now_ms = self.now_ms();
        let due_of = |table: &Arc<Table>| table.deleting_until_ms;
        if self.snapshot.load().tables().filter_map(due_of).any(|due_ms| due_ms <= now_ms) {
            let _turn = self.catalog_turn.lock().await;
            let due: Vec<Arc<Table>> =
                self.snapshot.load().tables().filter(|table| due_of(table).is_some_and(|due_ms| due_ms <= now_ms)).cloned().collect();
            for table in due {
                let snapshot = self.snapshot.load_full();
                self.drop_table(&snapshot, &table).await?;
            }
        }
        Ok(self.snapshot.load().tables().filter_map(due_of).min())
    }

    pub(super) async fn drop_table_rows(&self, table: TableId) -> Result<(), StoreError> {
        self.delete_prefix(ITEMS, &item::table_prefix(table)).await?;
        self.delete_prefix(GLOBAL, &global_index::table_prefix(table)).await?;
        self.delete_prefix(VECTORS, &vector_entry::table_prefix(table)).await?;
        self.delete_prefix(SMALL, &counter::table_prefix(table)).await?;
        self.delete_prefix(DEADLINES, &deadline::table_prefix(table)).await?;
        self.finish_job(table, JobKind::DropTable, None, Vec::new()).await
    }

    pub(super) async fn drop_index_rows(&self, table: TableId, index: Option<IndexId>) -> Result<(), StoreError> {
        let index = index.ok_or_else(|| StoreError::Corrupt("an index is to be dropped, but the job names none".into()))?;
        self.delete_prefix(GLOBAL, &global_index::index_prefix(table, index)).await?;
        self.delete_prefix(VECTORS, &vector_entry::index_prefix(table, index)).await?;
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let counter = Write::Delete(counter::key(table, Some(index)));
        if let Some(definition) = snapshot.table_by_id(table) {
            let mut next = Table::clone(definition);
            next.indexes.retain(|known| known.id != index);
            self.store_definition(&snapshot, next, vec![counter.clone()]).await?;
        }
        self.finish_job(table, JobKind::DropIndex, Some(index), vec![counter]).await
    }

    async fn delete_prefix(&self, space: Space, prefix: &[u8]) -> Result<(), StoreError> {
        let end = after_prefix(prefix).expect("table ids stay below the last one");
        self.store.delete_range(space, prefix, &end).await
    }
}
