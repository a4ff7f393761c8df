//! Streams over a store: order under concurrent writers, shards that follow one another, and what a day takes away.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use stator_engine::catalog::{Stream, Table};
use stator_engine::stream::{Position, RETENTION_MS, Record, Shard, StartAt, StreamError};
use stator_engine::write::{Action, Intent};
use stator_engine::{Engine, EngineOptions};
use stator_kv::wrap::{Call, Interposed};
use stator_kv::{MemoryStore, Store};
use stator_model::key::ScalarType;
use stator_model::stream::{ChangeKind, StreamView};
use stator_model::table::TableSpec;
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{SetClock, block_on};

const START_MS: u64 = 1_795_500_000_000;
const HOUR_MS: u64 = 60 * 60 * 1000;

struct World {
    clock: Arc<SetClock>,
    engine: Arc<Engine>,
    table: Arc<Table>,
}

impl World {
    fn new() -> World {
        World::over(Arc::new(MemoryStore::new()))
    }

    fn over(store: Arc<dyn Store>) -> World {
        let clock = Arc::new(SetClock::at(START_MS));
        let engine = block_on(Engine::open(store, Arc::clone(&clock) as _, EngineOptions::default())).unwrap();
        let spec = TableSpec {
            stream: Some(StreamView::NewAndOldImages),
            ..definition::table("Events", definition::key(("id", ScalarType::N), None))
        };
        block_on(engine.create_table(&scope(), &spec)).unwrap();
        let table = engine.table(&scope(), "Events").unwrap();
        World { clock, engine, table }
    }

    fn stream(&self) -> Arc<Stream> {
        let streams: Vec<_> = self.engine.snapshot().streams().cloned().collect();
        assert_eq!(streams.len(), 1);
        Arc::clone(&streams[0])
    }

    fn shards(&self) -> Vec<Shard> {
        block_on(self.engine.shards(&self.stream())).unwrap()
    }

    fn put(&self, id: i64, step: i64) {
        let number = |number: i64| Value::N(Number::from(number));
        let item: Item = [("id", number(id)), ("step", number(step))].into_iter().collect();
        block_on(self.engine.write(&self.table, &Intent { action: Action::Put(item), condition: None })).unwrap();
    }

    fn begin(&self, shard: &Shard, start: StartAt) -> Result<Position, StreamError> {
        block_on(self.engine.stream_position(&self.stream(), shard, start))
    }

    /// All records from a position to the end that there is now; `None` as the position when the shard has ended.
    fn drain(&self, mut position: Position) -> (Vec<Record>, Option<Position>) {
        let mut records = Vec::new();
        loop {
            let page = block_on(self.engine.stream_records(&position, 1000)).unwrap();
            let is_empty = page.records.is_empty();
            records.extend(page.records);
            match page.next {
                Some(next) if !is_empty => position = next,
                next => return (records, next),
            }
        }
    }

    fn advance(&self, ms: u64) {
        self.clock.advance(ms);
        block_on(self.engine.settled()).unwrap();
    }
}

fn number(map: stator_model::MapRef<'_>, name: &str) -> i64 {
    let Value::N(number) = Value::from(map.get(name).unwrap()) else { panic!("{name} is a number") };
    number.to_i64().unwrap()
}

#[test]
fn readers_meet_every_record_once_and_in_order_while_64_writers_write() {
    const WRITERS: i64 = 64;
    const STEPS: i64 = 40;
    let world = World::new();
    let is_done = AtomicBool::new(false);
    let met = thread::scope(|scope| {
        let readers: Vec<_> = world
            .shards()
            .into_iter()
            .map(|shard| {
                let (world, is_done) = (&world, &is_done);
                scope.spawn(move || {
                    let mut position = world.begin(&shard, StartAt::Horizon).unwrap();
                    let mut met = Vec::new();
                    loop {
                        let was_done = is_done.load(Ordering::Acquire);
                        let (records, next) = world.drain(position);
                        met.extend(records);
                        position = next.unwrap();
                        if was_done {
                            return met;
                        }
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|id| {
                let world = &world;
                scope.spawn(move || (1..=STEPS).for_each(|step| world.put(id, step)))
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_done.store(true, Ordering::Release);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    let mut steps: HashMap<i64, i64> = HashMap::new();
    for lane in &met {
        assert!(lane.windows(2).all(|pair| pair[0].stamp < pair[1].stamp), "sequence numbers ascend");
        for record in lane {
            let (id, step) = (number(record.keys(), "id"), number(record.new_image().unwrap(), "step"));
            let before = steps.insert(id, step).unwrap_or(0);
            assert_eq!(step, before + 1, "item {id} was skipped or repeated");
            assert_eq!(record.kind(), if before == 0 { ChangeKind::Insert } else { ChangeKind::Modify });
            assert_eq!(record.old_image().map_or(0, |old| number(old, "step")), before);
        }
    }
    assert_eq!(i64::try_from(steps.len()).unwrap(), WRITERS);
    assert!(steps.values().all(|step| *step == STEPS));
    assert!(met.iter().filter(|lane| !lane.is_empty()).count() > 1, "several lanes took part");
}

#[test]
fn shards_close_after_four_hours_and_their_children_go_on() {
    let world = World::new();
    (0..20).for_each(|id| world.put(id, 1));
    let parents = world.shards();
    assert!(parents.iter().all(|shard| shard.closed.is_none() && shard.parent_id.is_none()));
    world.advance(3 * HOUR_MS);
    assert_eq!(world.shards(), parents);
    world.advance(HOUR_MS);
    (0..20).for_each(|id| world.put(id, 2));
    let shards = world.shards();
    assert_eq!(shards.len(), 2 * parents.len());
    assert!(shards.is_sorted_by(|one, other| one.id < other.id));
    let mut steps: HashMap<i64, Vec<i64>> = HashMap::new();
    for parent in shards.iter().filter(|shard| shard.parent_id.is_none()) {
        let child = shards.iter().find(|shard| shard.parent_id.as_ref() == Some(&parent.id)).unwrap();
        assert_eq!(parent.closed, Some(child.opened));
        assert_eq!(child.closed, None);
        let (of_parent, end) = world.drain(world.begin(parent, StartAt::Horizon).unwrap());
        assert_eq!(end, None, "a closed shard ends");
        let (of_child, end) = world.drain(world.begin(child, StartAt::Horizon).unwrap());
        assert!(end.is_some(), "an open shard goes on");
        let last = of_parent.last().map(|record| record.stamp);
        for record in of_parent.iter().chain(&of_child) {
            steps.entry(number(record.keys(), "id")).or_default().push(number(record.new_image().unwrap(), "step"));
        }
        if let Some(last) = last {
            assert_eq!(world.begin(child, StartAt::Stamp(last)), Err(StreamError::NotInShard));
            assert_eq!(world.begin(parent, StartAt::End).unwrap().at, child.opened);
        }
    }
    assert_eq!(steps.len(), 20);
    assert!(steps.values().all(|steps| *steps == [1, 2]), "each item has one line of shards: {steps:?}");
}

#[test]
fn a_shard_that_closes_while_it_is_read_shows_nothing_of_its_child() {
    // A page takes three looks at the store; the shard closes in front of each of them.
    for scans in 1..=3 {
        let store = Arc::new(Interposed::new(Arc::new(MemoryStore::new())));
        let world = Arc::new(World::over(Arc::clone(&store) as _));
        world.put(7, 1);
        let lane = |shard: &Shard| !world.drain(world.begin(shard, StartAt::Horizon).unwrap()).0.is_empty();
        let parent = world.shards().into_iter().find(lane).unwrap();
        let position = world.begin(&parent, StartAt::Horizon).unwrap();
        let inner = Arc::clone(&world);
        // Others do it: a thread that reads does nothing else until it has read.
        let others = move || {
            inner.put(7, 2);
            inner.advance(4 * HOUR_MS);
            inner.put(7, 3);
        };
        store.before(Call::Scan, scans, || thread::scope(|threads| threads.spawn(others).join().unwrap()));
        let (of_parent, end) = world.drain(position);
        assert!(!store.is_waiting(), "it closed while it was read");
        assert_eq!(end, None);
        let child = world.shards().into_iter().find(|shard| shard.parent_id.as_ref() == Some(&parent.id)).unwrap();
        let (of_child, _) = world.drain(world.begin(&child, StartAt::Horizon).unwrap());
        let steps = |records: &[Record]| records.iter().map(|record| number(record.new_image().unwrap(), "step")).collect::<Vec<_>>();
        assert_eq!((steps(&of_parent), steps(&of_child)), (vec![1, 2], vec![3]), "in front of scan {scans}");
    }
}

#[test]
fn a_day_takes_records_shards_and_iterators_away() {
    let world = World::new();
    (0..20).for_each(|id| world.put(id, 1));
    let parents = world.shards();
    let busy = parents.iter().find(|shard| !world.drain(world.begin(shard, StartAt::Horizon).unwrap()).0.is_empty()).unwrap();
    let (records, _) = world.drain(world.begin(busy, StartAt::Horizon).unwrap());
    let early = world.begin(busy, StartAt::Horizon).unwrap();
    world.advance(4 * HOUR_MS);
    (0..20).for_each(|id| world.put(id, 2));
    world.advance(RETENTION_MS - 4 * HOUR_MS - 1);
    assert_eq!(world.begin(busy, StartAt::Stamp(records[0].stamp)).unwrap().at, records[0].stamp, "not yet a day old");
    world.advance(10_001);
    assert_eq!(world.begin(busy, StartAt::Stamp(records[0].stamp)), Err(StreamError::Trimmed));
    assert_eq!(block_on(world.engine.stream_records(&early, 10)), Err(StreamError::Trimmed));
    // The shard itself goes a day after its end.
    assert!(world.shards().iter().any(|shard| shard.id == busy.id));
    world.advance(4 * HOUR_MS);
    let left = world.shards();
    assert!(left.iter().all(|shard| shard.id != busy.id));
    assert!(left.iter().any(|shard| shard.parent_id.as_ref() == Some(&busy.id)), "its child still names it");
}

#[test]
fn a_moment_is_found_in_the_middle_of_a_shard() {
    let world = World::new();
    for step in 1..=50 {
        world.put(7, step);
        world.clock.advance(1000);
    }
    let shard = world.shards().into_iter().find(|shard| !world.drain(world.begin(shard, StartAt::Horizon).unwrap()).0.is_empty()).unwrap();
    for (at_ms, first) in
        [(0, Some(1)), (START_MS, Some(1)), (START_MS + 1, Some(2)), (START_MS + 20_000, Some(21)), (START_MS + 50_000, None)]
    {
        let (records, _) = world.drain(world.begin(&shard, StartAt::Time(at_ms)).unwrap());
        assert_eq!(records.first().map(|record| number(record.new_image().unwrap(), "step")), first, "from {at_ms} on");
    }
}

#[test]
fn a_disabled_stream_can_be_read_for_a_day() {
    let world = World::new();
    world.put(1, 1);
    block_on(world.engine.delete_table(&world.table.scope, "Events")).unwrap();
    world.advance(RETENTION_MS - 1);
    let read: usize = world.shards().iter().map(|shard| world.drain(world.begin(shard, StartAt::Horizon).unwrap()).0.len()).sum();
    assert_eq!(read, 1);
    assert!(world.shards().iter().all(|shard| shard.closed.is_some()));
    world.advance(10_001);
    assert_eq!(world.engine.snapshot().streams().count(), 0);
    let report = block_on(stator_engine::check::check(world.engine.store().as_ref())).unwrap();
    assert_eq!(report.faults, [] as [String; 0]);
}
