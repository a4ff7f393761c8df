//! Creating, dropping, describing and listing tables. Changing them is in `change`.
//!
//! What must stay true: a verb that changes the catalog holds its turn from reading the snapshot to swapping it, so verbs
//! follow one another; rows are durable before the snapshot shows what they say.

#![deny(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use stator_kv::{CommitError, Decision, MiniTxn, StoreError, TxnId, Write};
use stator_model::arn::Scope;
use stator_model::limits::TABLES_MAX;
use stator_model::table::{BillingMode, IndexId, IndexKind, IndexSpec, IndexStatus, TableId, TableSpec, TableStatus, Throughput};

use super::table::{Index, Table, ThroughputHistory};
use super::{Snapshot, definition};
use crate::Engine;
use crate::encoding::stored;
use crate::keyspace::job::JobKind;
use crate::keyspace::sequence::{self, Owner};
use crate::keyspace::{self, job};

/// A table as DescribeTable shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The definition.
    pub table: Arc<Table>,
    /// Where the table is in its life, as the verb reports it.
    pub status: TableStatus,
    /// Items and bytes of the table.
    pub counts: (u64, u64),
    /// Entries and bytes of each index, in the order of the table's indexes.
    pub index_counts: Vec<(u64, u64)>,
}

/// Why a table was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateError {
    /// There is one of that name.
    Exists,
    /// The region has as many tables as it may.
    TooManyTables,
    /// The store failed.
    Store(StoreError),
}

/// Why a table was not dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeleteError {
    /// There is none of that name.
    NotFound,
    /// It is being created, updated or dropped.
    InUse(TableStatus),
    /// Deletion protection is on.
    Protected(Arc<Table>),
    /// The store failed.
    Store(StoreError),
}

impl Engine {
    /// Makes a table. The definition has been checked for shape.
    pub async fn create_table(&self, scope: &Scope, spec: &TableSpec) -> Result<Description, CreateError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        if snapshot.table(scope, &spec.name).is_some() {
            return Err(CreateError::Exists);
        }
        if snapshot.count(scope) >= TABLES_MAX {
            return Err(CreateError::TooManyTables);
        }
        let now_ms = self.now_ms();
        let mut table = new_table(scope, spec, self.clock.uuid(), now_ms, self.transition.end(now_ms));
        table.id = TableId(self.next_id(Owner::Tables).await.map_err(CreateError::Store)?);
        let mut along = Vec::new();
        if let Some(view) = spec.stream {
            let (stream, writes) = self.new_stream(&snapshot, &table, view, now_ms).await.map_err(CreateError::Store)?;
            table.stream = Some(stream);
            along = writes;
        }
        let table = self.store_definition(&snapshot, table, along).await.map_err(CreateError::Store)?;
        let index_counts = vec![(0, 0); table.indexes.len()];
        Ok(Description { table, status: TableStatus::Creating, counts: (0, 0), index_counts })
    }

    /// Drops a table. Its rows go in the background.
    pub async fn delete_table(&self, scope: &Scope, name: &str) -> Result<Description, DeleteError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let table = snapshot.table(scope, name).ok_or(DeleteError::NotFound)?;
        let now_ms = self.now_ms();
        match table.status(now_ms) {
            TableStatus::Active => {}
            status @ (TableStatus::Creating | TableStatus::Updating | TableStatus::Deleting) => return Err(DeleteError::InUse(status)),
        }
        if table.deletion_protection {
            return Err(DeleteError::Protected(Arc::clone(table)));
        }
        let mut description = self.describe(Arc::clone(table)).await.map_err(DeleteError::Store)?;
        description.status = TableStatus::Deleting;
        if self.transition.is_none() {
            self.drop_table(&snapshot, table).await.map_err(DeleteError::Store)?;
        } else {
            let deleting = Table { deleting_until_ms: Some(self.transition.end(now_ms)), ..Table::clone(table) };
            self.store_definition(&snapshot, deleting, Vec::new()).await.map_err(DeleteError::Store)?;
        }
        self.wake_jobs();
        Ok(description)
    }

    /// Describes a table, whatever its status.
    pub async fn describe_table(&self, scope: &Scope, name: &str) -> Result<Option<Description>, StoreError> {
        let table = self.snapshot.load().table(scope, name).cloned();
        match table {
            Some(table) => self.describe(table).await.map(Some),
            None => Ok(None),
        }
    }

    /// Names of the tables of a scope in their order, from behind a name, and whether there are more.
    pub fn list_tables(&self, scope: &Scope, after: Option<&str>, limit: usize) -> (Vec<String>, bool) {
        let snapshot = self.snapshot.load();
        let mut tables = snapshot.names_after(scope, after);
        let names = tables.by_ref().take(limit).map(|table| table.name.clone()).collect();
        (names, tables.next().is_some())
    }

    /// The description of a table as it is now.
    pub(crate) async fn describe(&self, table: Arc<Table>) -> Result<Description, StoreError> {
        let mut index_counts = self.counts(&table).await?;
        let counts = index_counts.remove(0);
        Ok(Description { status: table.status(self.now_ms()), table, counts, index_counts })
    }

    /// Takes a table out of the catalog and leaves its rows to a job; its stream stays to be read. The caller holds the turn.
    pub(crate) async fn drop_table(&self, snapshot: &Snapshot, table: &Table) -> Result<(), StoreError> {
        let owed = Write::Put(job::key(table.id, JobKind::DropTable, None), crate::jobs::Progress::default().encode());
        let mut writes = vec![Write::Delete(keyspace::table::key(table.id)), owed];
        let mut next = snapshot.without(table);
        if let Some(stream) = table.enabled_stream() {
            let disabled = stream.disabled(self.now_ms());
            writes.push(disabled.put());
            next = next.with_stream(Arc::new(disabled));
        }
        self.commit_catalog(writes).await?;
        self.snapshot.store(Arc::new(next));
        Ok(())
    }

    /// The next id of a sequence; one that is not used then is lost.
    pub(super) async fn next_id(&self, owner: Owner) -> Result<u64, StoreError> {
        let key = sequence::key(owner);
        let mut next = 0;
        self.store
            .mutate(std::slice::from_ref(&key), &mut |found| {
                next = found[0].as_ref().and_then(|row| sequence::decode(&row.value)).unwrap_or(0) + 1;
                Decision::Commit(vec![Write::Put(key.clone(), sequence::encode(next).into())])
            })
            .await
            .map_err(store_error)?;
        Ok(next)
    }

    /// Stores a changed definition with what goes along with it, then shows it. The caller holds the turn.
    pub(crate) async fn store_definition(
        &self,
        snapshot: &Snapshot,
        table: Table,
        mut along: Vec<Write>,
    ) -> Result<Arc<Table>, StoreError> {
        along.push(put_definition(&table));
        self.commit_catalog(along).await?;
        let table = Arc::new(table);
        let mut next = snapshot.with(Arc::clone(&table));
        if let Some(stream) = &table.stream {
            next = next.with_stream(Arc::clone(stream));
        }
        self.snapshot.store(Arc::new(next));
        Ok(table)
    }

    pub(crate) async fn commit_catalog(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut id = [0; 16];
        self.clock.random(&mut id);
        let txn = MiniTxn { id: TxnId(u128::from_le_bytes(id)), checks: Vec::new(), writes };
        self.store.commit(txn).await.map(|_| ()).map_err(store_error)
    }
}

/// The failure behind a commit that has no checks.
pub(crate) fn store_error(error: CommitError) -> StoreError {
    match error {
        CommitError::Store(error) => error,
        other @ (CommitError::Conflict { .. } | CommitError::Unknown(_) | CommitError::TooLarge(_)) => {
            StoreError::Io(format!("a catalog change was not acknowledged: {other:?}"))
        }
    }
}

fn put_definition(table: &Table) -> Write {
    Write::Put(keyspace::table::key(table.id), stored::wrap(definition::encode(table).as_bytes()))
}

fn new_table(scope: &Scope, spec: &TableSpec, uuid: String, now_ms: u64, creating_until_ms: u64) -> Table {
    let is_on_demand = spec.billing == BillingMode::PayPerRequest;
    let mut table = Table {
        id: TableId(0),
        scope: scope.clone(),
        name: spec.name.clone(),
        uuid,
        created_at_ms: now_ms,
        key: spec.key.clone(),
        indexes: Vec::new(),
        next_index_id: 1,
        billing: spec.billing,
        billing_named: is_on_demand,
        on_demand_since_ms: is_on_demand.then_some(now_ms),
        throughput: spec.throughput.unwrap_or(NO_THROUGHPUT),
        history: ThroughputHistory::default(),
        on_demand: spec.on_demand,
        warm: spec.warm,
        class: spec.class.map(|class| (class, None)),
        deletion_protection: spec.deletion_protection,
        creating_until_ms,
        updating_until_ms: 0,
        deleting_until_ms: None,
        stream: None,
        ttl: None,
        ttl_epochs: 0,
        counts_collections: spec.indexes.iter().any(|index| index.kind == IndexKind::Local),
        tags: spec.tags.clone(),
    };
    for index in &spec.indexes {
        add_index(&mut table, index, IndexStatus::Active);
    }
    table
}

const NO_THROUGHPUT: Throughput = Throughput { read_units: 0, write_units: 0 };

/// Gives a table one more index; answers its number.
pub(super) fn add_index(table: &mut Table, spec: &IndexSpec, status: IndexStatus) -> IndexId {
    let id = IndexId(table.next_index_id);
    table.next_index_id += 1;
    let index = Index {
        id,
        name: spec.name.clone(),
        kind: spec.kind,
        projected: Index::projected_names(&spec.projection, &table.key, spec.attributes()),
        key: spec.key.clone(),
        vector: spec.vector.clone(),
        projection: spec.projection.clone(),
        status,
        throughput: spec.throughput.unwrap_or(NO_THROUGHPUT),
        history: ThroughputHistory::default(),
        on_demand: spec.on_demand,
        warm: spec.warm,
        skipped_items: 0,
    };
    let at = match index.kind {
        IndexKind::Local => table.indexes.iter().filter(|index| index.kind == IndexKind::Local).count(),
        IndexKind::Global | IndexKind::Vector => table.indexes.len(),
    };
    table.indexes.insert(at, index);
    id
}
