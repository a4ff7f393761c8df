//! Global and vector indexes that lag: whatever is written, a reader sees the rows as they all were at one earlier moment.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use stator_engine::index::{IndexLag, LaggingStore};
use stator_engine::keyspace::{GLOBAL, ITEMS, VECTORS};
use stator_kv::{Decision, Direction, Key, MemoryStore, Range, Space, Store, Visit, Write};
use stator_testkit::target::{SetClock, block_on};

type Rows = BTreeMap<u8, u8>;

const TICK_MS: u64 = 1000;

fn key(space: Space, name: u8) -> Key {
    Key::new(space, &[name], &[])
}

/// Rows of a space in the order of reading, at most so many.
fn scanned(store: &LaggingStore, space: Space, direction: Direction, limit: usize) -> Vec<(u8, u8)> {
    let mut range = Range::all(space);
    if let Range::Across { direction: of_range, .. } = &mut range {
        *of_range = direction;
    }
    let mut rows = Vec::new();
    let visit = block_on(store.scan(&range, &mut |row| {
        rows.push((row.key[0], row.value[0]));
        if rows.len() == limit { Visit::Stop } else { Visit::Next }
    }));
    visit.unwrap();
    rows
}

fn expected(rows: &Rows, direction: Direction, limit: usize) -> Vec<(u8, u8)> {
    let ordered = rows.iter().map(|(name, value)| (*name, *value));
    match direction {
        Direction::Forward => ordered.take(limit).collect(),
        Direction::Backward => ordered.rev().take(limit).collect(),
    }
}

fn write(store: &LaggingStore, space: Space, changes: &[(u8, Option<u8>)]) {
    let mut writes = vec![Write::Put(Key::new(ITEMS, b"item", &[]), vec![0].into())];
    let changed: Rows = changes.iter().map(|(name, value)| (*name, value.unwrap_or(0))).collect();
    for name in changed.keys() {
        let value = changes.iter().rev().find(|(known, _)| known == name).unwrap().1;
        writes.push(value.map_or_else(|| Write::Delete(key(space, *name)), |value| Write::Put(key(space, *name), vec![value].into())));
    }
    block_on(store.mutate(&[key(space, 0)], &mut |_| Decision::Commit(writes.clone()))).unwrap();
}

fn apply(rows: &mut Rows, changes: &[(u8, Option<u8>)]) {
    for (name, value) in changes {
        match value {
            Some(value) => rows.insert(*name, *value),
            None => rows.remove(name),
        };
    }
}

proptest! {
    #[test]
    fn a_reader_sees_all_rows_of_one_earlier_moment(
        rounds in prop::collection::vec(prop::collection::vec((0..12_u8, prop::option::of(any::<u8>())), 1..5), 1..30),
        lag in 0..6_usize,
        limit in 1..14_usize,
        is_held in any::<bool>(),
        space in prop::sample::select(vec![GLOBAL, VECTORS]),
    ) {
        let clock = Arc::new(SetClock::at(1_800_000_000_000));
        let store = LaggingStore::new(Arc::new(MemoryStore::new()), Arc::clone(&clock) as Arc<_>);
        let before = [(3, Some(1)), (8, Some(2))];
        write(&store, space, &before);
        let lag_ms = u64::try_from(lag).unwrap() * TICK_MS;
        block_on(store.set_lag(if is_held { IndexLag::Held } else { IndexLag::By(lag_ms) }));
        let mut history = vec![Rows::default()];
        apply(&mut history[0], &before);
        for changes in &rounds {
            write(&store, space, changes);
            let mut rows = history.last().unwrap().clone();
            apply(&mut rows, changes);
            history.push(rows);
            for direction in [Direction::Forward, Direction::Backward] {
                let seen_at = if is_held { 0 } else { history.len().saturating_sub(1 + lag) };
                prop_assert_eq!(scanned(&store, space, direction, limit), expected(&history[seen_at], direction, limit));
            }
            clock.advance(TICK_MS);
        }
        block_on(store.set_lag(IndexLag::None));
        prop_assert_eq!(scanned(&store, space, Direction::Forward, 99), expected(history.last().unwrap(), Direction::Forward, 99));
    }
}
