//! Changing a table: capacity, billing, protection, class, stream, and indexes.
//!
//! What must stay true: a change is checked whole before anything of it is stored, and stored whole.

#![deny(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use stator_kv::{StoreError, Write};
use stator_model::arn::Scope;
use stator_model::key::KeyAttribute;
use stator_model::limits::{GLOBAL_INDEXES_MAX, VECTOR_INDEXES_MAX};
use stator_model::stream::StreamView;
use stator_model::table::{
    BillingMode, IndexKind, IndexSpec, IndexStatus, OnDemandLimits, TableClass, TableStatus, Throughput, VectorSpec, WarmThroughput,
};

use super::Snapshot;
use super::table::{Table, ThroughputHistory};
use super::verbs::{Description, add_index};
use crate::Engine;
use crate::keyspace::job::{self, JobKind};

/// What UpdateTable asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableChange {
    /// Billing mode.
    pub billing: Option<BillingMode>,
    /// Provisioned capacity.
    pub throughput: Option<Throughput>,
    /// On-demand bounds.
    pub on_demand: Option<OnDemandLimits>,
    /// Warm throughput.
    pub warm: Option<WarmThroughput>,
    /// Table class.
    pub class: Option<TableClass>,
    /// Deletion protection.
    pub deletion_protection: Option<bool>,
    /// Changes of global and vector indexes, each of another index.
    pub indexes: Vec<IndexChange>,
    /// The stream.
    pub stream: Option<StreamChange>,
}

/// A change of a table's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamChange {
    /// Begins a new one.
    Enable(StreamView),
    /// Ends it; it can be read for another day.
    Disable,
}

/// A change of one global or vector index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexChange {
    /// Adds it.
    Create(IndexSpec),
    /// Changes the capacity of a global index.
    Update {
        /// Its name.
        name: String,
        /// Provisioned capacity.
        throughput: Option<Throughput>,
        /// On-demand bounds.
        on_demand: Option<OnDemandLimits>,
        /// Warm throughput.
        warm: Option<WarmThroughput>,
    },
    /// Drops it.
    Delete {
        /// Its name.
        name: String,
        /// Its kind.
        kind: IndexKind,
    },
}

/// Why a table was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeError {
    /// There is none of that name.
    NotFound,
    /// It is being created, updated or dropped.
    InUse(TableStatus),
    /// No index of that kind has that name.
    IndexNotFound(String),
    /// An index has that name already.
    IndexExists(String),
    /// Index being made or dropped, so that it cannot be changed now.
    IndexInUse(String),
    /// More than one index is to be made or dropped.
    SeveralIndexChanges,
    /// As many global indexes as a table may have.
    TooManyIndexes,
    /// As many vector indexes as a table may have.
    TooManyVectorIndexes,
    /// A vector index needs a table on demand.
    VectorsProvisioned,
    /// Another index has vectors of other dimensions in the attribute.
    VectorDimensions {
        /// The attribute.
        attribute: String,
    },
    /// The attribute of the vectors is a key attribute.
    VectorInKey {
        /// What it is in the key.
        attribute: KeyAttribute,
        /// Whether it is a partition attribute.
        is_partition: bool,
        /// How many numbers the vectors were to have.
        dimensions: usize,
    },
    /// The capacity asked for is what there is; `None` names the table.
    ThroughputUnchanged {
        /// The index concerned.
        index: Option<String>,
        /// What it is.
        current: Throughput,
    },
    /// Provisioned capacity was given for an on-demand table.
    ThroughputOnDemand,
    /// A provisioned table or index needs its capacity.
    ThroughputMissing {
        /// Indexes that lack it; empty for the table.
        indexes: Vec<String>,
    },
    /// Warm throughput may only grow.
    WarmDecrease {
        /// What it is.
        current: WarmThroughput,
        /// What was asked for.
        requested: WarmThroughput,
    },
    /// There is a stream already.
    StreamEnabled,
    /// There is no stream to disable.
    StreamDisabled,
    /// The store failed.
    Store(StoreError),
}

/// Warm throughput that on-demand tables start with, in units per second (observed).
pub const ON_DEMAND_WARM: WarmThroughput = WarmThroughput { read_units: 12_000, write_units: 4_000 };

impl Engine {
    /// Changes a table.
    pub async fn update_table(&self, scope: &Scope, name: &str, change: &TableChange) -> Result<Description, ChangeError> {
        let _turn = self.catalog_turn.lock().await;
        let snapshot = self.snapshot.load_full();
        let table = snapshot.table(scope, name).ok_or(ChangeError::NotFound)?;
        let now_ms = self.now_ms();
        check_status(table, change, now_ms)?;
        let mut next = Table { updating_until_ms: self.transition.end(now_ms), ..Table::clone(table) };
        change_billing(&mut next, change, now_ms)?;
        change_capacity(&mut next, change, now_ms)?;
        if let Some(class) = change.class {
            let changed_at_ms =
                if next.class.is_some_and(|(known, _)| known == class) { next.class.and_then(|(_, at)| at) } else { Some(now_ms) };
            next.class = Some((class, changed_at_ms));
        }
        next.deletion_protection = change.deletion_protection.unwrap_or(next.deletion_protection);
        let mut along = change_indexes(&mut next, change, now_ms)?;
        along.extend(self.change_stream(&snapshot, &mut next, change.stream, now_ms).await?);
        let table = self.store_definition(&snapshot, next, along).await.map_err(ChangeError::Store)?;
        self.wake_jobs();
        let description = self.describe(table).await.map_err(ChangeError::Store)?;
        Ok(Description { status: TableStatus::Updating, ..description })
    }

    /// Applies the change of the stream; answers the rows that go along.
    async fn change_stream(
        &self,
        snapshot: &Snapshot,
        table: &mut Table,
        change: Option<StreamChange>,
        now_ms: u64,
    ) -> Result<Vec<Write>, ChangeError> {
        match (change, table.enabled_stream()) {
            (None, _) => Ok(Vec::new()),
            (Some(StreamChange::Enable(_)), Some(_)) => Err(ChangeError::StreamEnabled),
            (Some(StreamChange::Disable), None) => Err(ChangeError::StreamDisabled),
            (Some(StreamChange::Enable(view)), None) => {
                let (stream, writes) = self.new_stream(snapshot, table, view, now_ms).await.map_err(ChangeError::Store)?;
                table.stream = Some(stream);
                Ok(writes)
            }
            (Some(StreamChange::Disable), Some(stream)) => {
                let stream = stream.disabled(now_ms);
                let write = stream.put();
                table.stream = Some(Arc::new(stream));
                Ok(vec![write])
            }
        }
    }
}

/// A table that is being updated still lets go of an index that is being made.
fn check_status(table: &Table, change: &TableChange, now_ms: u64) -> Result<(), ChangeError> {
    let drops =
        |name: &str| change.indexes.iter().any(|change| matches!(change, IndexChange::Delete { name: dropped, .. } if dropped == name));
    match table.status(now_ms) {
        TableStatus::Active => Ok(()),
        TableStatus::Updating => {
            let mut unsettled = table.indexes.iter().filter(|index| index.status != IndexStatus::Active).peekable();
            let all_dropped =
                unsettled.peek().is_some() && unsettled.all(|index| drops(&index.name) && index.status != IndexStatus::Deleting);
            if all_dropped { Ok(()) } else { Err(ChangeError::InUse(TableStatus::Updating)) }
        }
        status @ (TableStatus::Creating | TableStatus::Deleting) => Err(ChangeError::InUse(status)),
    }
}

fn change_billing(table: &mut Table, change: &TableChange, now_ms: u64) -> Result<(), ChangeError> {
    let billing = change.billing.unwrap_or(table.billing);
    if billing == BillingMode::PayPerRequest && change.throughput.is_some() {
        return Err(ChangeError::ThroughputOnDemand);
    }
    let changes_mode = billing != table.billing;
    if changes_mode && billing == BillingMode::Provisioned {
        if table.indexes.iter().any(|index| index.kind == IndexKind::Vector) {
            return Err(ChangeError::VectorsProvisioned);
        }
        if change.throughput.is_none() {
            return Err(ChangeError::ThroughputMissing { indexes: Vec::new() });
        }
        let given = |name: &str| {
            change
                .indexes
                .iter()
                .any(|change| matches!(change, IndexChange::Update { name: given, throughput: Some(_), .. } if given == name))
        };
        let lacking = table.indexes.iter().filter(|index| index.kind == IndexKind::Global && !given(&index.name));
        let indexes: Vec<String> = lacking.map(|index| index.name.clone()).collect();
        if !indexes.is_empty() {
            return Err(ChangeError::ThroughputMissing { indexes });
        }
    }
    if changes_mode && billing == BillingMode::PayPerRequest {
        table.on_demand_since_ms = Some(now_ms);
        table.throughput = Throughput { read_units: 0, write_units: 0 };
        table.indexes.iter_mut().for_each(|index| index.throughput = table.throughput);
    }
    if changes_mode && billing == BillingMode::Provisioned {
        table.on_demand = OnDemandLimits::default();
        table.indexes.iter_mut().for_each(|index| index.on_demand = OnDemandLimits::default());
    }
    table.billing_named |= changes_mode || billing == BillingMode::PayPerRequest;
    table.billing = billing;
    Ok(())
}

fn change_capacity(table: &mut Table, change: &TableChange, now_ms: u64) -> Result<(), ChangeError> {
    if let Some(requested) = change.throughput {
        if requested == table.throughput {
            return Err(ChangeError::ThroughputUnchanged { index: None, current: requested });
        }
        set_throughput(&mut table.throughput, &mut table.history, requested, now_ms);
    }
    if let Some(on_demand) = change.on_demand {
        merge_on_demand(&mut table.on_demand, on_demand);
    }
    if let Some(requested) = change.warm {
        let current = table.warm.unwrap_or_else(|| warm_default(table.billing, table.throughput));
        table.warm = Some(grow_warm(current, requested)?);
    }
    Ok(())
}

/// Warm throughput of a table or index that was never given one.
pub fn warm_default(billing: BillingMode, throughput: Throughput) -> WarmThroughput {
    match billing {
        BillingMode::PayPerRequest => ON_DEMAND_WARM,
        BillingMode::Provisioned => WarmThroughput { read_units: throughput.read_units, write_units: throughput.write_units },
    }
}

fn grow_warm(current: WarmThroughput, requested: WarmThroughput) -> Result<WarmThroughput, ChangeError> {
    let shrinks = requested.read_units < current.read_units || requested.write_units < current.write_units;
    if shrinks { Err(ChangeError::WarmDecrease { current, requested }) } else { Ok(requested) }
}

/// A bound asked for as `u64::MAX` takes the bound away.
fn merge_on_demand(current: &mut OnDemandLimits, requested: OnDemandLimits) {
    let merge = |current: Option<u64>, requested: Option<u64>| requested.or(current).filter(|units| *units != u64::MAX);
    current.read_units_max = merge(current.read_units_max, requested.read_units_max);
    current.write_units_max = merge(current.write_units_max, requested.write_units_max);
}

fn set_throughput(current: &mut Throughput, history: &mut ThroughputHistory, requested: Throughput, now_ms: u64) {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    if requested.read_units > current.read_units || requested.write_units > current.write_units {
        history.increased_at_ms = Some(now_ms);
    }
    if requested.read_units < current.read_units || requested.write_units < current.write_units {
        let is_same_day = history.decreased_at_ms.is_some_and(|at| at / DAY_MS == now_ms / DAY_MS);
        history.decreases_on_day = if is_same_day { history.decreases_on_day + 1 } else { 1 };
        history.decreased_at_ms = Some(now_ms);
    }
    *current = requested;
}

/// Applies the changes of indexes; answers the jobs that they owe.
fn change_indexes(table: &mut Table, change: &TableChange, now_ms: u64) -> Result<Vec<Write>, ChangeError> {
    let structural = change.indexes.iter().filter(|change| !matches!(change, IndexChange::Update { .. })).count();
    if structural > 1 {
        return Err(ChangeError::SeveralIndexChanges);
    }
    let mut jobs = Vec::new();
    for change in &change.indexes {
        match change {
            IndexChange::Create(spec) => jobs.push(create_index(table, spec)?),
            IndexChange::Delete { name, kind } => jobs.extend(delete_index(table, name, *kind)?),
            IndexChange::Update { name, throughput, on_demand, warm } => update_index(table, name, *throughput, *on_demand, *warm, now_ms)?,
        }
    }
    Ok(jobs)
}

fn create_index(table: &mut Table, spec: &IndexSpec) -> Result<Write, ChangeError> {
    if table.index(&spec.name).is_some() {
        return Err(ChangeError::IndexExists(spec.name.clone()));
    }
    let count = table.indexes.iter().filter(|index| index.kind == spec.kind).count();
    match (&spec.vector, table.billing, spec.throughput) {
        (Some(vector), ..) => check_vector_index(table, vector, count)?,
        (None, ..) if count >= GLOBAL_INDEXES_MAX => return Err(ChangeError::TooManyIndexes),
        (None, BillingMode::Provisioned, None) => return Err(ChangeError::ThroughputMissing { indexes: vec![spec.name.clone()] }),
        (None, BillingMode::PayPerRequest, Some(_)) => return Err(ChangeError::ThroughputOnDemand),
        _ => {}
    }
    let id = add_index(table, spec, IndexStatus::Creating { backfilling: true });
    Ok(Write::Put(job::key(table.id, JobKind::Backfill, Some(id)), crate::jobs::Progress::default().encode()))
}

fn check_vector_index(table: &Table, vector: &VectorSpec, count: usize) -> Result<(), ChangeError> {
    if table.billing == BillingMode::Provisioned {
        return Err(ChangeError::VectorsProvisioned);
    }
    if count >= VECTOR_INDEXES_MAX {
        return Err(ChangeError::TooManyVectorIndexes);
    }
    let known = table.indexes.iter().filter_map(|index| index.vector.as_ref());
    if known.clone().any(|known| known.attribute == vector.attribute && known.dimensions != vector.dimensions) {
        return Err(ChangeError::VectorDimensions { attribute: vector.attribute.clone() });
    }
    let schemas = std::iter::once(&table.key).chain(table.indexes.iter().map(|index| &index.key));
    let keys = schemas.flat_map(|key| key.partition.iter().map(|part| (part, true)).chain(key.sort.iter().map(|part| (part, false))));
    match keys.into_iter().find(|(attribute, _)| attribute.name == vector.attribute) {
        Some((attribute, is_partition)) => {
            Err(ChangeError::VectorInKey { attribute: attribute.clone(), is_partition, dimensions: vector.dimensions })
        }
        None => Ok(()),
    }
}

fn delete_index(table: &mut Table, name: &str, kind: IndexKind) -> Result<Vec<Write>, ChangeError> {
    let table_id = table.id;
    let index = table.indexes.iter_mut().find(|index| index.name == name && index.kind == kind);
    let index = index.ok_or_else(|| ChangeError::IndexNotFound(name.to_owned()))?;
    if index.status == IndexStatus::Deleting {
        return Err(ChangeError::IndexInUse(name.to_owned()));
    }
    index.status = IndexStatus::Deleting;
    let owed = Write::Put(job::key(table_id, JobKind::DropIndex, Some(index.id)), crate::jobs::Progress::default().encode());
    Ok(vec![owed, Write::Delete(job::key(table_id, JobKind::Backfill, Some(index.id)))])
}

fn update_index(
    table: &mut Table,
    name: &str,
    throughput: Option<Throughput>,
    on_demand: Option<OnDemandLimits>,
    warm: Option<WarmThroughput>,
    now_ms: u64,
) -> Result<(), ChangeError> {
    let billing = table.billing;
    let index = table.indexes.iter_mut().find(|index| index.name == name && index.kind == IndexKind::Global);
    let index = index.ok_or_else(|| ChangeError::IndexNotFound(name.to_owned()))?;
    if let Some(requested) = throughput {
        if billing == BillingMode::PayPerRequest {
            return Err(ChangeError::ThroughputOnDemand);
        }
        if requested == index.throughput {
            return Err(ChangeError::ThroughputUnchanged { index: Some(name.to_owned()), current: requested });
        }
        set_throughput(&mut index.throughput, &mut index.history, requested, now_ms);
    }
    if let Some(on_demand) = on_demand {
        merge_on_demand(&mut index.on_demand, on_demand);
    }
    if let Some(requested) = warm {
        let current = index.warm.unwrap_or_else(|| warm_default(billing, index.throughput));
        index.warm = Some(grow_warm(current, requested)?);
    }
    Ok(())
}

impl Table {
    /// Warm throughput as DescribeTable shows it.
    pub fn warm_throughput(&self) -> WarmThroughput {
        self.warm.unwrap_or_else(|| warm_default(self.billing, self.throughput))
    }

    /// Warm throughput of one of its indexes.
    pub fn index_warm_throughput(&self, index: &super::Index) -> WarmThroughput {
        index.warm.unwrap_or_else(|| warm_default(self.billing, index.throughput))
    }
}
