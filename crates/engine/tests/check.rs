//! The check finds what is wrong: each kind of row is damaged, removed or made up, and has to be reported.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use stator_engine::catalog::Table;
use stator_engine::encoding::stored;
use stator_engine::keyspace::{DEADLINES, GLOBAL, ITEMS, LOG, SMALL};
use stator_engine::transact::Token;
use stator_engine::write::{Action, Intent};
use stator_engine::{Engine, EngineOptions};
use stator_kv::{Direction, Key, MemoryStore, MiniTxn, Range, Space, Store, TxnId, Visit, Write};
use stator_model::key::ScalarType;
use stator_model::stream::StreamView;
use stator_model::table::{IndexKind, TableSpec};
use stator_model::{Item, Number, Value};
use stator_testkit::definition::{self, scope};
use stator_testkit::target::{SetClock, block_on};

/// The first byte of a row's part or sort, by kind: see the sections of `docs/format.md`.
const SORT_LOCAL_INDEX: u8 = 1;
const PART_TABLE: u8 = 1;
const PART_COUNTER: u8 = 2;
const PART_TOKEN: u8 = 5;
const PART_VOLUME: u8 = 7;
const SORT_SHARD: u8 = 0;
const SORT_RECORD: u8 = 1;
/// Where the sort begins in LOG: behind stream and lane.
const LOG_PART_BYTES: usize = 10;

type Row = (Vec<u8>, Vec<u8>);

/// A table with everything that a table can have, and some history.
struct World {
    store: Arc<MemoryStore>,
}

fn make_table(engine: &Engine) -> Arc<Table> {
    let ranks = definition::key(("id", ScalarType::N), Some(("rank", ScalarType::N)));
    let spec = TableSpec {
        indexes: vec![
            definition::index("by-rank", IndexKind::Local, ranks),
            definition::index("by-kind", IndexKind::Global, definition::key(("kind", ScalarType::S), None)),
        ],
        stream: Some(StreamView::NewAndOldImages),
        ..definition::table("Whole", definition::key(("id", ScalarType::N), Some(("at", ScalarType::N))))
    };
    block_on(engine.create_table(&scope(), &spec)).unwrap();
    block_on(engine.update_ttl(&scope(), "Whole", "until", true)).unwrap();
    block_on(engine.settled()).unwrap();
    engine.table(&scope(), "Whole").unwrap()
}

fn number(number: i64) -> Value {
    Value::N(Number::from(number))
}

fn put(id: i64, rank: i64) -> Intent {
    let until = number(1_900_000_000 + id);
    let members = [("id", number(id)), ("at", number(1)), ("rank", number(rank)), ("kind", Value::S("k".to_owned())), ("until", until)];
    Intent { action: Action::Put(members.into_iter().collect()), condition: None }
}

impl World {
    fn new() -> World {
        let store = Arc::new(MemoryStore::new());
        let clock = Arc::new(SetClock::at(1_795_500_000_000));
        let engine = block_on(Engine::open(Arc::clone(&store) as _, clock, EngineOptions::default())).unwrap();
        let table = make_table(&engine);
        for id in 1..6 {
            block_on(engine.write(&table, &put(id, 1))).unwrap();
        }
        block_on(engine.write(&table, &put(1, 2))).unwrap();
        let gone: Item = [("id", number(2)), ("at", number(1))].into_iter().collect();
        block_on(engine.write(&table, &Intent { action: Action::Delete { key: gone }, condition: None })).unwrap();
        let intents = [(Arc::clone(&table), put(7, 1)), (table, put(8, 1))];
        block_on(engine.transact_write(&scope(), &intents, Some(Token { text: "t", request: b"r" }))).unwrap();
        let world = World { store };
        assert_eq!(world.faults(), [] as [String; 0], "sound before it is damaged");
        world
    }

    fn rows(&self, space: Space) -> Vec<Row> {
        let range = Range::Across { space, from: Bound::Unbounded, to: Bound::Unbounded, direction: Direction::Forward };
        let mut rows = Vec::new();
        block_on(self.store.scan(&range, &mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Visit::Next
        }))
        .unwrap();
        rows
    }

    fn row(&self, space: Space, is_wanted: impl Fn(&[u8]) -> bool) -> Row {
        self.rows(space).into_iter().find(|(key, _)| is_wanted(key)).unwrap()
    }

    fn faults(&self) -> Vec<String> {
        block_on(stator_engine::check::check(self.store.as_ref())).unwrap().faults
    }

    /// Commits behind the engine's back; answers what the check says then.
    fn faults_after(&self, writes: Vec<Write>) -> Vec<String> {
        self.commit(writes);
        self.faults()
    }

    fn commit(&self, writes: Vec<Write>) {
        // An id counts once.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = TxnId(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)) << 64);
        block_on(self.store.commit(MiniTxn { id, checks: Vec::new(), writes })).unwrap();
    }

    fn faults_without(&self, space: Space, row: &Row) -> Vec<String> {
        self.faults_after(vec![Write::Delete(key(space, row))])
    }

    fn faults_with(&self, space: Space, row: &Row, value: Vec<u8>) -> Vec<String> {
        self.faults_after(vec![Write::Put(key(space, row), value.into())])
    }
}

fn key(space: Space, row: &Row) -> Key {
    Key::from_joined(space, &row.0, 1)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[track_caller]
fn names(faults: &[String], row: &Row, what: &str) {
    let sentence = format!("row {}: {what}", hex(&row.0));
    assert!(faults.contains(&sentence), "{sentence}\nnot among {faults:#?}");
}

#[track_caller]
fn mentions(faults: &[String], what: &str) {
    assert!(faults.iter().any(|fault| fault.contains(what)), "{what}\nnot in {faults:#?}");
}

/// The sort begins behind table, hash and the number of the partition key, which ends with 00.
fn is_item(key: &[u8]) -> bool {
    let end = key[16..].iter().position(|byte| *byte == 0).unwrap();
    key[16 + end + 1] != SORT_LOCAL_INDEX
}

fn members_of(row: &Row) -> BTreeMap<String, Value> {
    stored::map(&row.1).iter().map(|(name, value)| (String::from_utf8(name.to_vec()).unwrap(), Value::from(value))).collect()
}

fn row_of(members: &BTreeMap<String, Value>) -> Vec<u8> {
    let item: Item = members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    stored::wrap(item.as_bytes()).to_vec()
}

fn is_record(key: &[u8]) -> bool {
    key.get(LOG_PART_BYTES) == Some(&SORT_RECORD)
}

#[test]
fn damaged_values_are_reported_whatever_the_row() {
    for space in [ITEMS, GLOBAL, LOG] {
        let world = World::new();
        for row in world.rows(space) {
            let faults = world.faults_with(space, &row, vec![1, 0x0A, 9]);
            names(&faults, &row, "does not decode");
            world.commit(vec![Write::Put(key(space, &row), row.1.into())]);
        }
        assert_eq!(world.faults(), [] as [String; 0], "mended");
    }
}

#[test]
fn a_lost_item_leaves_its_entries_deadline_and_record_behind() {
    let world = World::new();
    let row = world.row(ITEMS, is_item);
    let faults = world.faults_without(ITEMS, &row);
    names(&faults, &row, "is not what the latest record of its stream says");
    mentions(&faults, "is an entry of index by-rank without an item");
    mentions(&faults, "is an entry of index by-kind without an item");
    mentions(&faults, "is a deadline that its item does not have");
    mentions(&faults, "table Whole: the counter says 6 rows");
}

#[test]
fn an_item_changed_behind_the_engine_is_at_odds_with_everything() {
    let world = World::new();
    let row = world.row(ITEMS, is_item);
    let mut members = members_of(&row);
    members.insert("kind".to_owned(), Value::S("other".to_owned()));
    members.insert("until".to_owned(), number(1_950_000_000));
    let faults = world.faults_with(ITEMS, &row, row_of(&members));
    names(&faults, &row, "has no entry in index by-kind");
    names(&faults, &row, "has a stale entry in index by-rank");
    names(&faults, &row, "has no deadline, although its table has TTL and it has a time");
    names(&faults, &row, "is not what the latest record of its stream says");
    mentions(&faults, "is an entry of index by-kind that its item does not project");
    mentions(&faults, "is a deadline that its item does not have");
}

#[test]
fn deadlines_are_compared_in_both_directions() {
    let world = World::new();
    let row = world.rows(DEADLINES).remove(0);
    mentions(&world.faults_without(DEADLINES, &row), "has no deadline, although its table has TTL and it has a time");
    let world = World::new();
    let mut moved = row;
    // Behind table, epoch and lane stand the seconds.
    moved.0[13 + 7] ^= 1;
    names(&world.faults_with(DEADLINES, &moved, Vec::new()), &moved, "is a deadline that its item does not have");
    let world = World::new();
    let short: Row = (vec![1; 13], Vec::new());
    names(&world.faults_with(DEADLINES, &short, Vec::new()), &short, "has a key of no known kind");
}

#[test]
fn a_record_that_is_lost_leaves_a_gap() {
    let world = World::new();
    let modify = world.rows(LOG).into_iter().find(|(key, value)| is_record(key) && has(value, "e", "M")).unwrap();
    let faults = world.faults_without(LOG, &modify);
    mentions(&faults, "is not what the latest record of its stream says");
    mentions(&faults, "the volume says");
}

#[test]
fn a_record_that_tells_another_story_is_reported() {
    let world = World::new();
    let row = world.rows(LOG).into_iter().find(|(key, value)| is_record(key) && has(value, "e", "M")).unwrap();
    let mut members = members_of(&row);
    members.insert("e".to_owned(), Value::S("I".to_owned()));
    let faults = world.faults_with(LOG, &row, row_of(&members));
    names(&faults, &row, "does not follow the record before it of its item");
    // The old image is not what the record before it left.
    let world = World::new();
    members.insert("e".to_owned(), Value::S("M".to_owned()));
    members.insert("o".to_owned(), members["k"].clone());
    names(&world.faults_with(LOG, &row, row_of(&members)), &row, "does not follow the record before it of its item");
}

fn has(row: &[u8], member: &str, text: &str) -> bool {
    Value::from(stored::map(row).get(member).unwrap()) == Value::S(text.to_owned())
}

#[test]
fn records_lie_in_the_lane_of_their_key_and_in_a_shard() {
    let world = World::new();
    let row = world.row(LOG, is_record);
    let mut astray = row.clone();
    astray.0[9] ^= 1;
    names(&world.faults_with(LOG, &astray, row.1.clone()), &astray, "lies in another lane than its key says");
    let world = World::new();
    let shard = world.row(LOG, |key| key.get(LOG_PART_BYTES) == Some(&SORT_SHARD) && key[..LOG_PART_BYTES] == row.0[..LOG_PART_BYTES]);
    names(&world.faults_without(LOG, &shard), &row, "lies in no shard");
    let world = World::new();
    let mut of_nobody = row.clone();
    of_nobody.0[7] ^= 0x70;
    names(&world.faults_with(LOG, &of_nobody, row.1), &of_nobody, "belongs to no stream");
}

#[test]
fn small_rows_that_do_not_decode_are_reported() {
    for part in [PART_COUNTER, PART_TOKEN, PART_VOLUME] {
        let world = World::new();
        let row = world.row(SMALL, |key| key[0] == part);
        names(&world.faults_with(SMALL, &row, vec![1, 2, 3]), &row, "is a row of no known kind");
    }
    let world = World::new();
    let stranger: Row = (vec![99, 1], Vec::new());
    names(&world.faults_with(SMALL, &stranger, Vec::new()), &stranger, "is a row of no known kind");
}

#[test]
fn a_definition_that_does_not_decode_keeps_the_store_from_opening() {
    let world = World::new();
    let row = world.row(SMALL, |key| key[0] == PART_TABLE);
    let broken = Write::Put(key(SMALL, &row), vec![1, 2, 3].into());
    world.commit(vec![broken]);
    assert!(block_on(stator_engine::check::check(world.store.as_ref())).is_err());
}

#[test]
fn at_most_a_hundred_faults_are_told() {
    let world = World::new();
    let writes = (0..300_u32).map(|at| Write::Put(Key::new(SMALL, &[99], &at.to_be_bytes()), Bytes::new()));
    assert_eq!(world.faults_after(writes.collect()).len(), stator_engine::check::FAULTS_MAX);
}
