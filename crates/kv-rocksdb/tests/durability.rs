//! What the store owes beyond the common contract: its directory, its counters, and what survives a reopening.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
use futures_executor::block_on;
use stator_kv::{Decision, Key, Level, Profile, Space, Store, Write};
use stator_kv_rocksdb::{OpenError, RocksOptions, RocksStore};

const ROWS: Space = Space { id: 1, profile: Profile::Rows };
const SMALL: Space = Space { id: 3, profile: Profile::Small };

fn open(path: &std::path::Path) -> RocksStore {
    RocksStore::open(path, &RocksOptions { memory_bytes: 32 << 20 }).unwrap()
}

fn key(part: &str, sort: &str) -> Key {
    Key::new(ROWS, format!("{part}\0").as_bytes(), sort.as_bytes())
}

#[test]
fn rows_counters_and_versions_survive_a_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let counter = Key::new(SMALL, b"count", b"");
    let mut versions = Vec::new();
    for round in 1..=3i64 {
        let store = open(directory.path());
        let receipt = block_on(store.mutate(&[], &mut |_| {
            Decision::Commit(vec![
                Write::Put(key("a", "x"), vec![u8::try_from(round).unwrap()]),
                Write::Add(counter.clone(), vec![1, -round]),
            ])
        }));
        versions.push(receipt.unwrap().unwrap().version);
        let found = block_on(store.read(&[key("a", "x"), counter.clone()], Level::Strong)).unwrap();
        assert_eq!(found[0].as_ref().unwrap().value, [u8::try_from(round).unwrap()]);
        let sums = [round, -(1..=round).sum::<i64>()].map(i64::to_le_bytes).concat();
        assert_eq!(found[1].as_ref().unwrap().value, sums);
    }
    assert!(versions.is_sorted_by(|left, right| left < right), "{versions:?}");
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
