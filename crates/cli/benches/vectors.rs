//! Time per search of 100,000 vectors of 768 numbers, over memory and over RocksDB, on the thread that asks: by the clock,
//! and spent on a processor (Linux), which a busy machine does not change. Run with `cargo bench -p stator-cli --bench
//! vectors`, followed by `-- RocksDB` for that alone; it wants 3 GB of memory, and 3 GB where temporary files go.
//!
//! What must stay true: searches go through the engine as requests do; it informs, and gates nothing.
#![allow(clippy::float_arithmetic, reason = "it makes vectors and rates")]

use std::hint::black_box;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stator_engine::catalog::Table;
use stator_engine::vector::{Query, SearchRequest};
use stator_engine::write::{Action, Checked, Intent};
use stator_engine::{Engine, EngineOptions};
use stator_kv::{MemoryStore, Store};
use stator_kv_rocksdb::{RocksOptions, RocksStore};
use stator_model::key::{KeySchema, ScalarType};
use stator_model::table::{Distance, IndexKind, IndexSpec, Projection, TableSpec, VectorSpec};
use stator_model::{Item, Number, Value};
use stator_testkit::definition;
use stator_testkit::target::{SetClock, block_on};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const VECTORS: usize = 100_000;
const DIMENSIONS: usize = 768;
const ROUNDS: usize = 15;
const ITEMS_AT_ONCE: usize = 512;

/// Numbers of four decimals from -1 to 1, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).expect("31 bits") % 20_001 - 10_000
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
    fn vector(&mut self) -> Vec<f32> {
        (0..DIMENSIONS).map(|_| self.next() as f32 / 10_000.0).collect()
    }

    fn list(&mut self) -> Value {
        let number = |ten_thousandths: i64| Number::parse(&format!("{ten_thousandths}e-4")).expect("it is a number");
        Value::L((0..DIMENSIONS).map(|_| Value::N(number(self.next()))).collect())
    }
}

fn say(name: &str, value: &str) {
    writeln!(std::io::stdout(), "{name:<48}{value:>24}").expect("the output is open");
}

/// Time that this thread has spent on a processor.
fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// The medians of some rounds.
fn measure(name: &str, mut round: impl FnMut()) {
    let (mut times, mut processor_times): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        #[expect(clippy::disallowed_methods, reason = "a bench takes time")]
        let (start, on_processor) = (Instant::now(), processor_time());
        round();
        times.push(start.elapsed());
        processor_times.extend(processor_time().zip(on_processor).map(|(end, start)| end.saturating_sub(start)));
    }
    times.sort_unstable();
    processor_times.sort_unstable();
    let median = |times: &[Duration]| times.get(ROUNDS / 2).map_or("?".to_owned(), |time| format!("{:.0}", time.as_secs_f64() * 1000.0));
    say(name, &format!("{} ms, processor {} ms", median(&times), median(&processor_times)));
}

/// Distances alone, over bytes that lie in memory one after the other.
fn distances() {
    let mut random = Random(1);
    let query = random.vector();
    let rows: Vec<u8> = (0..VECTORS).flat_map(|_| random.vector()).flat_map(f32::to_le_bytes).collect();
    for distance in [Distance::Cosine, Distance::DotProduct, Distance::Euclidean] {
        let query = Query::new(distance, &query);
        measure(&format!("{distance:?} alone"), || {
            for row in rows.chunks_exact(4 * DIMENSIONS) {
                black_box(query.score(row));
            }
        });
    }
}

fn table_spec() -> TableSpec {
    let index = IndexSpec {
        vector: Some(VectorSpec { attribute: "v".to_owned(), dimensions: DIMENSIONS, distance: Distance::Cosine, filters: Vec::new() }),
        projection: Projection::KeysOnly,
        ..definition::index("near", IndexKind::Vector, KeySchema { partition: Vec::new(), sort: Vec::new() })
    };
    TableSpec { indexes: vec![index], ..definition::table("Vectors", definition::key(("id", ScalarType::N), None)) }
}

/// Puts the items, and searches among them.
fn searches(name: &str, store: Arc<dyn Store>) {
    let scope = definition::scope();
    let clock = Arc::new(SetClock::at(1_795_500_000_000));
    let engine = block_on(Engine::open(store, clock, EngineOptions::default())).expect("the store opens");
    block_on(engine.create_table(&scope, &table_spec())).expect("the table is made");
    let table = engine.table(&scope, "Vectors").expect("the table is there");
    let mut random = Random(2);
    #[expect(clippy::disallowed_methods, reason = "a bench takes time")]
    let start = Instant::now();
    for first in (0..VECTORS).step_by(ITEMS_AT_ONCE) {
        let intents = (first..(first + ITEMS_AT_ONCE).min(VECTORS)).map(|id| {
            let id = Value::N(Number::from(i64::try_from(id).expect("it is small")));
            let item: Item = [("id", id), ("v", random.list())].into_iter().collect();
            Checked::new(&table, Intent { action: Action::Put(item), condition: None }).expect("the item fits")
        });
        let written = block_on(engine.write_many(&intents.collect::<Vec<_>>()));
        assert!(written.iter().all(Result::is_ok), "every item is written");
    }
    say(&format!("{name}: all puts"), &format!("{:.0} s", start.elapsed().as_secs_f64()));
    search(&format!("{name}: the nearest 10"), &engine, &table);
}

fn search(name: &str, engine: &Engine, table: &Arc<Table>) {
    let index = table.index("near").expect("the index is there");
    let mut random = Random(3);
    measure(name, || {
        let vector = random.vector();
        let request = SearchRequest { index, vector: &vector, conditions: &[], limit: 10, projection: None };
        let found = block_on(engine.search(table, &request)).expect("the search is in order");
        assert_eq!(found.scores.len(), 10);
    });
}

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runs = |name: &str| wanted.as_ref().is_none_or(|wanted| name == wanted);
    if runs("distances") {
        distances();
    }
    if runs("memory") {
        searches("memory", Arc::new(MemoryStore::new()));
    }
    if runs("RocksDB") {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let store = RocksStore::open(folder.path(), &RocksOptions::default()).expect("the store opens");
        searches("RocksDB", Arc::new(store));
    }
}
