//! All tables at one moment.
//!
//! What must stay true: looking a table up allocates nothing; the two maps hold the same tables.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use stator_model::arn::Scope;
use stator_model::table::TableId;

use super::Table;

/// An immutable set of tables.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    by_name: HashMap<Scope, BTreeMap<String, Arc<Table>>>,
    by_id: HashMap<TableId, Arc<Table>>,
}

impl Snapshot {
    /// The table of a name.
    pub fn table(&self, scope: &Scope, name: &str) -> Option<&Arc<Table>> {
        self.by_name.get(scope)?.get(name)
    }

    /// The table of a number.
    pub fn table_by_id(&self, id: TableId) -> Option<&Arc<Table>> {
        self.by_id.get(&id)
    }

    /// All tables, in no order.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.by_id.values()
    }

    /// Tables of a scope in the order of their names, from behind a name.
    pub fn names_after<'s>(&'s self, scope: &Scope, after: Option<&str>) -> impl Iterator<Item = &'s Arc<Table>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_name.get(scope).into_iter().flat_map(move |tables| tables.range::<str, _>((from, Bound::Unbounded))).map(|(_, table)| table)
    }

    /// How many tables a scope has.
    pub fn count(&self, scope: &Scope) -> usize {
        self.by_name.get(scope).map_or(0, BTreeMap::len)
    }

    /// This snapshot with a table added or replaced.
    #[must_use]
    pub fn with(&self, table: Arc<Table>) -> Snapshot {
        let mut next = self.clone();
        next.by_name.entry(table.scope.clone()).or_default().insert(table.name.clone(), Arc::clone(&table));
        next.by_id.insert(table.id, table);
        next
    }

    /// This snapshot without a table.
    #[must_use]
    pub fn without(&self, table: &Table) -> Snapshot {
        let mut next = self.clone();
        next.by_id.remove(&table.id);
        if let Some(tables) = next.by_name.get_mut(&table.scope) {
            tables.remove(&table.name);
        }
        next
    }
}
