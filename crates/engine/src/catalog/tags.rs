//! Tags of tables.
//!
//! What must stay true: a table never has more tags than it may, whoever adds them at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;

use stator_kv::StoreError;
use stator_model::arn::Scope;
use stator_model::limits::TAGS_MAX;

use super::Table;
use crate::Engine;

/// Why tags were not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagError {
    /// There is no such table.
    NotFound,
    /// It would have so many.
    TooMany(usize),
    /// The store failed.
    Store(StoreError),
}

impl Engine {
    /// Sets some tags of a table.
    pub async fn tag_table(&self, scope: &Scope, name: &str, tags: BTreeMap<String, String>) -> Result<(), TagError> {
        self.change_tags(scope, name, |known| known.extend(tags)).await
    }

    /// Takes some tags of a table away; those that it does not have are passed over.
    pub async fn untag_table(&self, scope: &Scope, name: &str, keys: &[String]) -> Result<(), TagError> {
        self.change_tags(scope, name, |known| known.retain(|key, _| !keys.contains(key))).await
    }

    async fn change_tags(&self, scope: &Scope, name: &str, change: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<(), TagError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let mut next = Table::clone(snapshot.table(scope, name).map(Arc::as_ref).ok_or(TagError::NotFound)?);
        change(&mut next.tags);
        if next.tags.len() > TAGS_MAX {
            return Err(TagError::TooMany(next.tags.len()));
        }
        self.store_definition(&snapshot, next, Vec::new()).await.map(|_| ()).map_err(TagError::Store)
    }
}
