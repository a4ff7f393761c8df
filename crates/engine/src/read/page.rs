//! One page of a Query or Scan, on a table or on an index.
//!
//! ```text
//!   range ── rows ──► size and Limit ──► filter ──► projection ──► Items
//!                     (every row counts)            (stored bytes, read in place)
//! ```
//!
//! What must stay true: a page ends after the item with which Limit or 1 MB is reached, never reads behind it, and names
//! that item as where to go on, even if nothing follows. Whether the item that crosses 1 MB belongs to the page is assumed:
//! it does here.

use std::sync::Arc;

use stator_expr::{Condition, KeyPlan, Projection};
use stator_kv::{RowRef, Visit};
use stator_model::limits::PAGE_BYTES_MAX;
use stator_model::table::IndexKind;
use stator_model::{Encoder, Item, MapRef, RawValue};

use super::{ReadError, cursor, level};
use crate::Engine;
use crate::capacity::{Consistency, HalfUnits};
use crate::catalog::{Index, Table};
use crate::encoding::stored;
use crate::index::project;
use crate::keyspace;
use crate::receipt::Receipt;

/// What a page is asked for.
#[derive(Debug, Clone)]
pub struct PageRequest<'r> {
    /// The index to read; `None` for the table itself.
    pub index: Option<&'r Index>,
    /// Which rows.
    pub target: Target,
    /// Items to examine at most.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub start: Option<&'r Item>,
    /// What an item has to satisfy to be answered.
    pub filter: Option<&'r Condition>,
    /// What of it is answered.
    pub select: Select<'r>,
    /// How fresh it has to be.
    pub consistency: Consistency,
}

/// Which rows a page covers.
#[derive(Debug, Clone)]
pub enum Target {
    /// One partition, in the order of the sort key.
    Query {
        /// Partition and range of sort keys.
        plan: KeyPlan,
        /// Ascending.
        forward: bool,
    },
    /// Everything, or a segment of it, in the order of the partition keys' hashes.
    Scan {
        /// From zero.
        segment: u32,
        /// One for everything.
        total: u32,
    },
}

/// What a page answers of the items that pass.
#[derive(Debug, Clone, Copy)]
pub enum Select<'r> {
    /// All attributes of the item, also those that a local index does not project.
    AllAttributes,
    /// What the table or index holds.
    Projected,
    /// These paths.
    Paths(&'r Projection),
    /// Nothing but their number.
    Count,
}

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The items that passed, unless only their number was asked for.
    pub items: Items,
    /// How many passed the filter.
    pub count: usize,
    /// How many were examined.
    pub scanned_count: usize,
    /// Bytes of those.
    pub scanned_bytes: usize,
    /// Where the next page starts behind; `None` when the range is exhausted.
    pub last_evaluated_key: Option<Item>,
    /// What it consumed.
    pub receipt: Receipt,
}

/// Encoded items, one after the other in one buffer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Items {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Items {
    /// What an encoder has written, and where each item of it ends.
    pub(crate) fn new(out: Encoder, ends: Vec<usize>) -> Items {
        Items { bytes: out.finish(), ends }
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = RawValue<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| RawValue::new(&self.bytes[start..*end]))
    }

    /// Bytes of all of them as they are encoded.
    pub fn encoded_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Room for the first items of a page; more is made by doubling.
const FIRST_BYTES: usize = 8 << 10;

/// What becomes of the items of a page, row by row.
struct Collector<'r> {
    filter: Option<&'r Condition>,
    select: Select<'r>,
    out: Encoder,
    ends: Vec<usize>,
    count: usize,
}

impl<'r> Collector<'r> {
    fn new(filter: Option<&'r Condition>, select: Select<'r>) -> Collector<'r> {
        Collector { filter, select, out: Encoder::new(), ends: Vec::new(), count: 0 }
    }

    fn take(&mut self, encoded: &[u8], attributes: MapRef<'_>) {
        if self.filter.is_some_and(|filter| !filter.matches(attributes)) {
            return;
        }
        self.count += 1;
        if self.ends.is_empty() && !matches!(self.select, Select::Count) {
            self.out = Encoder::with_capacity(FIRST_BYTES);
        }
        match self.select {
            Select::Count => return,
            Select::Paths(projection) => projection.project(attributes, &mut self.out),
            Select::AllAttributes | Select::Projected => self.out.raw(RawValue::new(encoded)),
        }
        self.ends.push(self.out.written().len());
    }

    fn finish(self) -> (Items, usize) {
        (Items::new(self.out, self.ends), self.count)
    }
}

/// Where a walk over rows stands.
#[derive(Default)]
struct Progress {
    scanned_count: usize,
    bytes: usize,
    last: Option<Item>,
}

pub(super) async fn read(engine: &Engine, table: &Arc<Table>, request: &PageRequest<'_>) -> Result<Page, ReadError> {
    let range = cursor::range(table, request).map_err(ReadError::StartKey)?;
    let must_fetch = needs_fetch(request);
    let mut collector = if must_fetch { Collector::new(None, Select::Projected) } else { Collector::new(request.filter, request.select) };
    let mut progress = Progress::default();
    let belongs = row_filter(table, request);
    engine
        .store
        .scan(&range, &mut |row: RowRef<'_>| {
            if !belongs(row.key) {
                return Visit::Next;
            }
            let encoded = stored::unwrap(row.value);
            let attributes = stator_model::item::map_of(encoded);
            collector.take(encoded, attributes);
            progress.step(table, request, attributes)
        })
        .await?;
    let mut receipt = page_receipt(request, progress.bytes);
    let (mut items, mut count) = collector.finish();
    if must_fetch {
        (items, count) = fetch(engine, table, request, &items, &mut receipt).await?;
    }
    let Progress { scanned_count, bytes: scanned_bytes, last: last_evaluated_key } = progress;
    Ok(Page { items, count, scanned_count, scanned_bytes, last_evaluated_key, receipt })
}

impl Progress {
    fn step(&mut self, table: &Table, request: &PageRequest<'_>, attributes: MapRef<'_>) -> Visit {
        self.scanned_count += 1;
        self.bytes += attributes.size_bytes();
        let is_full = self.bytes >= PAGE_BYTES_MAX || request.limit.is_some_and(|limit| self.scanned_count >= limit);
        if !is_full {
            return Visit::Next;
        }
        let index_key = request.index.map(|index| &index.key);
        let is_key = |name: &str| table.key.contains(name) || index_key.is_some_and(|key| key.contains(name));
        self.last = Some(project(attributes, is_key));
        Visit::Stop
    }
}

/// Whether the row of a joined key belongs to a target.
type RowFilter<'t> = Box<dyn Fn(&[u8]) -> bool + Send + Sync + 't>;

/// Tells the rows of a scan's target from others that share its range: items and local entries lie side by side.
fn row_filter<'t>(table: &'t Table, request: &PageRequest<'_>) -> RowFilter<'t> {
    let wanted = match (&request.target, request.index) {
        (Target::Query { .. }, _) => return Box::new(|_| true),
        (Target::Scan { .. }, Some(index)) if index.kind == IndexKind::Global => return Box::new(|_| true),
        (Target::Scan { .. }, None) if !table.has_local_index() => return Box::new(|_| true),
        (Target::Scan { .. }, None) => keyspace::item::sort_prefix(),
        (Target::Scan { .. }, Some(index)) => keyspace::local_index::sort_prefix(index.id),
    };
    Box::new(move |joined| keyspace::item::sort_of(joined, &table.key).is_some_and(|sort| sort.starts_with(&wanted)))
}

/// Whether items have to be fetched from the table, because the local index does not hold all that is asked for.
fn needs_fetch(request: &PageRequest<'_>) -> bool {
    let Some(index) = request.index.filter(|index| index.kind == IndexKind::Local && index.projected.is_some()) else { return false };
    let lacks = |name: &str| !index.projects(name);
    match request.select {
        Select::AllAttributes => true,
        Select::Paths(projection) if projection.top_level_names().any(lacks) => true,
        Select::Projected | Select::Paths(_) | Select::Count => {
            request.filter.is_some_and(|filter| filter.attributes().into_iter().any(lacks))
        }
    }
}

fn page_receipt(request: &PageRequest<'_>, bytes: usize) -> Receipt {
    let units = HalfUnits::of_read(bytes, request.consistency);
    match request.index {
        None => Receipt::of_table(units),
        Some(index) => {
            let mut receipt = Receipt::default();
            receipt.charge(index, units);
            receipt
        }
    }
}

/// Reads the items behind entries of a local index. An item that is gone by now is left out.
async fn fetch(
    engine: &Engine,
    table: &Table,
    request: &PageRequest<'_>,
    entries: &Items,
    receipt: &mut Receipt,
) -> Result<(Items, usize), ReadError> {
    let key_of = |entry: RawValue<'_>| keyspace::item::key(table.id, &table.key, stator_model::item::map_of(entry.bytes()));
    let keys: Vec<_> = entries.iter().map(|entry| key_of(entry).expect("entries carry the table's key")).collect();
    let found = engine.store.read(&keys, level(request.consistency)).await?;
    let mut collector = Collector::new(request.filter, request.select);
    for row in found.into_iter().flatten() {
        let encoded = stored::unwrap(&row.value);
        let attributes = stator_model::item::map_of(encoded);
        receipt.table += HalfUnits::of_read(attributes.size_bytes(), request.consistency);
        collector.take(encoded, attributes);
    }
    Ok(collector.finish())
}
