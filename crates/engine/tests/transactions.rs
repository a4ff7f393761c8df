//! Transactions against everything that runs beside them.
//!
//! The service answers a write that meets an item of a running transaction with a conflict. To see that for sure, the
//! store of these tests lets a commit wait at a gate until the test has looked around.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use stator_engine::catalog::Table;
use stator_engine::transact::{Token, TransactError, Transacted};
use stator_engine::write::{Action, Intent, WriteError};
use stator_engine::{Engine, EngineOptions};
use stator_kv::wrap::{Call, Interposed};
use stator_kv::{MemoryStore, Store};
use stator_model::key::ScalarType;
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{SetClock, TestClock, block_on};

/// Closes a gate in front of the next mutation; answers how to learn that it has come, and how to let it through.
fn close(store: &Interposed) -> (Receiver<()>, Sender<()>) {
    let (arrived, arrival) = channel();
    let (opening, opened) = channel();
    store.before(Call::Commit, 1, move || {
        arrived.send(()).unwrap();
        opened.recv().unwrap();
    });
    (arrival, opening)
}

fn open(store: Arc<dyn Store>) -> (Arc<Engine>, Arc<Table>) {
    let engine = block_on(Engine::open(store, Arc::new(TestClock::default()), EngineOptions::default())).unwrap();
    let table = make_table(&engine);
    (engine, table)
}

fn make_table(engine: &Engine) -> Arc<Table> {
    let spec = definition::table("Accounts", definition::key(("id", ScalarType::N), None));
    block_on(engine.create_table(&scope(), &spec)).unwrap();
    engine.table(&scope(), "Accounts").unwrap()
}

fn account(id: i64, balance: i64) -> Item {
    [("id", Value::N(Number::from(id))), ("balance", Value::N(Number::from(balance)))].into_iter().collect()
}

fn key(id: i64) -> Item {
    [("id", Value::N(Number::from(id)))].into_iter().collect()
}

fn put(id: i64, balance: i64) -> Intent {
    Intent { action: Action::Put(account(id, balance)), condition: None }
}

fn add(id: i64, amount: i64) -> Intent {
    let values: Item = [(":a", Value::N(Number::from(amount)))].into_iter().collect();
    let mut binder = stator_expr::Binder::new(None, Some(values)).unwrap();
    let update = stator_expr::update("ADD balance :a", &mut binder).unwrap();
    Intent { action: Action::Update { key: key(id), update }, condition: None }
}

fn balance(item: &Item) -> i64 {
    let Value::N(number) = Value::from(item.get("balance").unwrap()) else { panic!("a balance is a number") };
    number.to_i64().unwrap()
}

#[test]
fn whoever_meets_an_item_of_a_running_transaction_is_told_to_come_back() {
    let store = Arc::new(Interposed::new(Arc::new(MemoryStore::new())));
    let (engine, table) = open(Arc::clone(&store) as Arc<dyn Store>);
    let before = [(Arc::clone(&table), add(2, 5))];
    let repeat = || block_on(engine.transact_write(&scope(), &before, Some(Token { text: "before", request: b"r" })));
    assert!(matches!(repeat(), Ok(Transacted::Written(_))));
    let (arrival, opening) = close(&store);
    let running = {
        let (engine, table) = (Arc::clone(&engine), Arc::clone(&table));
        #[expect(clippy::disallowed_methods, reason = "a transaction that is held up needs a thread of its own")]
        thread::spawn(move || {
            let intents = [(Arc::clone(&table), put(1, 10)), (table, put(2, 20))];
            block_on(engine.transact_write(&scope(), &intents, Some(Token { text: "t", request: b"r" })))
        })
    };
    arrival.recv().unwrap();

    let plain = |intent| block_on(engine.write(&table, &intent));
    assert_eq!(plain(put(1, 0)).unwrap_err(), WriteError::Held);
    assert_eq!(plain(Intent { action: Action::Delete { key: key(2) }, condition: None }).unwrap_err(), WriteError::Held);
    plain(put(3, 30)).unwrap();
    let others = [(Arc::clone(&table), put(4, 40)), (Arc::clone(&table), add(2, 1))];
    let cancelled = block_on(engine.transact_write(&scope(), &others, None)).unwrap_err();
    assert_eq!(cancelled, TransactError::Cancelled(vec![None, Some(WriteError::Held)]));
    let same = block_on(engine.transact_write(&scope(), &others[..1], Some(Token { text: "t", request: b"r" }))).unwrap_err();
    assert_eq!(same, TransactError::InProgress);
    // What has happened is not told to have been cancelled because another one has its items now.
    assert!(matches!(repeat(), Ok(Transacted::Repeated(_))));
    let other = block_on(engine.transact_write(&scope(), &before, Some(Token { text: "before", request: b"s" }))).unwrap_err();
    assert_eq!(other, TransactError::TokenMismatch);
    // Reads never wait: they see the items as they were.
    assert!(block_on(engine.transact_get(&[(Arc::clone(&table), key(1))])).unwrap()[0].0.is_none());

    opening.send(()).unwrap();
    assert!(matches!(running.join().unwrap(), Ok(Transacted::Written(written)) if written.len() == 2));
    plain(put(1, 0)).unwrap();
}

#[test]
fn transfers_never_show_half() {
    const ACCOUNTS: i64 = 4;
    const TRANSFERS: u64 = 300;
    let (engine, table) = open(Arc::new(MemoryStore::new()));
    for id in 0..ACCOUNTS {
        block_on(engine.write(&table, &put(id, 100))).unwrap();
    }
    let done = AtomicU64::new(0);
    thread::scope(|threads| {
        for seed in 0..4_i64 {
            let (engine, table, done) = (&engine, &table, &done);
            threads.spawn(move || {
                for step in 0..TRANSFERS.cast_signed() {
                    let (from, to) = ((seed + step) % ACCOUNTS, (seed + step * 3 + 1) % ACCOUNTS);
                    if from == to {
                        continue;
                    }
                    let intents = [(Arc::clone(table), add(from, -step)), (Arc::clone(table), add(to, step))];
                    match block_on(engine.transact_write(&scope(), &intents, None)) {
                        Ok(_) | Err(TransactError::Cancelled(_)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
                done.fetch_add(1, Ordering::Release);
            });
        }
        let keys: Vec<_> = (0..ACCOUNTS).map(|id| (Arc::clone(&table), key(id))).collect();
        let mut looks = 0;
        while looks == 0 || done.load(Ordering::Acquire) < 4 {
            let items = block_on(engine.transact_get(&keys)).unwrap();
            assert_eq!(items.iter().map(|(item, _)| balance(item.as_ref().unwrap())).sum::<i64>(), 100 * ACCOUNTS);
            looks += 1;
        }
    });
}

#[test]
fn a_token_counts_for_ten_minutes_and_longer_for_nobody() {
    let clock = Arc::new(SetClock::at(1_795_500_000_000));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let engine = block_on(Engine::open(store, Arc::clone(&clock) as Arc<dyn stator_engine::Clock>, EngineOptions::default())).unwrap();
    let table = make_table(&engine);
    let once = || {
        let intents = [(Arc::clone(&table), add(1, 1))];
        block_on(engine.transact_write(&scope(), &intents, Some(Token { text: "t", request: b"r" }))).unwrap()
    };
    assert!(matches!(once(), Transacted::Written(_)));
    clock.advance(10 * 60 * 1000 - 1);
    block_on(engine.settled()).unwrap();
    assert!(matches!(once(), Transacted::Repeated(_)), "the last moment at which it counts");
    clock.advance(1);
    assert!(matches!(once(), Transacted::Written(_)), "it is forgotten");
    assert_eq!(balance(block_on(engine.transact_get(&[(Arc::clone(&table), key(1))])).unwrap()[0].0.as_ref().unwrap()), 2);
}
