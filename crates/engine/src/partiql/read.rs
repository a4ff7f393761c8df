//! Pages of a SELECT: those of its partitions, one after the other.
//!
//! What must stay true: a page ends where a page of Query or Scan would, so that a cursor is a partition and a start key; a
//! page of several partitions examines hardly more than 1 MB, too.

use std::sync::Arc;

use stator_model::limits::PAGE_BYTES_MAX;
use stator_model::{Item, MapRef};

use super::ReadPlan;
use crate::Engine;
use crate::capacity::Consistency;
use crate::catalog::Table;
use crate::read::{PageRequest, ReadError, Select, Target};
use crate::receipt::Receipt;

/// Where a SELECT goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Which of its partitions.
    pub partition: usize,
    /// The last item examined there.
    pub start: Option<Item>,
}

/// A page of a SELECT.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementPage {
    /// The items, with the columns asked for.
    pub items: Vec<Item>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
    /// What it consumed.
    pub receipt: Receipt,
}

impl Engine {
    /// Reads a page of a SELECT.
    pub async fn select(
        &self,
        table: &Arc<Table>,
        plan: &ReadPlan,
        limit: Option<usize>,
        from: Cursor,
        consistency: Consistency,
    ) -> Result<StatementPage, ReadError> {
        let index = plan.index.and_then(|id| table.index_by_id(id));
        let lacks = |name: &str| index.is_some_and(|index| !index.projects(name));
        let must_fetch = plan.columns.as_ref().is_some_and(|columns| columns.attributes().any(lacks));
        let mut page = StatementPage { items: Vec::new(), next: None, receipt: Receipt::default() };
        let (mut cursor, mut left, mut scanned_bytes) = (from, limit, 0);
        loop {
            let target = match plan.partitions.get(cursor.partition) {
                Some(partition) => Target::Query { plan: partition.clone(), forward: plan.forward },
                None if plan.partitions.is_empty() => Target::Scan { segment: 0, total: 1 },
                None => return Ok(page),
            };
            let request = PageRequest {
                index,
                target,
                limit: left,
                start: cursor.start.as_ref(),
                filter: plan.filter.as_ref(),
                select: if must_fetch { Select::AllAttributes } else { Select::Projected },
                consistency,
            };
            let pick = |item: MapRef<'_>| match &plan.columns {
                Some(columns) => columns.pick(item),
                None => crate::index::project(item, |_| true),
            };
            let part = self.page(table, &request, &mut |item| page.items.push(pick(item))).await?;
            page.receipt.merge(part.receipt);
            left = left.map(|left| left.saturating_sub(part.scanned_count));
            scanned_bytes += part.scanned_bytes;
            if part.last_evaluated_key.is_some() {
                page.next = Some(Cursor { partition: cursor.partition, start: part.last_evaluated_key });
                return Ok(page);
            }
            cursor = Cursor { partition: cursor.partition + 1, start: None };
            if cursor.partition >= plan.partitions.len() {
                return Ok(page);
            }
            if left == Some(0) || scanned_bytes >= PAGE_BYTES_MAX {
                page.next = Some(cursor);
                return Ok(page);
            }
        }
    }
}
