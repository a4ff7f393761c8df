//! The limit of item collections, with one of a few hundred bytes.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::transact::TransactError;
use stator_engine::write::{Action, Checked, Intent, WriteError};
use stator_engine::{Engine, EngineOptions, check, keyspace};
use stator_kv::{MemoryStore, Store, Write};
use stator_model::key::ScalarType;
use stator_model::table::IndexKind;
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{TestClock, block_on};

const LIMIT: u64 = 400;

fn open() -> (Arc<dyn Store>, Arc<Engine>, Arc<Table>) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let options = EngineOptions { item_collection_bytes_max: LIMIT, ..EngineOptions::default() };
    let engine = block_on(Engine::open(Arc::clone(&store), Arc::new(TestClock::default()), options)).unwrap();
    let mut spec = definition::table("Orders", definition::key(("id", ScalarType::S), Some(("at", ScalarType::N))));
    let by_state = definition::key(("id", ScalarType::S), Some(("state", ScalarType::S)));
    spec.indexes = vec![definition::index("by-state", IndexKind::Local, by_state)];
    block_on(engine.create_table(&scope(), &spec)).unwrap();
    let table = engine.table(&scope(), "Orders").unwrap();
    (store, engine, table)
}

/// An item of some more bytes than its note has; in the index only with a state.
fn order(id: &str, at: i64, note_bytes: usize, state: Option<&str>) -> Item {
    let mut members = vec![("id", Value::S(id.into())), ("at", Value::N(Number::from(at))), ("note", Value::S("n".repeat(note_bytes)))];
    members.extend(state.map(|state| ("state", Value::S(state.into()))));
    members.into_iter().collect()
}

fn put(item: &Item) -> Intent {
    Intent { action: Action::Put(item.clone()), condition: None }
}

fn delete(id: &str, at: i64) -> Intent {
    let key: Item = [("id", Value::S(id.into())), ("at", Value::N(Number::from(at)))].into_iter().collect();
    Intent { action: Action::Delete { key }, condition: None }
}

fn size(engine: &Engine, table: &Table, id: &str) -> u64 {
    let item_key = keyspace::item::key(table.id, &table.key, order(id, 1, 0, None).map()).unwrap();
    block_on(engine.collection_bytes(table, &item_key)).unwrap().unwrap()
}

#[test]
fn a_collection_weighs_its_items_and_entries_and_is_refused_more_than_it_may() {
    let (store, engine, table) = open();
    let write = |intent: Intent| block_on(engine.write(&table, &intent)).map(drop);
    let plain = order("a", 1, 100, None);
    write(put(&plain)).unwrap();
    assert_eq!(size(&engine, &table, "a"), plain.size_bytes() as u64);
    let projected = order("a", 2, 100, Some("new"));
    write(put(&projected)).unwrap();
    let both = (plain.size_bytes() + 2 * projected.size_bytes()) as u64;
    assert_eq!(size(&engine, &table, "a"), both, "all attributes are projected");
    assert!(both + 100 > LIMIT);

    assert_eq!(write(put(&order("a", 3, 100, None))).unwrap_err(), WriteError::CollectionTooLarge);
    assert_eq!(write(put(&order("a", 2, 200, Some("new")))).unwrap_err(), WriteError::CollectionTooLarge);
    write(put(&order("b", 3, 100, None))).unwrap();
    write(put(&order("a", 2, 90, Some("new")))).unwrap();
    let intents = [(Arc::clone(&table), put(&order("b", 4, 10, None))), (Arc::clone(&table), put(&order("a", 4, 100, None)))];
    let checked = intents.iter().map(|(table, intent)| Checked::new(table, intent.clone()).unwrap());
    let many = block_on(engine.write_many(&checked.collect::<Vec<_>>()));
    assert!(matches!(&many[..], [Ok(_), Err(WriteError::CollectionTooLarge)]), "{many:?}");
    let cancelled = block_on(engine.transact_write(&scope(), &intents, None)).unwrap_err();
    assert_eq!(cancelled, TransactError::Cancelled(vec![None, Some(WriteError::CollectionTooLarge)]));

    write(delete("a", 2)).unwrap();
    assert_eq!(size(&engine, &table, "a"), plain.size_bytes() as u64);
    write(put(&order("a", 3, 100, None))).unwrap();
    assert_eq!(block_on(check::check(store.as_ref())).unwrap().faults, Vec::<String>::new());
}

#[test]
fn check_finds_a_collection_that_says_something_else() {
    let (store, engine, table) = open();
    for at in 1..3 {
        block_on(engine.write(&table, &put(&order("a", at, 10, Some("new"))))).unwrap();
    }
    let item_key = keyspace::item::key(table.id, &table.key, order("a", 1, 0, None).map()).unwrap();
    let faults = |write: Write| {
        block_on(store.mutate(&[], &mut |_| stator_kv::Decision::Commit(vec![write.clone()]))).unwrap();
        block_on(check::check(store.as_ref())).unwrap().faults
    };
    let counted = faults(Write::Add(keyspace::collection::key(&item_key), vec![1]));
    assert!(matches!(&counted[..], [fault] if fault.contains("says that an item collection has")), "{counted:?}");
    let gone = faults(Write::Delete(keyspace::collection::key(&item_key)));
    assert!(matches!(&gone[..], [fault] if fault.contains("its size is not there")), "{gone:?}");
}
