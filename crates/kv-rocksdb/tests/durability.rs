//! What the store owes beyond the common contract: its directory, its counters, and what survives a reopening.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
use std::path::{Path, PathBuf};

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
                Write::Put(key("a", "x"), vec![u8::try_from(round).unwrap()].into()),
                Write::Add(counter.clone(), vec![1, -round]),
            ])
        }));
        versions.push(receipt.unwrap().unwrap().version);
        let found = block_on(store.read(&[key("a", "x"), counter.clone()], Level::Strong)).unwrap();
        assert_eq!(found[0].as_ref().unwrap().value[..], [u8::try_from(round).unwrap()]);
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

/// The largest file of a kind that the engine has in a directory.
fn largest(directory: &Path, is_wanted: impl Fn(&Path) -> bool) -> PathBuf {
    let files = std::fs::read_dir(directory.join("rocksdb")).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| is_wanted(file)).max_by_key(|file| file.metadata().unwrap().len()).unwrap()
}

fn is_manifest(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("MANIFEST"))
}

fn is_log_of_writes(file: &Path) -> bool {
    file.extension().is_some_and(|kind| kind == "log")
}

#[test]
fn what_a_closed_directory_has_lost_is_noticed_when_it_is_opened() {
    for kind in ["manifest", "log of writes"] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        block_on(store.mutate(&[], &mut |_| Decision::Commit(vec![Write::Put(key("a", "x"), vec![7; 1000].into())]))).unwrap();
        drop(store);
        let cut = largest(directory.path(), if kind == "manifest" { is_manifest } else { is_log_of_writes });
        let bytes = std::fs::read(&cut).unwrap();
        std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
        let refusal = RocksStore::open(directory.path(), &RocksOptions::default()).err().expect(kind).to_string();
        assert!(refusal.contains("part of the data is lost") && refusal.contains("delete"), "{kind}: {refusal}");
        std::fs::write(&cut, &bytes).unwrap();
        let found = block_on(open(directory.path()).read(&[key("a", "x")], Level::Strong)).unwrap();
        assert_eq!(found[0].as_ref().unwrap().value[..], [7; 1000], "{kind}");
    }
}

/// The directory of a store that was written to twice and closed, with one bit of the second write flipped, and what undoes it.
fn with_a_damaged_log(directory: &Path) -> (PathBuf, Vec<u8>) {
    let store = open(directory);
    for value in [1, 2] {
        block_on(store.mutate(&[], &mut |_| Decision::Commit(vec![Write::Put(key("a", "x"), vec![value; 1000].into())]))).unwrap();
    }
    drop(store);
    let log = largest(directory, is_log_of_writes);
    let before = std::fs::read(&log).unwrap();
    let mut bytes = before.clone();
    let last = bytes.iter().rposition(|byte| *byte == 2).unwrap();
    bytes[last] ^= 1;
    std::fs::write(&log, &bytes).unwrap();
    (log, before)
}

#[test]
fn a_log_of_writes_that_was_damaged_after_the_end_is_noticed_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (log, before) = with_a_damaged_log(directory.path());
    for _ in 0..2 {
        let refusal = RocksStore::open(directory.path(), &RocksOptions::default()).err().expect("a refusal").to_string();
        assert!(refusal.contains("is not what it was when it was closed"), "{refusal}");
    }
    std::fs::write(&log, before).unwrap();
    let found = block_on(open(directory.path()).read(&[key("a", "x")], Level::Strong)).unwrap();
    assert_eq!(found[0].as_ref().unwrap().value[..], [2; 1000]);
}

#[test]
fn a_log_of_writes_that_was_damaged_after_the_end_is_noticed_by_the_version_too() {
    let directory = tempfile::tempdir().unwrap();
    with_a_damaged_log(directory.path());
    // As a start leaves it that is cut off while the engine opens its files.
    let note = directory.path().join("CLOSED");
    let version = std::fs::read_to_string(&note).unwrap().lines().next().unwrap().to_owned();
    std::fs::write(&note, format!("{version}\n")).unwrap();
    for _ in 0..2 {
        let refusal = RocksStore::open(directory.path(), &RocksOptions::default()).err().expect("a refusal").to_string();
        assert!(refusal.contains("the last one found in it is"), "{refusal}");
    }
    std::fs::remove_file(note).unwrap();
    drop(open(directory.path()));
}

#[test]
fn a_directory_without_its_beginning_is_not_taken_for_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    block_on(store.mutate(&[], &mut |_| Decision::Commit(vec![Write::Put(key("a", "x"), vec![1].into())]))).unwrap();
    drop(store);
    // After a crash there is no note of what was there.
    std::fs::remove_file(directory.path().join("CLOSED")).unwrap();
    for (name, said) in [("rocksdb/CURRENT", "CURRENT is missing"), ("FORMAT", "does not hold a format number")] {
        let (path, aside) = (directory.path().join(name), directory.path().join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        let refusal = RocksStore::open(directory.path(), &RocksOptions::default()).err().expect(name).to_string();
        assert!(refusal.contains(said), "{name}: {refusal}");
        std::fs::rename(&aside, &path).unwrap();
    }
    let found = block_on(open(directory.path()).read(&[key("a", "x")], Level::Strong)).unwrap();
    assert_eq!(found[0].as_ref().unwrap().value[..], [1]);
}

/// Copies the files of a directory that is in use, which is what a kill leaves of it.
fn killed(from: &Path, to: &Path) {
    for folder in ["", "rocksdb"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for file in std::fs::read_dir(from.join(folder)).unwrap().map(|file| file.unwrap()).filter(|file| file.path().is_file()) {
            std::fs::copy(file.path(), to.join(folder).join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn after_a_crash_damage_in_front_of_later_writes_is_noticed_and_a_torn_end_is_none() {
    let [used, directory, torn] = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let store = open(used.path());
    for value in [1, 2, 3] {
        block_on(store.mutate(&[], &mut |_| Decision::Commit(vec![Write::Put(key("a", "x"), vec![value; 1000].into())]))).unwrap();
    }
    killed(used.path(), directory.path());
    killed(used.path(), torn.path());
    drop(store);
    let log = largest(directory.path(), is_log_of_writes);
    let whole = std::fs::read(&log).unwrap();
    let flipped_in = |value| {
        let mut bytes = whole.clone();
        let at = bytes.windows(8).position(|window| window == [value; 8]).unwrap();
        bytes[at] ^= 0x40;
        bytes
    };
    std::fs::write(&log, flipped_in(2)).unwrap();
    let mut said = String::new();
    for _ in 0..2 {
        said = RocksStore::open(directory.path(), &RocksOptions::default()).err().expect("a refusal").to_string();
        assert!(said.contains("acknowledged writes would be lost"), "{said}");
    }
    assert_eq!(std::fs::read(&log).unwrap(), flipped_in(2), "what is refused is left as it is");
    // As the sentence says.
    let length = said.split("truncate -s ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    std::fs::File::options().write(true).open(&log).unwrap().set_len(length).unwrap();
    let value = |store: &RocksStore| block_on(store.read(&[key("a", "x")], Level::Strong)).unwrap()[0].as_ref().unwrap().value[0];
    assert_eq!(value(&open(directory.path())), 1, "what comes before the damage is there");
    // The last write in pieces may be one that was never acknowledged.
    std::fs::write(largest(torn.path(), is_log_of_writes), flipped_in(3)).unwrap();
    assert_eq!(value(&open(torn.path())), 2);
}

#[test]
fn after_a_crash_there_is_nothing_to_compare_with() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    assert!(directory.path().join("CLOSED").exists());
    let store = open(directory.path());
    assert!(!directory.path().join("CLOSED").exists());
    drop(store);
}
