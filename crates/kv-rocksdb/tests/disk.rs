//! What the store does when the disk fails, waits, or is full: by real calls of the system, which a small library in front
//! of the C library answers as the test says (`disk/shim.c`). Each test runs itself again as a child that loads it.
//!
//! What must stay true: nothing here waits for time to pass; the gate tells that a sync has begun.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::thread;

use stator_kv::suite::block_on;
use stator_kv::{CommitError, Decision, Found, Key, Level, MiniTxn, Profile, Space, Store, StoreError, TxnId, Write};
use stator_kv_rocksdb::{RocksOptions, RocksStore};

const ROWS: Space = Space { id: 1, profile: Profile::Rows };
const CONTROL: &str = "STATOR_TEST_DISK";
const GATE: &str = "STATOR_TEST_GATE";

/// A data directory on a disk that does as it is told.
struct Disk {
    control: PathBuf,
}

impl Disk {
    fn says(&self, how: &str) {
        std::fs::write(&self.control, how).unwrap();
    }

    fn open(&self) -> RocksStore {
        RocksStore::open(&self.control.with_file_name("data"), &RocksOptions { memory_bytes: 32 << 20 }).unwrap()
    }

    /// Waits until a sync is under way; it goes on when the answer is dropped.
    fn gate(&self) -> File {
        File::options().write(true).open(self.control.with_file_name("gate")).unwrap()
    }
}

/// Runs a test in a child of its own, on such a disk.
fn on_a_disk(test: &str, body: fn(&Disk)) {
    if let Some(control) = std::env::var_os(CONTROL) {
        return body(&Disk { control: control.into() });
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    run(Command::new("mkfifo").arg(at("gate")));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk/shim.c");
    run(Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(at("shim.so")).arg(source));
    std::fs::write(at("control"), "p").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--nocapture"]).env("LD_PRELOAD", at("shim.so"));
    run(child.env(CONTROL, at("control")).env(GATE, at("gate")));
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

fn key(sort: &str) -> Key {
    Key::new(ROWS, b"part", sort.as_bytes())
}

fn put(store: &RocksStore, sort: &str, value: &[u8]) -> Result<(), CommitError> {
    let writes = vec![Write::Put(key(sort), value.to_vec().into()), Write::Put(key(&format!("{sort}'")), value.to_vec().into())];
    block_on(store.mutate(&[], &mut |_| Decision::Commit(writes.clone()))).map(|_| ())
}

/// The value of a pair of rows that were written together.
fn value(store: &RocksStore, sort: &str) -> Option<Vec<u8>> {
    let found = block_on(store.read(&[key(sort), key(&format!("{sort}'"))], Level::Strong)).unwrap();
    let [one, other] = found.map_values();
    assert_eq!(one, other, "a commit is there in part");
    one
}

trait Values {
    fn map_values(self) -> [Option<Vec<u8>>; 2];
}

impl Values for Vec<Option<Found>> {
    fn map_values(self) -> [Option<Vec<u8>>; 2] {
        let values: Vec<_> = self.into_iter().map(|row| row.map(|row| row.value.to_vec())).collect();
        values.try_into().unwrap()
    }
}

fn is_read_only(result: &Result<(), CommitError>) -> bool {
    matches!(result, Err(CommitError::Store(error @ StoreError::ReadOnly(cause)))
        if !cause.is_empty() && error.to_string().contains("takes no more writes until it is restarted"))
}

/// Whatever is asked of it, a store that has failed acknowledges nothing, even if the disk has recovered.
fn assert_stopped(store: &RocksStore) {
    let refused = put(store, "later", b"x");
    assert!(is_read_only(&refused), "{refused:?}");
    let txn = MiniTxn { id: TxnId(9), checks: Vec::new(), writes: vec![Write::Delete(key("before"))] };
    let refused = block_on(store.commit(txn)).map(|_| ());
    assert!(is_read_only(&refused), "{refused:?}");
    let refused = block_on(store.delete_range(ROWS, b"", b"\xFF"));
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))), "{refused:?}");
    assert_eq!(value(store, "before"), Some(b"1".to_vec()), "reading goes on");
}

#[test]
fn a_failed_sync_stops_writing_until_a_restart() {
    on_a_disk("a_failed_sync_stops_writing_until_a_restart", |disk| {
        let store = disk.open();
        put(&store, "before", b"1").unwrap();
        disk.says("f");
        assert_eq!(put(&store, "lost", b"1"), Err(CommitError::Unknown(TxnId::NAMELESS)));
        disk.says("p");
        assert_eq!(value(&store, "lost"), None, "what was not synced is not shown");
        assert_stopped(&store);
        // Nobody is told of the lost value by a decision that looked at it and wrote nothing.
        let looked = block_on(store.mutate(&[key("lost")], &mut |_| Decision::Abort)).map(|_| ());
        assert!(is_read_only(&looked), "{looked:?}");
        drop(store);
        let store = disk.open();
        assert_eq!(value(&store, "before"), Some(b"1".to_vec()));
        assert!(matches!(value(&store, "lost").as_deref(), None | Some(b"1")), "whole or not at all");
        assert_eq!(value(&store, "later"), None);
        put(&store, "later", b"2").unwrap();
        assert_eq!(value(&store, "later"), Some(b"2".to_vec()));
    });
}

#[test]
fn a_full_disk_leaves_no_half_of_a_commit() {
    on_a_disk("a_full_disk_leaves_no_half_of_a_commit", |disk| {
        let store = disk.open();
        put(&store, "before", b"1").unwrap();
        disk.says("t");
        assert_eq!(put(&store, "lost", &[7; 5000]), Err(CommitError::Unknown(TxnId::NAMELESS)));
        disk.says("p");
        assert_eq!(value(&store, "lost"), None);
        assert_stopped(&store);
        drop(store);
        let store = disk.open();
        assert_eq!(value(&store, "before"), Some(b"1".to_vec()));
        assert_eq!(value(&store, "lost"), None, "half of it lies in the log, and is none");
        put(&store, "lost", b"2").unwrap();
        drop(store);
        assert_eq!(value(&disk.open(), "lost"), Some(b"2".to_vec()));
    });
}

#[test]
fn nobody_is_shown_what_is_not_synced_yet() {
    on_a_disk("nobody_is_shown_what_is_not_synced_yet", |disk| {
        let store = disk.open();
        put(&store, "row", b"1").unwrap();
        disk.says("w");
        thread::scope(|scope| {
            let (answered, answers) = channel();
            let tell = |who: &'static str| {
                let (store, answered) = (&store, answered.clone());
                move |call: fn(&RocksStore)| {
                    call(store);
                    answered.send(who).unwrap();
                }
            };
            let writer = tell("the writer");
            scope.spawn(move || writer(|store| put(store, "row", b"2").unwrap()));
            let gate = disk.gate();
            // The value is in the log by now, and its sync has begun.
            disk.says("p");
            assert_eq!(value(&store, "row"), Some(b"1".to_vec()));
            let decider = tell("who decided on it");
            scope.spawn(move || {
                decider(|store| {
                    let mut seen = None;
                    let aborted = block_on(store.mutate(&[key("row")], &mut |found| {
                        seen = found[0].as_ref().map(|row| row.value.to_vec());
                        Decision::Abort
                    }));
                    assert_eq!((aborted, seen), (Ok(None), Some(b"2".to_vec())), "decisions look ahead");
                });
            });
            let checker = tell("who was refused because of it");
            scope.spawn(move || {
                checker(|store| {
                    let checks = vec![stator_kv::Check::Absent(key("row"))];
                    let refused = block_on(store.commit(MiniTxn { id: TxnId(9), checks, writes: Vec::new() }));
                    assert!(matches!(refused, Err(CommitError::Conflict { found: Some(row), .. }) if row.value == b"2"[..]));
                });
            });
            assert_eq!(value(&store, "row"), Some(b"1".to_vec()));
            assert!(answers.try_recv().is_err(), "nothing is answered while the disk works");
            drop(gate);
            let mut told: Vec<_> = (0..3).map(|_| answers.recv().unwrap()).collect();
            told.sort_unstable();
            assert_eq!(told, ["the writer", "who decided on it", "who was refused because of it"]);
        });
        assert_eq!(value(&store, "row"), Some(b"2".to_vec()));
    });
}
