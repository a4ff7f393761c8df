//! What the store owes beyond the common contract: its directory, its counters, and what survives a reopening.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
use std::sync::Arc;

use futures_executor::block_on;
use stator_kv::{Decision, Key, Level, Profile, Range, Space, Store, Visit, Write};
use stator_kv_rocksdb::{OpenError, RocksOptions, RocksStore};

const ROWS: Space = Space { id: 1, profile: Profile::Rows };
const SMALL: Space = Space { id: 3, profile: Profile::Small };

fn open(path: &std::path::Path) -> RocksStore {
    RocksStore::open(path, &RocksOptions { memory_bytes: 32 << 20 }).unwrap()
}

fn key(part: &str, sort: &str) -> Key {
    Key::new(ROWS, format!("{part}\0").as_bytes(), sort.as_bytes())
}

async fn put(store: &RocksStore, key: Key, value: &[u8]) {
    store.mutate(&[], &mut |_| Decision::Commit(vec![Write::Put(key.clone(), value.to_vec())])).await.unwrap().unwrap();
}

async fn value(store: &RocksStore, key: Key) -> Option<Vec<u8>> {
    store.read(&[key], Level::Strong).await.unwrap().remove(0).map(|found| found.value)
}

#[test]
fn rows_counters_and_versions_survive_a_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let counter = Key::new(SMALL, b"count", b"");
    let mut versions = Vec::new();
    for round in 1..=3i64 {
        let store = open(directory.path());
        let receipt = block_on(store.mutate(&[], &mut |_| {
            Decision::Commit(vec![Write::Put(key("a", "x"), vec![round as u8]), Write::Add(counter.clone(), vec![1, -round])])
        }));
        versions.push(receipt.unwrap().unwrap().version);
        let found = block_on(store.read(&[key("a", "x"), counter.clone()], Level::Strong)).unwrap();
        assert_eq!(found[0].as_ref().unwrap().value, [round as u8]);
        let sums = [round, -(1..=round).sum::<i64>()].map(i64::to_le_bytes).concat();
        assert_eq!(found[1].as_ref().unwrap().value, sums);
    }
    assert!(versions.is_sorted_by(|left, right| left < right), "{versions:?}");
}

#[test]
fn many_writers_of_one_key_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    block_on(store.mutate(&[key("a", "n")], &mut |found| {
                        let count = found[0].as_ref().map_or(0, |row| u64::from_le_bytes(row.value[..].try_into().unwrap()));
                        Decision::Commit(vec![Write::Put(key("a", "n"), (count + 1).to_le_bytes().to_vec())])
                    }))
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(block_on(value(&store, key("a", "n"))), Some(400u64.to_le_bytes().to_vec()));
}

#[test]
fn a_decision_that_panics_leaves_the_key_usable() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        block_on(store.mutate(&[key("a", "x")], &mut |_| panic!("a decision may fail"))).unwrap();
    }));
    assert!(panicked.is_err());
    block_on(put(&store, key("a", "x"), b"1"));
    assert_eq!(block_on(value(&store, key("a", "x"))), Some(b"1".to_vec()));
}

#[test]
fn a_range_is_deleted_after_what_was_accepted_before() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for part in ["a", "b", "c"] {
        block_on(put(&store, key(part, "x"), b"1"));
    }
    block_on(store.delete_range(ROWS, b"a", b"c")).unwrap();
    let mut left = Vec::new();
    block_on(store.scan(&Range::all(ROWS), &mut |row| {
        left.push(row.key.to_vec());
        Visit::Next
    }))
    .unwrap();
    assert_eq!(left, [b"c\0x"]);
}

#[test]
fn a_directory_has_one_owner_and_a_known_format() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let second = RocksStore::open(directory.path(), &RocksOptions::default());
    assert!(matches!(&second, Err(OpenError::Locked { holder, .. }) if *holder == std::process::id().to_string()));
    drop(store);
    std::fs::write(directory.path().join("FORMAT"), "2\n").unwrap();
    let newer = RocksStore::open(directory.path(), &RocksOptions::default()).err().unwrap();
    assert!(newer.to_string().contains("run a newer version of stator"), "{newer}");
}
