//! Definitions of tables and secondary indexes, and the states they go through.
//!
//! What must stay true: these are facts without behaviour. The engine decides which are allowed and stores them; the wire
//! has shapes of its own and converts.

use std::collections::BTreeMap;

use crate::key::{KeyAttribute, KeySchema};
use crate::stream::StreamView;

/// A table's number: given once, never reused, so that rows of a dropped table can never be taken for those of a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u64);

/// An index's number within its table: given once, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexId(pub u32);

/// How a table is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillingMode {
    /// Fixed capacity.
    Provisioned,
    /// On demand.
    PayPerRequest,
}

/// Provisioned capacity, in units per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throughput {
    /// Read capacity units.
    pub read_units: u64,
    /// Write capacity units.
    pub write_units: u64,
}

/// Upper bounds of an on-demand table or index, in request units per second; `None` is unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OnDemandLimits {
    /// Read request units.
    pub read_units_max: Option<u64>,
    /// Write request units.
    pub write_units_max: Option<u64>,
}

/// Capacity that a table or index is ready for at once, in units per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarmThroughput {
    /// Read units.
    pub read_units: u64,
    /// Write units.
    pub write_units: u64,
}

/// Price class of a table; it changes nothing but what DescribeTable says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableClass {
    /// `STANDARD`
    Standard,
    /// `STANDARD_INFREQUENT_ACCESS`
    StandardInfrequentAccess,
}

/// Which attributes of an item an index entry carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// Key attributes of table and index.
    KeysOnly,
    /// Those and the named ones.
    Include(Vec<String>),
    /// All of them.
    All,
}

/// Local indexes share the table's partition key; global ones have their own; vector indexes are searched by nearness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// Local secondary index.
    Local,
    /// Global secondary index.
    Global,
    /// Vector index.
    Vector,
}

/// How the nearness of two vectors is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distance {
    /// One less the cosine of the angle between them: 0 to 2, the smallest is the nearest.
    Cosine,
    /// The sum of products: the greatest is the nearest.
    DotProduct,
    /// The length of the difference: the smallest is the nearest.
    Euclidean,
}

/// What makes an index a vector index. Its key has the HASH element of the search schema, if there is one, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorSpec {
    /// The attribute that holds the vectors.
    pub attribute: String,
    /// How many numbers a vector has.
    pub dimensions: usize,
    /// How nearness is told.
    pub distance: Distance,
    /// Attributes that a search may ask to be equal to something: the INLINE_FILTER elements of the search schema.
    pub filters: Vec<KeyAttribute>,
}

/// What a request may set of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec {
    /// Unique within the table.
    pub name: String,
    /// Which kind of index.
    pub kind: IndexKind,
    /// Its key.
    pub key: KeySchema,
    /// What a vector index has beside; `None` for the other kinds.
    pub vector: Option<VectorSpec>,
    /// What its entries carry.
    pub projection: Projection,
    /// Provisioned capacity; global indexes of provisioned tables only.
    pub throughput: Option<Throughput>,
    /// On-demand bounds; global indexes only.
    pub on_demand: OnDemandLimits,
    /// Warm throughput asked for; global indexes only.
    pub warm: Option<WarmThroughput>,
}

impl IndexSpec {
    /// The attributes whose types are declared for this index.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.key.attributes().chain(self.vector.iter().flat_map(|vector| &vector.filters))
    }
}

/// What a request may set of a new table, checked by nobody yet but for shape: every key attribute has its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// Unique within account and region.
    pub name: String,
    /// The primary key.
    pub key: KeySchema,
    /// Indexes in the order given, kind by kind.
    pub indexes: Vec<IndexSpec>,
    /// Billing mode.
    pub billing: BillingMode,
    /// Provisioned capacity; `None` on demand.
    pub throughput: Option<Throughput>,
    /// On-demand bounds.
    pub on_demand: OnDemandLimits,
    /// Warm throughput asked for.
    pub warm: Option<WarmThroughput>,
    /// Table class, when given.
    pub class: Option<TableClass>,
    /// Whether DeleteTable is refused.
    pub deletion_protection: bool,
    /// What its stream shows, if it has one.
    pub stream: Option<StreamView>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

/// Where a table is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableStatus {
    /// Being made.
    Creating,
    /// In service.
    Active,
    /// In service while its definition changes.
    Updating,
    /// On its way out.
    Deleting,
}

/// Where a global or vector index is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexStatus {
    /// Being made; `backfilling` says that existing items are being entered.
    Creating {
        /// Existing items are being entered.
        backfilling: bool,
    },
    /// In service.
    Active,
    /// In service while its capacity changes.
    Updating,
    /// On its way out.
    Deleting,
}
