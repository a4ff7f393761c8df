//! One page of a Query or Scan, on a table or on an index.
//!
//! ```text
//!   range ── rows ──► size and Limit ──► filter ──► projection ──► visitor
//!                     (every row counts)            (stored bytes, read in place)
//! ```
//!
//! What must stay true: a page ends after the item with which Limit or 1 MB is reached, never reads behind it, and names
//! that item as where to go on, even if nothing follows. Whether the item that crosses 1 MB belongs to the page is assumed:
//! it does here.

use std::sync::Arc;

use stator_expr::{Condition, KeyPlan, Projection};
use stator_kv::{Key, RowRef, Visit};
use stator_model::limits::PAGE_BYTES_MAX;
use stator_model::table::IndexKind;
use stator_model::{Encoder, Item, MapRef};

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

/// Called with each item that a page answers, while the store holds it.
pub type ItemVisitor<'v> = dyn for<'i> FnMut(MapRef<'i>) + Send + 'v;

/// What a page came to beside its items.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
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

/// What becomes of the items of a page, row by row.
struct Selector<'r, 'v> {
    filter: Option<&'r Condition>,
    select: Select<'r>,
    visit: &'r mut ItemVisitor<'v>,
    /// What was picked of an item, in a buffer that is used again.
    picked: Vec<u8>,
    count: usize,
}

impl Selector<'_, '_> {
    fn take(&mut self, attributes: MapRef<'_>) {
        if self.filter.is_some_and(|filter| !filter.matches(attributes)) {
            return;
        }
        self.count += 1;
        match self.select {
            Select::Count => {}
            Select::AllAttributes | Select::Projected => (self.visit)(attributes),
            Select::Paths(projection) => {
                let mut out = Encoder::reusing(std::mem::take(&mut self.picked));
                projection.project(attributes, &mut out);
                self.picked = out.finish();
                (self.visit)(stator_model::item::map_of(&self.picked));
            }
        }
    }
}

/// Where a walk over rows stands.
#[derive(Default)]
struct Progress {
    scanned_count: usize,
    bytes: usize,
    last: Option<Item>,
}

pub(super) async fn read(
    engine: &Engine,
    table: &Arc<Table>,
    request: &PageRequest<'_>,
    visit: &mut ItemVisitor<'_>,
) -> Result<Page, ReadError> {
    let range = cursor::range(table, request).map_err(ReadError::StartKey)?;
    let must_fetch = needs_fetch(request);
    let mut selector = Selector { filter: request.filter, select: request.select, visit, picked: Vec::new(), count: 0 };
    let (mut progress, mut keys) = (Progress::default(), Vec::new());
    let belongs = row_filter(table, request);
    engine
        .store
        .scan(&range, &mut |row: RowRef<'_>| {
            if !belongs(row.key) {
                return Visit::Next;
            }
            let attributes = stored::map(row.value);
            if must_fetch {
                keys.push(keyspace::item::key(table.id, &table.key, attributes).expect("entries carry the table's key"));
            } else {
                selector.take(attributes);
            }
            progress.step(table, request, attributes)
        })
        .await?;
    let mut receipt = page_receipt(request, progress.bytes);
    if must_fetch {
        fetch(engine, request, &keys, &mut selector, &mut receipt).await?;
    }
    let Progress { scanned_count, bytes: scanned_bytes, last: last_evaluated_key } = progress;
    Ok(Page { count: selector.count, scanned_count, scanned_bytes, last_evaluated_key, receipt })
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
    request: &PageRequest<'_>,
    keys: &[Key],
    selector: &mut Selector<'_, '_>,
    receipt: &mut Receipt,
) -> Result<(), ReadError> {
    for row in engine.store.read(keys, level(request.consistency)).await?.into_iter().flatten() {
        let attributes = stored::map(&row.value);
        receipt.table += HalfUnits::of_read(attributes.size_bytes(), request.consistency);
        selector.take(attributes);
    }
    Ok(())
}
