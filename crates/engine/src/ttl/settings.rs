//! Turning TTL on and off.
//!
//! What must stay true: while TTL is on, every write keeps deadlines in step; when it is turned on, a job enters those of the
//! items that were there, and only then it counts as enabled.

#![deny(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use stator_kv::range::after_prefix;
use stator_kv::{StoreError, Write};
use stator_model::arn::Scope;
use stator_model::table::TableStatus;

use super::Ttl;
use crate::Engine;
use crate::catalog::Table;
use crate::keyspace::job::{self, JobKind};
use crate::keyspace::{DEADLINES, deadline};

/// What a table's TTL is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TtlStatus {
    /// Off.
    Disabled,
    /// On, while items that were there before are looked through.
    Enabling(String),
    /// On.
    Enabled(String),
}

/// Why TTL was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TtlError {
    /// There is no such table.
    NotFound,
    /// It is being created or dropped.
    InUse(TableStatus),
    /// It is on already.
    AlreadyEnabled,
    /// It is off already.
    AlreadyDisabled,
    /// It is on for this other attribute.
    OtherAttribute(String),
    /// The store failed.
    Store(StoreError),
}

impl Table {
    /// What the table's TTL is like.
    pub fn ttl_status(&self) -> TtlStatus {
        match &self.ttl {
            None => TtlStatus::Disabled,
            Some(ttl) if ttl.is_enabling => TtlStatus::Enabling(ttl.attribute.clone()),
            Some(ttl) => TtlStatus::Enabled(ttl.attribute.clone()),
        }
    }
}

impl Engine {
    /// Turns a table's TTL on or off.
    pub async fn update_ttl(&self, scope: &Scope, name: &str, attribute: &str, enable: bool) -> Result<(), TtlError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let table = snapshot.table(scope, name).ok_or(TtlError::NotFound)?;
        match table.status(self.now_ms()) {
            TableStatus::Active | TableStatus::Updating => {}
            status @ (TableStatus::Creating | TableStatus::Deleting) => return Err(TtlError::InUse(status)),
        }
        match (&table.ttl, enable) {
            (Some(ttl), _) if ttl.attribute != attribute => Err(TtlError::OtherAttribute(ttl.attribute.clone())),
            (Some(_), true) => Err(TtlError::AlreadyEnabled),
            (None, false) => Err(TtlError::AlreadyDisabled),
            (None, true) => {
                let epoch = table.ttl_epochs + 1;
                let ttl = Ttl { attribute: attribute.to_owned(), epoch, is_enabling: true };
                let next = Table { ttl: Some(ttl), ttl_epochs: epoch, ..Table::clone(table) };
                let owed = Write::Put(job::key(table.id, JobKind::Deadlines, None), crate::jobs::Progress::default().encode());
                self.store_definition(&snapshot, next, vec![owed]).await.map_err(TtlError::Store)?;
                self.wake_jobs();
                Ok(())
            }
            (Some(ttl), false) => {
                let next = Table { ttl: None, ..Table::clone(table) };
                let called_off = Write::Delete(job::key(table.id, JobKind::Deadlines, None));
                let prefix = deadline::epoch_prefix(table.id, ttl.epoch);
                self.store_definition(&snapshot, next, vec![called_off]).await.map_err(TtlError::Store)?;
                let end = after_prefix(&prefix).expect("table ids stay below the last one");
                self.store.delete_range(DEADLINES, &prefix, &end).await.map_err(TtlError::Store)
            }
        }
    }

    /// What the TTL of a table is like.
    pub fn ttl_status(&self, scope: &Scope, name: &str) -> Option<TtlStatus> {
        self.snapshot.load().table(scope, name).map(Arc::as_ref).map(Table::ttl_status)
    }
}
