//! Time to live over a store: who goes, who stays, and what is left of both.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::stream::StartAt;
use stator_engine::ttl::TtlStatus;
use stator_engine::write::{Action, Intent};
use stator_engine::{Engine, EngineOptions};
use stator_kv::{MemoryStore, Store};
use stator_model::key::ScalarType;
use stator_model::stream::{ChangeKind, StreamView};
use stator_model::table::{IndexKind, TableSpec};
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{SetClock, block_on};

const START_MS: u64 = 1_795_500_000_000;
const NOW_S: i64 = (START_MS / 1000).cast_signed();

struct World {
    store: Arc<MemoryStore>,
    clock: Arc<SetClock>,
    engine: Arc<Engine>,
    table: Arc<Table>,
}

fn spec(name: &str) -> TableSpec {
    TableSpec {
        indexes: vec![definition::index("by-kind", IndexKind::Global, definition::key(("kind", ScalarType::S), None))],
        stream: Some(StreamView::OldImage),
        ..definition::table(name, definition::key(("id", ScalarType::N), None))
    }
}

impl World {
    fn new() -> World {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(SetClock::at(START_MS));
        let engine = block_on(Engine::open(Arc::clone(&store) as _, Arc::clone(&clock) as _, EngineOptions::default())).unwrap();
        block_on(engine.create_table(&scope(), &spec("Sessions"))).unwrap();
        let table = engine.table(&scope(), "Sessions").unwrap();
        World { store, clock, engine, table }
    }

    fn put(&self, id: i64, until: Value) {
        let item: Item =
            [("id", Value::N(Number::from(id))), ("kind", Value::S("session".to_owned())), ("until", until)].into_iter().collect();
        block_on(self.engine.write(&self.table, &Intent { action: Action::Put(item), condition: None })).unwrap();
    }

    fn put_until(&self, id: i64, until_s: i64) {
        self.put(id, Value::N(Number::from(until_s)));
    }

    fn turn(&self, enable: bool) {
        block_on(self.engine.update_ttl(&scope(), "Sessions", "until", enable)).unwrap();
        block_on(self.engine.settled()).unwrap();
    }

    fn sweep(&self) {
        while block_on(self.engine.sweep_expired()).unwrap() {}
    }

    fn left(&self) -> u64 {
        block_on(self.engine.describe_table(&scope(), "Sessions")).unwrap().unwrap().counts.0
    }

    fn is_sound(&self) {
        assert_eq!(block_on(stator_engine::check::check(self.engine.store().as_ref())).unwrap().faults, [] as [String; 0]);
    }
}

#[test]
fn items_go_when_their_time_has_passed_and_no_others() {
    let world = World::new();
    world.turn(true);
    world.put_until(1, NOW_S - 1);
    world.put_until(2, NOW_S);
    world.put_until(3, NOW_S + 100);
    world.put(4, Value::S((NOW_S - 1).to_string()));
    world.put_until(5, NOW_S - 6 * 365 * 24 * 60 * 60);
    world.put_until(6, -5);
    world.put(7, Value::N(Number::parse(&format!("{}.5", NOW_S - 1)).unwrap()));
    // An item whose time has moved stays.
    world.put_until(8, NOW_S - 1);
    world.put_until(8, NOW_S + 1000);
    world.sweep();
    assert_eq!(world.left(), 6, "1 and 7 are gone; the time of 2 is now, and not less than now");
    world.clock.advance(1);
    world.sweep();
    assert_eq!(world.left(), 5);
    world.clock.advance(100_000);
    world.sweep();
    assert_eq!(world.left(), 4);
    world.is_sound();
    let counts = block_on(world.engine.describe_table(&scope(), "Sessions")).unwrap().unwrap().index_counts;
    assert_eq!(counts[0].0, 4, "index entries go along");
}

#[test]
fn records_of_expired_items_name_the_service() {
    let world = World::new();
    world.turn(true);
    world.put_until(1, NOW_S - 1);
    world.put_until(2, NOW_S + 9);
    world.sweep();
    block_on(world.engine.write(&world.table, &Intent { action: Action::Delete { key: key(2) }, condition: None })).unwrap();
    let stream = world.engine.snapshot().streams().next().cloned().unwrap();
    let mut removed = Vec::new();
    for shard in block_on(world.engine.shards(&stream)).unwrap() {
        let position = block_on(world.engine.stream_position(&stream, &shard, StartAt::Horizon)).unwrap();
        let page = block_on(world.engine.stream_records(&position, 100)).unwrap();
        let removals = page.records.into_iter().filter(|record| record.kind() == ChangeKind::Remove);
        removed.extend(
            removals.map(|record| (Value::from(record.keys().get("id").unwrap()), record.is_expiry(), record.old_image().is_some())),
        );
    }
    removed.sort_by_key(|(_, is_expiry, _)| *is_expiry);
    assert_eq!(removed, [(Value::N(Number::from(2)), false, true), (Value::N(Number::from(1)), true, true)]);
}

fn key(id: i64) -> Item {
    [("id", Value::N(Number::from(id)))].into_iter().collect()
}

#[test]
fn items_that_were_there_before_are_entered_across_a_restart() {
    let world = World::new();
    (0..1000).for_each(|id| world.put_until(id, NOW_S - 1));
    block_on(world.engine.update_ttl(&scope(), "Sessions", "until", true)).unwrap();
    // One piece of the work, then the process is gone.
    block_on(world.engine.run_jobs()).unwrap();
    assert_eq!(world.engine.ttl_status(&scope(), "Sessions"), Some(TtlStatus::Enabling("until".to_owned())));
    let store = Arc::clone(&world.store) as Arc<dyn Store>;
    let engine = block_on(Engine::open(store, Arc::clone(&world.clock) as _, EngineOptions::default())).unwrap();
    let world = World { engine, ..world };
    block_on(world.engine.settled()).unwrap();
    assert_eq!(world.engine.ttl_status(&scope(), "Sessions"), Some(TtlStatus::Enabled("until".to_owned())));
    world.sweep();
    assert_eq!(world.left(), 0);
    world.is_sound();
}

#[test]
fn what_was_due_while_it_was_off_goes_when_it_is_on_again() {
    let world = World::new();
    world.turn(true);
    world.put_until(1, NOW_S + 1);
    world.turn(false);
    world.put_until(2, NOW_S + 1);
    world.clock.advance(5000);
    world.sweep();
    assert_eq!(world.left(), 2);
    world.is_sound();
    world.turn(true);
    world.is_sound();
    world.sweep();
    assert_eq!(world.left(), 0);
    world.is_sound();
}

#[test]
fn a_table_with_many_items_due_keeps_no_other_waiting() {
    let world = World::new();
    world.turn(true);
    block_on(world.engine.create_table(&scope(), &spec("Small"))).unwrap();
    block_on(world.engine.update_ttl(&scope(), "Small", "until", true)).unwrap();
    block_on(world.engine.settled()).unwrap();
    (0..2000).for_each(|id| world.put_until(id, NOW_S - 1));
    let small = World { table: world.engine.table(&scope(), "Small").unwrap(), ..world };
    (0..3).for_each(|id| small.put_until(id, NOW_S - 1));
    assert!(block_on(small.engine.sweep_expired()).unwrap(), "there is more");
    assert_eq!(block_on(small.engine.describe_table(&scope(), "Small")).unwrap().unwrap().counts.0, 0);
    let left = small.left();
    assert!((1..2000).contains(&left), "{left} of the large table are left");
}

#[test]
fn what_comes_due_behind_a_sweep_is_met_by_the_next_round() {
    let world = World::new();
    world.turn(true);
    (0..2000).for_each(|id| world.put_until(id, NOW_S - 10));
    assert!(block_on(world.engine.sweep_expired()).unwrap());
    // These lie before the place where the round goes on.
    (5000..5100).for_each(|id| world.put_until(id, NOW_S - 1000));
    world.sweep();
    world.sweep();
    assert_eq!(world.left(), 0);
    world.is_sound();
}
