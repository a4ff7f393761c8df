//! All tables and streams at one moment.
//!
//! What must stay true: looking a table up allocates nothing; the maps of tables hold the same ones, and so do those of streams.
//! A change costs no more where there are many of them: streams of dropped tables stay for a day.

use std::collections::HashMap;
use std::ops::Bound;
use std::sync::Arc;

use rpds::{HashTrieMapSync, RedBlackTreeMapSync};
use stator_model::arn::Scope;
use stator_model::stream::StreamId;
use stator_model::table::TableId;

use super::{Stream, Table};

/// An immutable set of tables and streams. One that differs from it shares what is the same.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    by_name: HashMap<Scope, RedBlackTreeMapSync<String, Arc<Table>>>,
    by_id: HashTrieMapSync<TableId, Arc<Table>>,
    streams: HashTrieMapSync<StreamId, Arc<Stream>>,
    streams_by_name: HashMap<Scope, RedBlackTreeMapSync<(String, String), StreamId>>,
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
        self.by_name.get(scope).map_or(0, RedBlackTreeMapSync::size)
    }

    /// The stream of a number.
    pub fn stream(&self, id: StreamId) -> Option<&Arc<Stream>> {
        self.streams.get(&id)
    }

    /// The stream of a table's name and a label.
    pub fn stream_by_name(&self, scope: &Scope, table: &str, label: &str) -> Option<&Arc<Stream>> {
        let id = self.streams_by_name.get(scope)?.get(&(table.to_owned(), label.to_owned()))?;
        self.streams.get(id)
    }

    /// All streams, in no order.
    pub fn streams(&self) -> impl Iterator<Item = &Arc<Stream>> {
        self.streams.values()
    }

    /// Streams of a scope in the order of tables and labels, from behind one.
    pub fn streams_after<'s>(&'s self, scope: &Scope, after: Option<(String, String)>) -> impl Iterator<Item = &'s Arc<Stream>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let named = self.streams_by_name.get(scope).into_iter().flat_map(move |names| names.range((from.clone(), Bound::Unbounded)));
        named.filter_map(|(_, id)| self.streams.get(id))
    }

    /// This snapshot with a stream added or replaced.
    #[must_use]
    pub fn with_stream(&self, stream: Arc<Stream>) -> Snapshot {
        let mut next = self.clone();
        let name = (stream.table.clone(), stream.label.clone());
        next.streams_by_name.entry(stream.scope.clone()).or_default().insert_mut(name, stream.id);
        next.streams.insert_mut(stream.id, stream);
        next
    }

    /// This snapshot without a stream.
    #[must_use]
    pub fn without_stream(&self, stream: &Stream) -> Snapshot {
        let mut next = self.clone();
        next.streams.remove_mut(&stream.id);
        if let Some(names) = next.streams_by_name.get_mut(&stream.scope) {
            names.remove_mut(&(stream.table.clone(), stream.label.clone()));
        }
        next
    }

    /// This snapshot with a table added or replaced.
    #[must_use]
    pub fn with(&self, table: Arc<Table>) -> Snapshot {
        let mut next = self.clone();
        next.by_name.entry(table.scope.clone()).or_default().insert_mut(table.name.clone(), Arc::clone(&table));
        next.by_id.insert_mut(table.id, table);
        next
    }

    /// This snapshot without a table.
    #[must_use]
    pub fn without(&self, table: &Table) -> Snapshot {
        let mut next = self.clone();
        next.by_id.remove_mut(&table.id);
        if let Some(tables) = next.by_name.get_mut(&table.scope) {
            tables.remove_mut(&table.name);
        }
        next
    }
}
