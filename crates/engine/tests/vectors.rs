//! Vector indexes over a store: they follow their items through every kind of change, and searches find what a plain pass
//! over the items would.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(clippy::float_arithmetic, reason = "the plain pass computes distances too")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use stator_engine::catalog::{IndexChange, TableChange};
use stator_engine::vector::{Search, SearchRequest};
use stator_engine::write::{Action, Intent};
use stator_engine::{Engine, EngineOptions};
use stator_expr::Literal;
use stator_kv::MemoryStore;
use stator_model::key::{KeySchema, ScalarType};
use stator_model::table::{Distance, IndexKind, IndexSpec, Projection, TableSpec, VectorSpec};
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, attribute, scope};
use stator_testkit::target::{SetClock, block_on};

const START_MS: u64 = 1_795_500_000_000;

struct World {
    store: Arc<MemoryStore>,
    clock: Arc<SetClock>,
    engine: Arc<Engine>,
}

/// An index on `v`, partitioned by `tenant` if asked for.
fn index(name: &str, distance: Distance, is_partitioned: bool) -> IndexSpec {
    let partition = if is_partitioned { vec![attribute("tenant", ScalarType::N)] } else { Vec::new() };
    IndexSpec {
        vector: Some(VectorSpec { attribute: "v".to_owned(), dimensions: 2, distance, filters: vec![attribute("color", ScalarType::N)] }),
        projection: Projection::KeysOnly,
        ..definition::index(name, IndexKind::Vector, KeySchema { partition, sort: Vec::new() })
    }
}

fn open(store: &Arc<MemoryStore>, clock: &Arc<SetClock>) -> Arc<Engine> {
    block_on(Engine::open(Arc::clone(store) as _, Arc::clone(clock) as _, EngineOptions::default())).unwrap()
}

impl World {
    fn new(indexes: Vec<IndexSpec>) -> World {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(SetClock::at(START_MS)));
        let engine = open(&store, &clock);
        let spec = TableSpec { indexes, ..definition::table("Shapes", definition::key(("id", ScalarType::N), None)) };
        block_on(engine.create_table(&scope(), &spec)).unwrap();
        World { store, clock, engine }
    }

    fn write(&self, action: Action) {
        let table = self.engine.table(&scope(), "Shapes").unwrap();
        block_on(self.engine.write(&table, &Intent { action, condition: None })).unwrap();
    }

    fn put(&self, id: i64, shape: &Shape) {
        let mut attributes = vec![("id", number(id)), ("tenant", number(shape.tenant)), ("color", number(shape.color))];
        if let Some([x, y]) = shape.vector {
            attributes.push(("v", Value::L(vec![number(x), number(y)])));
        }
        self.write(Action::Put(attributes.into_iter().collect()));
    }

    fn delete(&self, id: i64) {
        self.write(Action::Delete { key: [("id", number(id))].into_iter().collect() });
    }

    fn change(&self, change: IndexChange) {
        let change = TableChange { indexes: vec![change], ..TableChange::default() };
        block_on(self.engine.update_table(&scope(), "Shapes", &change)).unwrap();
    }

    fn search(&self, index: &str, vector: [f32; 2], conditions: &[(&str, i64)], limit: usize) -> Search {
        let table = self.engine.table(&scope(), "Shapes").unwrap();
        let conditions: Vec<(String, Literal)> =
            conditions.iter().map(|(attribute, value)| ((*attribute).to_owned(), Literal::from(&number(*value)))).collect();
        let request =
            SearchRequest { index: table.index(index).unwrap(), vector: &vector, conditions: &conditions, limit, projection: None };
        block_on(self.engine.search(&table, &request)).unwrap()
    }

    fn ids(&self, index: &str, vector: [f32; 2], conditions: &[(&str, i64)], limit: usize) -> Vec<i64> {
        let found = self.search(index, vector, conditions, limit);
        let id = |item: stator_model::RawValue<'_>| match stator_model::item::map_of(item.bytes()).get("id").unwrap().view() {
            stator_model::ValueRef::N(id) => id.number().to_i64().unwrap(),
            other => panic!("an id is a number, not {other:?}"),
        };
        found.items.iter().map(id).collect()
    }

    fn is_sound(&self) {
        assert_eq!(block_on(stator_engine::check::check(self.store.as_ref())).unwrap().faults, [] as [String; 0]);
    }

    fn counts(&self) -> Vec<(u64, u64)> {
        block_on(self.engine.describe_table(&scope(), "Shapes")).unwrap().unwrap().index_counts
    }
}

#[derive(Debug, Clone)]
struct Shape {
    tenant: i64,
    color: i64,
    vector: Option<[i64; 2]>,
}

fn number(value: i64) -> Value {
    Value::N(Number::from(value))
}

fn shape(tenant: i64, color: i64, x: i64, y: i64) -> Shape {
    Shape { tenant, color, vector: Some([x, y]) }
}

#[derive(Debug, Clone)]
enum Step {
    Put(i64, Shape),
    Delete(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let shape = (0_i64..3, 0_i64..2, prop::option::weighted(0.8, prop::array::uniform2(-9_i64..9)))
        .prop_map(|(tenant, color, vector)| Shape { tenant, color, vector });
    prop_oneof![3 => (0_i64..12, shape).prop_map(|(id, shape)| Step::Put(id, shape)), 1 => (0_i64..12).prop_map(Step::Delete)]
}

/// Squares of distances are whole numbers here, so that nothing rounds; ties go by id.
fn plain_pass(shapes: &BTreeMap<i64, Shape>, conditions: impl Fn(&Shape) -> bool) -> Vec<i64> {
    let with_vector = shapes.iter().filter(|(_, shape)| conditions(shape)).filter_map(|(id, shape)| Some((id, shape.vector?)));
    let mut found: Vec<(i64, i64)> = with_vector.map(|(id, [x, y])| ((x - 1) * (x - 1) + (y + 2) * (y + 2), *id)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, id)| id).collect()
}

/// Ids in an order in which ties may lie as they like.
fn by_distance(world: &World, index: &str, conditions: &[(&str, i64)], limit: usize) -> (Vec<f64>, Vec<i64>) {
    let scores = world.search(index, [1.0, -2.0], conditions, limit).scores;
    let mut ids = world.ids(index, [1.0, -2.0], conditions, limit);
    ids.sort_unstable();
    (scores, ids)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn searches_find_what_a_plain_pass_finds(steps in prop::collection::vec(step(), 0..40), tenant in 0_i64..3, color in 0_i64..2) {
        let world = World::new(vec![index("free", Distance::Euclidean, false), index("parted", Distance::Euclidean, true)]);
        let mut shapes = BTreeMap::new();
        for step in steps {
            match step {
                Step::Put(id, shape) => {
                    world.put(id, &shape);
                    shapes.insert(id, shape);
                }
                Step::Delete(id) => {
                    world.delete(id);
                    shapes.remove(&id);
                }
            }
        }
        let all = plain_pass(&shapes, |_| true);
        let (scores, mut ids) = by_distance(&world, "free", &[], 100);
        prop_assert!(scores.is_sorted());
        let mut expected = all.clone();
        expected.sort_unstable();
        prop_assert_eq!(&ids, &expected);
        let mine = |shape: &Shape| shape.tenant == tenant && shape.color == color;
        ids = by_distance(&world, "parted", &[("tenant", tenant), ("color", color)], 100).1;
        expected = plain_pass(&shapes, mine);
        expected.sort_unstable();
        prop_assert_eq!(ids, expected);
        let nearest = by_distance(&world, "free", &[("color", color)], 3).0;
        let colored = plain_pass(&shapes, |shape| shape.color == color);
        #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
        let square = |id: &i64| shapes[id].vector.map(|[x, y]| ((x - 1) * (x - 1) + (y + 2) * (y + 2)) as f64).unwrap();
        prop_assert_eq!(nearest, colored.iter().take(3).map(|id| square(id).sqrt()).collect::<Vec<_>>());
        world.is_sound();
    }
}

#[test]
fn an_index_made_later_has_what_one_made_at_once_has() {
    let world = World::new(vec![index("first", Distance::Cosine, true)]);
    for id in 0..700 {
        world.put(id, &shape(id % 3, id % 2, id, 700 - id));
    }
    world.change(IndexChange::Create(index("later", Distance::Cosine, true)));
    // Writers and backfill meet: items change, come and go while it runs.
    let mut round = 0;
    while block_on(world.engine.run_jobs()).unwrap() != stator_engine::jobs::JobsState::Idle {
        world.put(690 - round, &shape(1, 1, round, 5));
        world.delete(3 * round);
        world.put(1000 + round, &shape(2, 0, 1, round));
        round += 1;
    }
    assert!(round >= 3, "the job took several ticks");
    for tenant in 0..3 {
        let conditions = [("tenant", tenant)];
        assert_eq!(world.search("later", [0.3, 0.7], &conditions, 100), world.search("first", [0.3, 0.7], &conditions, 100));
    }
    assert_eq!(world.counts()[0], world.counts()[1]);
    world.is_sound();
}

#[test]
fn a_restart_finds_index_and_entries_as_they_were() {
    let world = World::new(vec![index("near", Distance::DotProduct, false)]);
    (0..20).for_each(|id| world.put(id, &shape(0, 0, id, 1)));
    world.change(IndexChange::Create(index("later", Distance::Euclidean, true)));
    // The backfill is still owed.
    let again = World { engine: open(&world.store, &world.clock), store: Arc::clone(&world.store), clock: Arc::clone(&world.clock) };
    assert_eq!(again.ids("near", [1.0, 0.0], &[], 3), [19, 18, 17]);
    block_on(again.engine.settled()).unwrap();
    assert_eq!(again.ids("later", [7.0, 1.0], &[("tenant", 0)], 1), [7]);
    again.is_sound();
}

#[test]
fn an_index_that_is_dropped_leaves_nothing_and_neither_does_a_table() {
    let world = World::new(vec![index("near", Distance::Cosine, true), index("stays", Distance::Cosine, false)]);
    (0..20).for_each(|id| world.put(id, &shape(id % 2, 0, id, 1)));
    let rows = |world: &World| {
        let mut rows = 0;
        let all = stator_kv::Range::all(stator_engine::keyspace::VECTORS);
        block_on(stator_kv::Store::scan(world.store.as_ref(), &all, &mut |_| {
            rows += 1;
            stator_kv::Visit::Next
        }))
        .unwrap();
        rows
    };
    assert_eq!(rows(&world), 40);
    world.change(IndexChange::Delete { name: "near".to_owned(), kind: IndexKind::Vector });
    // On its way out it takes no more writes, and forbids none.
    world.write(Action::Put([("id", number(5)), ("tenant", Value::S("none".into()))].into_iter().collect()));
    block_on(world.engine.settled()).unwrap();
    assert_eq!(rows(&world), 19);
    assert_eq!(world.counts().len(), 1);
    world.is_sound();
    block_on(world.engine.delete_table(&scope(), "Shapes")).unwrap();
    block_on(world.engine.settled()).unwrap();
    assert_eq!(rows(&world), 0);
}

#[test]
fn the_check_finds_entries_that_are_stale_missing_or_left_over() {
    use stator_kv::{Decision, Key, Store, Write};
    let world = World::new(vec![index("near", Distance::Cosine, false)]);
    (0..3).for_each(|id| world.put(id, &shape(0, 0, id, 1)));
    let mut entries: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let all = stator_kv::Range::all(stator_engine::keyspace::VECTORS);
    block_on(world.store.scan(&all, &mut |row| {
        entries.push((row.key.to_vec(), row.value.to_vec()));
        stator_kv::Visit::Next
    }))
    .unwrap();
    let key = |at: usize| Key::from_joined(stator_engine::keyspace::VECTORS, &entries[at].0, entries[at].0.len());
    let mut stale = entries[0].1.clone();
    stale[1] ^= 1;
    let mut lost = entries[2].0.clone();
    lost.truncate(20);
    lost.extend_from_slice(&[0xC0, 0x82, 0x0A + 9, 0]);
    let left_over = Key::from_joined(stator_engine::keyspace::VECTORS, &lost, 20);
    let writes = vec![Write::Put(key(0), stale.into()), Write::Delete(key(1)), Write::Put(left_over, vec![1, 2, 3].into())];
    block_on(world.store.mutate(&[], &mut |_| Decision::Commit(writes.clone()))).unwrap();
    let faults = block_on(stator_engine::check::check(world.store.as_ref())).unwrap().faults;
    for expected in ["has a stale entry", "has no entry", "does not project", "does not decode", "the counter says"] {
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{expected}: {faults:#?}");
    }
}

#[test]
fn a_search_answers_at_most_16_mb() {
    let mut wide = index("wide", Distance::Cosine, false);
    wide.projection = Projection::All;
    let world = World::new(vec![wide]);
    for id in 0..60 {
        let item: Item = [("id", number(id)), ("v", Value::L(vec![number(1), number(id)])), ("text", Value::S("x".repeat(390 * 1024)))]
            .into_iter()
            .collect();
        world.write(Action::Put(item));
    }
    let search = world.search("wide", [1.0, 0.0], &[], 100);
    let bytes: usize = search.items.iter().map(|item| item.bytes().len()).sum();
    assert!((15 * 1024 * 1024..=16 * 1024 * 1024).contains(&bytes), "{bytes}");
    // The entries fill several stretches of the walk; each is met, and once.
    let ids = world.ids("wide", [1.0, 0.0], &[], 100);
    assert_eq!(ids, (0..).take(search.scores.len()).collect::<Vec<i64>>());
    assert_eq!(world.ids("wide", [0.0, 1.0], &[], 5), [59, 58, 57, 56, 55]);
}
