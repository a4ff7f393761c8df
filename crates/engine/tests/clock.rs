//! A wall clock that is set, by an hour and by a day, in both directions: what hangs on time goes by what has passed.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stator_engine::catalog::{IndexChange, Table, TableChange};
use stator_engine::stream::StartAt;
use stator_engine::transact::{Token, Transacted};
use stator_engine::write::{Action, Intent};
use stator_engine::{Clock, Engine, EngineOptions};
use stator_kv::MemoryStore;
use stator_model::key::ScalarType;
use stator_model::stream::StreamView;
use stator_model::table::{IndexKind, TableSpec};
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{TestClock, block_on};

const START_MS: u64 = 1_795_500_000_000;
const HOUR_MS: i64 = 3_600_000;
const STEPS_MS: [i64; 4] = [HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS];

/// Time that passes, and a clock on the wall.
struct WallClock {
    passed_ms: AtomicU64,
    wall_ms: AtomicU64,
    randomness: TestClock,
}

impl WallClock {
    fn new() -> Arc<WallClock> {
        Arc::new(WallClock { passed_ms: AtomicU64::new(START_MS), wall_ms: AtomicU64::new(START_MS), randomness: TestClock::default() })
    }

    fn step(&self, by_ms: i64) {
        self.wall_ms.store(self.wall_ms.load(Ordering::SeqCst).saturating_add_signed(by_ms), Ordering::SeqCst);
    }

    fn pass(&self, ms: u64) {
        self.passed_ms.fetch_add(ms, Ordering::SeqCst);
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for WallClock {
    fn now_ms(&self) -> u64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> u64 {
        self.passed_ms.load(Ordering::SeqCst)
    }

    fn random(&self, buffer: &mut [u8]) {
        self.randomness.random(buffer);
    }
}

struct World {
    store: Arc<MemoryStore>,
    clock: Arc<WallClock>,
    engine: Arc<Engine>,
    table: Arc<Table>,
}

impl World {
    fn new() -> World {
        let (store, clock) = (Arc::new(MemoryStore::new()), WallClock::new());
        let engine = opened(&store, &clock);
        let key = definition::key(("id", ScalarType::N), None);
        let spec = TableSpec { stream: Some(StreamView::KeysOnly), ..definition::table("Items", key) };
        block_on(engine.create_table(&scope(), &spec)).unwrap();
        block_on(engine.update_ttl(&scope(), "Items", "until", true)).unwrap();
        block_on(engine.settled()).unwrap();
        let table = engine.table(&scope(), "Items").unwrap();
        World { store, clock, engine, table }
    }

    fn put(&self, id: i64, until_ms: u64) {
        let until = Number::from(i64::try_from(until_ms / 1000).unwrap());
        let item: Item = [("id", Value::N(Number::from(id))), ("until", Value::N(until))].into_iter().collect();
        block_on(self.engine.write(&self.table, &Intent { action: Action::Put(item), condition: None })).unwrap();
    }

    fn is_there(&self, id: i64) -> bool {
        let key: Item = [("id", Value::N(Number::from(id)))].into_iter().collect();
        block_on(self.engine.transact_get(&[(Arc::clone(&self.table), key)])).unwrap()[0].0.is_some()
    }

    /// Whether a transaction under this token happens now, and not before.
    fn is_first(&self, token: &str) -> bool {
        let item: Item = [("id", Value::N(Number::from(0)))].into_iter().collect();
        let intents = [(Arc::clone(&self.table), Intent { action: Action::Put(item), condition: None })];
        let done = block_on(self.engine.transact_write(&scope(), &intents, Some(Token { text: token, request: b"r" }))).unwrap();
        matches!(done, Transacted::Written(_))
    }

    fn records(&self) -> usize {
        let stream = self.engine.snapshot().streams().next().cloned().unwrap();
        let shards = block_on(self.engine.shards(&stream)).unwrap();
        let count = |shard| {
            let position = block_on(self.engine.stream_position(&stream, shard, StartAt::Horizon)).unwrap();
            block_on(self.engine.stream_records(&position, 1000)).unwrap().records.len()
        };
        shards.iter().map(count).sum()
    }

    fn tick(&self) {
        // Each chore comes round within a minute, whatever the clock says.
        for _ in 0..61 {
            self.clock.pass(1000);
            block_on(self.engine.run_jobs()).unwrap();
        }
    }
}

fn opened(store: &Arc<MemoryStore>, clock: &Arc<WallClock>) -> Arc<Engine> {
    block_on(Engine::open(Arc::clone(store) as _, Arc::clone(clock) as _, EngineOptions::default())).unwrap()
}

#[test]
fn a_token_counts_for_ten_minutes_whatever_is_done_to_the_clock() {
    for step_ms in STEPS_MS {
        let world = World::new();
        assert!(world.is_first("t"));
        world.clock.step(step_ms);
        assert!(!world.is_first("t"), "{step_ms}");
        world.tick();
        assert!(!world.is_first("t"), "{step_ms}");
        world.clock.pass(10 * 60 * 1000);
        world.tick();
        assert!(world.is_first("t"), "{step_ms}: and not for longer");
    }
}

#[test]
fn a_token_counts_after_a_restart_with_the_clock_set_back() {
    let world = World::new();
    assert!(world.is_first("t"));
    let clock = WallClock::new();
    clock.step(-24 * HOUR_MS);
    clock.passed_ms.store(clock.now_ms(), Ordering::SeqCst);
    let world = World { engine: opened(&world.store, &clock), clock, ..world };
    assert!(!world.is_first("t"));
}

#[test]
fn nothing_expires_because_the_clock_was_set_ahead_and_all_that_is_due_goes_when_it_was_set_back() {
    for step_ms in STEPS_MS {
        let world = World::new();
        world.put(1, START_MS + 40 * 60 * 1000);
        world.tick();
        let records = world.records();
        world.clock.step(step_ms);
        world.put(2, START_MS - 48 * 3_600_000);
        world.tick();
        assert!(world.is_there(1) && !world.is_there(2), "{step_ms}");
        assert_eq!(world.records(), records + 2, "{step_ms}: two changes more, and none is gone");
    }
}

#[test]
fn an_index_is_filled_when_the_clock_is_set_back_meanwhile() {
    let world = World::new();
    world.put(1, START_MS);
    let index = definition::index("by-until", IndexKind::Global, definition::key(("until", ScalarType::N), None));
    let change = TableChange { indexes: vec![IndexChange::Create(index)], ..TableChange::default() };
    block_on(world.engine.update_table(&scope(), "Items", &change)).unwrap();
    world.clock.step(-24 * HOUR_MS);
    world.tick();
    let described = block_on(world.engine.describe_table(&scope(), "Items")).unwrap().unwrap();
    assert_eq!(described.status, stator_model::table::TableStatus::Active);
}
