//! A table as requests see it: its definition, with what the hot path needs worked out beforehand.
//!
//! What must stay true: immutable; everything but what is marked as worked out is stored by `definition`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stator_model::arn::{Scope, TableArn};
use stator_model::key::{KeyAttribute, KeySchema};
use stator_model::table::{
    BillingMode, IndexId, IndexKind, IndexStatus, OnDemandLimits, Projection, TableClass, TableId, TableStatus, Throughput, VectorSpec,
    WarmThroughput,
};

use super::Stream;
use crate::ttl::Ttl;

/// When throughput last changed, and how often it went down on the current day (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ThroughputHistory {
    /// Last increase, in ms since the epoch.
    pub increased_at_ms: Option<u64>,
    /// Last decrease, in ms since the epoch.
    pub decreased_at_ms: Option<u64>,
    /// Decreases on the day of the last one.
    pub decreases_on_day: u64,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its number.
    pub id: TableId,
    /// Account and region.
    pub scope: Scope,
    /// Its name.
    pub name: String,
    /// The `TableId` that DescribeTable shows.
    pub uuid: String,
    /// When it was made, in ms since the epoch.
    pub created_at_ms: u64,
    /// Its key: one partition attribute, at most one sort attribute.
    pub key: KeySchema,
    /// Its indexes, local ones first, in the order of creation.
    pub indexes: Vec<Index>,
    /// The number that the next index gets.
    pub next_index_id: u32,
    /// How it is paid for.
    pub billing: BillingMode,
    /// Whether a billing mode was ever named, so that DescribeTable sums it up.
    pub billing_named: bool,
    /// When it last became PAY_PER_REQUEST, in ms since the epoch.
    pub on_demand_since_ms: Option<u64>,
    /// Provisioned capacity; zeros on demand.
    pub throughput: Throughput,
    /// What happened to it.
    pub history: ThroughputHistory,
    /// On-demand bounds.
    pub on_demand: OnDemandLimits,
    /// Warm throughput asked for.
    pub warm: Option<WarmThroughput>,
    /// Table class, once named, and when it was last changed.
    pub class: Option<(TableClass, Option<u64>)>,
    /// Whether DeleteTable is refused.
    pub deletion_protection: bool,
    /// Until when it counts as being created, in ms since the epoch.
    pub creating_until_ms: u64,
    /// Until when it counts as being updated, in ms since the epoch.
    pub updating_until_ms: u64,
    /// Since DeleteTable: when it goes, in ms since the epoch.
    pub deleting_until_ms: Option<u64>,
    /// The latest stream, enabled or not.
    pub stream: Option<Arc<Stream>>,
    /// Time to live, while it is on.
    pub ttl: Option<Ttl>,
    /// How often it has been turned on.
    pub ttl_epochs: u32,
    /// Whether the sizes of its item collections are counted: it was made with a local index, by a version that counts.
    pub counts_collections: bool,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

/// An index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its number.
    pub id: IndexId,
    /// Its name.
    pub name: String,
    /// Which kind of index.
    pub kind: IndexKind,
    /// Its key.
    pub key: KeySchema,
    /// What a vector index has beside; `None` for the other kinds.
    pub vector: Option<VectorSpec>,
    /// What its entries carry.
    pub projection: Projection,
    /// Worked out: names of all attributes that entries carry; `None` for all.
    pub projected: Option<BTreeSet<String>>,
    /// Where it is in its life. Local indexes are always active.
    pub status: IndexStatus,
    /// Provisioned capacity; zeros on demand and for local indexes.
    pub throughput: Throughput,
    /// What happened to it.
    pub history: ThroughputHistory,
    /// On-demand bounds.
    pub on_demand: OnDemandLimits,
    /// Warm throughput asked for.
    pub warm: Option<WarmThroughput>,
    /// Items that backfill left out because they do not fit the key.
    pub skipped_items: u64,
}

impl Table {
    /// The table's ARN.
    pub fn arn(&self) -> TableArn {
        TableArn::table(&self.scope, &self.name)
    }

    /// Where the table is in its life.
    pub fn status(&self, now_ms: u64) -> TableStatus {
        if self.deleting_until_ms.is_some() {
            return TableStatus::Deleting;
        }
        if now_ms < self.creating_until_ms {
            return TableStatus::Creating;
        }
        let is_changing = now_ms < self.updating_until_ms || self.indexes.iter().any(|index| index.status != IndexStatus::Active);
        if is_changing { TableStatus::Updating } else { TableStatus::Active }
    }

    /// Whether items can be read and written.
    pub fn is_usable(&self, now_ms: u64) -> bool {
        matches!(self.status(now_ms), TableStatus::Active | TableStatus::Updating)
    }

    /// The index of a name.
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// The index of a number.
    pub fn index_by_id(&self, id: IndexId) -> Option<&Index> {
        self.indexes.iter().find(|index| index.id == id)
    }

    /// The stream that changes go to.
    pub fn enabled_stream(&self) -> Option<&Stream> {
        self.stream.as_deref().filter(|stream| stream.disabled_at_ms.is_none())
    }

    /// Whether the table has a local index, and therefore item collections.
    pub fn has_local_index(&self) -> bool {
        self.indexes.iter().any(|index| index.kind == IndexKind::Local)
    }
}

impl Index {
    /// Whether entries are kept in step with items: from creation until deletion begins.
    pub fn is_maintained(&self) -> bool {
        self.status != IndexStatus::Deleting
    }

    /// Whether it can be read.
    pub fn is_readable(&self) -> bool {
        matches!(self.status, IndexStatus::Active | IndexStatus::Updating)
    }

    /// The attributes whose types are declared for this index.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.key.attributes().chain(self.vector.iter().flat_map(|vector| &vector.filters))
    }

    /// Whether entries carry an attribute.
    pub fn projects(&self, attribute: &str) -> bool {
        self.projected.as_ref().is_none_or(|names| names.contains(attribute))
    }

    /// Works out [`Index::projected`] from the attributes that the index declares.
    pub fn projected_names<'k>(
        projection: &Projection,
        table_key: &'k KeySchema,
        declared: impl Iterator<Item = &'k KeyAttribute>,
    ) -> Option<BTreeSet<String>> {
        let keys = || table_key.attributes().chain(declared).map(|attribute| attribute.name.clone());
        match projection {
            Projection::All => None,
            Projection::KeysOnly => Some(keys().collect()),
            Projection::Include(names) => Some(keys().chain(names.iter().cloned()).collect()),
        }
    }
}
