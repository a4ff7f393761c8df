//! Filling an index at the moment at which it comes into being.
//!
//! What must stay true: the work begins when the catalog shows the index, and not when its definition is stored, which is a
//! moment earlier; and behind every writer that decided before, however long it takes to come to its commit. The tests hold
//! these moments open.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use stator_engine::catalog::{IndexChange, TableChange};
use stator_engine::write::{Action, Intent};
use stator_engine::{Engine, EngineOptions};
use stator_kv::wrap::{Call, Interposed};
use stator_kv::{MemoryStore, Store};
use stator_model::key::ScalarType;
use stator_model::table::IndexKind;
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{TestClock, block_on};

/// More than are entered between two notes of progress.
const ITEMS: i64 = 300;
/// Work that does not wait is done by then.
const LOOK: Duration = Duration::from_millis(300);

fn item(id: i64) -> Item {
    [("id", Value::N(Number::from(id))), ("kind", Value::S(format!("kind {}", id % 3)))].into_iter().collect()
}

/// A table with items, in a store that can be held up.
fn filled() -> (Arc<Interposed>, Arc<Engine>) {
    let store = Arc::new(Interposed::new(Arc::new(MemoryStore::new())));
    let opening = Engine::open(Arc::clone(&store) as Arc<dyn Store>, Arc::new(TestClock::default()), EngineOptions::default());
    let engine = block_on(opening).unwrap();
    let spec = definition::table("Items", definition::key(("id", ScalarType::N), None));
    block_on(engine.create_table(&scope(), &spec)).unwrap();
    block_on(engine.settled()).unwrap();
    (0..ITEMS).for_each(|id| put(&engine, id));
    (store, engine)
}

fn put(engine: &Engine, id: i64) {
    let table = engine.table(&scope(), "Items").unwrap();
    block_on(engine.write(&table, &Intent { action: Action::Put(item(id)), condition: None })).unwrap();
}

fn add_index(engine: &Engine) {
    let index = definition::index("by-kind", IndexKind::Global, definition::key(("kind", ScalarType::S), None));
    let change = TableChange { indexes: vec![IndexChange::Create(index)], ..TableChange::default() };
    block_on(engine.update_table(&scope(), "Items", &change)).unwrap();
}

/// Begins all work that is owed, and gives it the time in which it is done if it does not wait.
fn look_at_work<'s>(threads: &'s thread::Scope<'s, '_>, engine: &Arc<Engine>) {
    let (worked, has_worked) = channel();
    let jobs = Arc::clone(engine);
    threads.spawn(move || {
        block_on(jobs.settled()).unwrap();
        let _ = worked.send(());
    });
    let _ = has_worked.recv_timeout(LOOK);
}

/// Every item has its entry.
fn check(store: &Interposed, engine: &Engine, items: i64) {
    block_on(engine.settled()).unwrap();
    let report = block_on(stator_engine::check::check(store)).unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    let rows = report.rows;
    assert!(rows >= 2 * u64::try_from(items).unwrap(), "{rows} rows are items and their entries");
}

#[test]
fn an_index_is_not_filled_before_the_catalog_shows_it() {
    let (store, engine) = filled();
    // Something else is owed, so that nobody has to be woken.
    block_on(engine.create_table(&scope(), &definition::table("Other", definition::key(("id", ScalarType::N), None)))).unwrap();
    block_on(engine.delete_table(&scope(), "Other")).unwrap();
    let (stored, has_stored) = channel();
    let (go_on, goes_on) = channel();
    store.after(Call::Commit, 1, move || {
        stored.send(()).unwrap();
        goes_on.recv().unwrap();
    });
    thread::scope(|threads| {
        threads.spawn(|| add_index(&engine));
        has_stored.recv().unwrap();
        // It has to wait; if it did not, it would be done by now, and with nothing.
        look_at_work(threads, &engine);
        go_on.send(()).unwrap();
    });
    check(&store, &engine, ITEMS);
}

#[test]
fn an_item_of_a_writer_that_was_stopped_before_its_commit_has_its_entry() {
    let (store, engine) = filled();
    let (decided, has_decided) = channel();
    let (go_on, goes_on) = channel();
    store.amid(1, move || {
        decided.send(()).unwrap();
        goes_on.recv().unwrap();
    });
    thread::scope(|threads| {
        threads.spawn(|| put(&engine, ITEMS));
        has_decided.recv().unwrap();
        add_index(&engine);
        // The work has to wait for the writer; if it did not, it would be done by now, and the item would come after it.
        look_at_work(threads, &engine);
        go_on.send(()).unwrap();
    });
    check(&store, &engine, ITEMS + 1);
}
