//! Which rows a page covers: from a target, a direction and a start key to one range of the store.
//!
//! What must stay true: a start key need not exist, but must lie where the page could have ended; then the rows after it
//! are exactly those that an unbroken read would have met next.

use std::ops::Bound;

use stator_expr::{KeyPlan, KeyRange};
use stator_kv::range::after_prefix;
use stator_kv::{Direction, Key, Range};
use stator_model::table::IndexKind;
use stator_model::{Item, MapRef};

use super::page::{PageRequest, Target};
use crate::catalog::{Index, Table};
use crate::encoding::scalar;
use crate::keyspace::{GLOBAL, ITEMS, KeyFault, global_index, item, local_index};

/// Why a page cannot start behind a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartKeyError {
    /// It has not exactly the attributes of the table's and the index's key, or one does not fit.
    Schema,
    /// It lies in another partition than the one queried.
    OutsideQuery,
    /// It lies outside the range of sort keys queried.
    OutsideRange,
    /// It lies in another segment of the scan.
    OutsideSegment,
}

/// The row key of an item in the table or in one of its indexes.
pub(super) fn row_key(table: &Table, index: Option<&Index>, attributes: MapRef<'_>) -> Result<Key, KeyFault> {
    match index {
        None => item::key(table.id, &table.key, attributes),
        Some(index) if index.kind == IndexKind::Local => local_index::key(table.id, index.id, &table.key, &index.key, attributes),
        Some(index) => global_index::key(table.id, index.id, &table.key, &index.key, attributes),
    }
}

/// The rows of a page.
pub(super) fn range(table: &Table, request: &PageRequest<'_>) -> Result<Range, StartKeyError> {
    let start = request.start.map(|start| start_row(table, request.index, start)).transpose()?;
    match &request.target {
        Target::Query { plan, forward } => query_range(table, request.index, plan, *forward, start.as_ref()),
        Target::Scan { segment, total } => scan_range(table, request.index, *segment, *total, start.as_ref()),
    }
}

fn start_row(table: &Table, index: Option<&Index>, start: &Item) -> Result<Key, StartKeyError> {
    let index_attributes =
        index.into_iter().flat_map(|index| index.key.attributes()).filter(|attribute| !table.key.contains(&attribute.name));
    if start.map().len() != table.key.attributes().count() + index_attributes.count() {
        return Err(StartKeyError::Schema);
    }
    row_key(table, index, start.map()).map_err(|_| StartKeyError::Schema)
}

fn scan_range(table: &Table, index: Option<&Index>, segment: u32, total: u32, start: Option<&Key>) -> Result<Range, StartKeyError> {
    let (space, (from, to)) = match index {
        Some(index) if index.kind == IndexKind::Global => (GLOBAL, global_index::segment(table.id, index.id, segment, total)),
        _ => (ITEMS, item::segment(table.id, segment, total)),
    };
    let from = match start {
        None => Bound::Included(from),
        Some(start) if start.bytes() < &from[..] || start.bytes() >= &to[..] => return Err(StartKeyError::OutsideSegment),
        Some(start) => Bound::Excluded(start.bytes().to_vec()),
    };
    Ok(Range::Across { space, from, to: Bound::Excluded(to), direction: Direction::Forward })
}

fn query_range(table: &Table, index: Option<&Index>, plan: &KeyPlan, forward: bool, start: Option<&Key>) -> Result<Range, StartKeyError> {
    let values = plan.partition.iter().map(|value| value.raw());
    let (space, part, prefix) = match index {
        None => (ITEMS, item::part_of_values(table.id, values), item::sort_prefix()),
        Some(index) if index.kind == IndexKind::Local => {
            (ITEMS, item::part_of_values(table.id, values), local_index::sort_prefix(index.id))
        }
        Some(index) => (GLOBAL, global_index::part_of_values(table.id, index.id, values), Vec::new()),
    };
    let (mut from, mut to) = sort_bounds(prefix, plan);
    if let Some(start) = start {
        if start.part() != part {
            return Err(StartKeyError::OutsideQuery);
        }
        if !lies_between(start.sort(), &from, &to) {
            return Err(StartKeyError::OutsideRange);
        }
        let behind = Bound::Excluded(start.sort().to_vec());
        if forward { from = behind } else { to = behind }
    }
    let direction = if forward { Direction::Forward } else { Direction::Backward };
    Ok(Range::InPart { space, part, from, to, direction })
}

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The run of sort positions that a plan names. Encoded values end themselves, so `prefix + value` is where all rows with
/// that value begin, whatever follows it.
fn sort_bounds(mut prefix: Vec<u8>, plan: &KeyPlan) -> Bounds {
    for value in &plan.sort_equal {
        scalar::put(&mut prefix, value.raw());
    }
    let at = |value: &stator_expr::Literal| {
        let mut bytes = prefix.clone();
        scalar::put(&mut bytes, value.raw());
        bytes
    };
    let run_of = |bytes: Vec<u8>| (Bound::Included(bytes.clone()), end_of(&bytes));
    let (all_from, all_to) = run_of(prefix.clone());
    match &plan.sort_range {
        None => (all_from, all_to),
        Some(KeyRange::Less(value)) => (all_from, Bound::Excluded(at(value))),
        Some(KeyRange::LessOrEqual(value)) => (all_from, end_of(&at(value))),
        Some(KeyRange::Greater(value)) => (after_prefix(&at(value)).map_or(Bound::Unbounded, Bound::Included), all_to),
        Some(KeyRange::GreaterOrEqual(value)) => (Bound::Included(at(value)), all_to),
        Some(KeyRange::Between(lower, upper)) => (Bound::Included(at(lower)), end_of(&at(upper))),
        Some(KeyRange::BeginsWith(value)) => {
            let mut bytes = prefix.clone();
            scalar::put_prefix(&mut bytes, value.raw());
            run_of(bytes)
        }
    }
}

fn end_of(prefix: &[u8]) -> Bound<Vec<u8>> {
    after_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded)
}

fn lies_between(position: &[u8], from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    let is_above = match from {
        Bound::Included(from) => position >= &from[..],
        Bound::Excluded(from) => position > &from[..],
        Bound::Unbounded => true,
    };
    let is_below = match to {
        Bound::Included(to) => position <= &to[..],
        Bound::Excluded(to) => position < &to[..],
        Bound::Unbounded => true,
    };
    is_above && is_below
}
