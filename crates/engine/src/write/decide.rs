//! From the stored item and the intent to the new item, or to the reason why not.
//!
//! What must stay true: pure and quick, because it runs under the item's latch and may run again.

use stator_expr::UpdateError;
use stator_kv::{Found, Key, StoreError};
use stator_model::limits::ITEM_SIZE_BYTES_MAX;
use stator_model::table::TableId;
use stator_model::{Item, MapRef};
use stator_planted::Fault;

use super::effects::{self, Change, Effects, Exists};
use super::intent::{Action, Intent};
use super::{Verdict, Written};
use crate::catalog::{Snapshot, Table};
use crate::encoding::stored;
use crate::index::{self, Image, Unfit, VectorFault};
use crate::keyspace::{self, KeyFault};
use crate::ttl;

/// Why an item was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The condition does not hold for the item that was found.
    ConditionFailed {
        /// The item, if there is one.
        found: Option<Item>,
    },
    /// The key is not one of this table.
    Key(KeyError),
    /// A key attribute of an index does not fit.
    IndexKey {
        /// Name of the index.
        index: String,
        /// What is wrong.
        fault: KeyFault,
    },
    /// The item does not fit a vector index.
    Vector {
        /// Name of the index.
        index: String,
        /// What is wrong.
        fault: VectorFault,
    },
    /// The update names an attribute of the key.
    UpdatesKey {
        /// Its name.
        attribute: String,
    },
    /// The update cannot be applied to the item.
    Update(UpdateError),
    /// The item would be above 400 KB.
    ItemTooLarge {
        /// Its size in bytes.
        size_bytes: usize,
    },
    /// The items of its partition key would weigh more than 10 GB with their local index entries.
    CollectionTooLarge,
    /// A transaction that is under way holds the item.
    Held,
    /// The table was dropped meanwhile.
    TableGone,
    /// The store lost track: the write may or may not have happened.
    Unknown,
    /// The store failed.
    Store(StoreError),
}

/// Why something is not a key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// More or fewer attributes than the key has.
    Count {
        /// How many the key has.
        expected: usize,
        /// How many were given.
        actual: usize,
    },
    /// An attribute is missing or does not fit.
    Fault(KeyFault),
}

/// The row key of an item, given exactly the attributes of its table's key.
pub fn row_key(table: &Table, key: &Item) -> Result<Key, KeyError> {
    let (expected, actual) = (table.key.attributes().count(), key.map().len());
    if expected != actual {
        return Err(KeyError::Count { expected, actual });
    }
    keyspace::item::key(table.id, &table.key, key.map()).map_err(KeyError::Fault)
}

/// The row key of an intent's item, or what can be refused without the stored item.
pub(crate) fn check_intent(table: &Table, intent: &Intent) -> Result<Key, WriteError> {
    match &intent.action {
        Action::Put(item) => {
            let key = keyspace::item::key(table.id, &table.key, item.map()).map_err(|fault| WriteError::Key(KeyError::Fault(fault)))?;
            check_index_keys(table, item)?;
            check_size(item)?;
            Ok(key)
        }
        Action::Delete { key } | Action::Expire { key } | Action::Check { key } => row_key(table, key).map_err(WriteError::Key),
        Action::Update { key, update } => {
            let row_key = row_key(table, key).map_err(WriteError::Key)?;
            match update.attributes().find(|name| table.key.contains(name)) {
                Some(attribute) => Err(WriteError::UpdatesKey { attribute: attribute.to_owned() }),
                None => Ok(row_key),
            }
        }
    }
}

fn check_index_keys(table: &Table, item: &Item) -> Result<(), WriteError> {
    for index in table.indexes.iter().filter(|index| index.is_maintained()) {
        index::check(index, item.map()).map_err(|unfit| match unfit {
            Unfit::Key(fault) => WriteError::IndexKey { index: index.name.clone(), fault },
            Unfit::Vector(fault) => WriteError::Vector { index: index.name.clone(), fault },
        })?;
    }
    Ok(())
}

fn check_size(item: &Item) -> Result<(), WriteError> {
    let size_bytes = item.size_bytes();
    if size_bytes > ITEM_SIZE_BYTES_MAX { Err(WriteError::ItemTooLarge { size_bytes }) } else { Ok(()) }
}

/// What a decision sees of the world beside the rows.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'m> {
    pub(crate) snapshot: &'m Snapshot,
    pub(crate) now_ms: u64,
}

/// Decides on an item's row as it is found.
pub(crate) fn decide(
    moment: Moment<'_>,
    table: TableId,
    intent: &Intent,
    item_key: &Key,
    found: Option<&Found>,
    exists: &Exists<'_>,
) -> Result<(Written, Effects), Verdict> {
    assert!(!Fault::PanicInRequest.strikes(), "a planted panic");
    let table = moment
        .snapshot
        .table_by_id(table)
        .filter(|table| table.deleting_until_ms.is_none())
        .ok_or(Verdict::Refuse(WriteError::TableGone))?;
    let old_map = found.map(|row| stored::map(&row.value));
    if let Some(condition) = &intent.condition {
        let holds = old_map.map_or_else(|| condition.matches_nothing(), |item| condition.matches(item));
        if !holds {
            return Err(Verdict::Refuse(WriteError::ConditionFailed { found: found.map(|row| stored::item(&row.value)) }));
        }
    }
    if let Action::Check { .. } = &intent.action {
        let effects = effects::of_check(found.map(|row| Image::of(&row.value)));
        let item = found.map(|row| stored::item(&row.value));
        return Ok((Written { old: item.clone(), new: item, receipt: effects.receipt.clone() }, effects));
    }
    let is_expiry = matches!(intent.action, Action::Expire { .. });
    if is_expiry && !is_due(table, old_map, moment.now_ms) {
        return Err(Verdict::Refuse(WriteError::ConditionFailed { found: None }));
    }
    let new = new_item(&intent.action, old_map).map_err(Verdict::Refuse)?;
    if let (Some(item), Action::Update { .. }) = (&new, &intent.action) {
        check_index_keys(table, item).and_then(|()| check_size(item)).map_err(Verdict::Refuse)?;
    }
    let new_row = new.as_ref().map(|item| stored::wrap(item.as_bytes()));
    let old = found.map(|row| Image::of(&row.value));
    let change = Change { table, item_key, old, new: new_row.as_ref().map(Image::of), now_ms: moment.now_ms, is_expiry };
    let effects = effects::effects(&change, exists).map_err(Verdict::NeedsRows)?;
    let old = found.map(|row| stored::item(&row.value));
    Ok((Written { old, new, receipt: effects.receipt.clone() }, effects))
}

fn is_due(table: &Table, item: Option<MapRef<'_>>, now_ms: u64) -> bool {
    let deadline_s = table.ttl.as_ref().zip(item).and_then(|(ttl, item)| ttl::deadline_s(ttl, item));
    deadline_s.is_some_and(|deadline_s| ttl::is_due(deadline_s, now_ms))
}

fn new_item(action: &Action, old: Option<MapRef<'_>>) -> Result<Option<Item>, WriteError> {
    match action {
        Action::Put(item) => Ok(Some(item.clone())),
        Action::Delete { .. } | Action::Expire { .. } | Action::Check { .. } => Ok(None),
        Action::Update { key, update } => update.apply(old, key.map()).map_err(WriteError::Update),
    }
}
