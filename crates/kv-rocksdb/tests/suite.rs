//! The common contract on RocksDB: alone, behind a wrapper that fails on order, and beside the memory store.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use stator_kv::suite::{FAULTS, PROMISES, Promise};
use stator_kv::wrap::{Faulty, Mirror};
use stator_kv::{MemoryStore, Store};
use stator_kv_rocksdb::{RocksOptions, RocksStore};

type Wrap = fn(RocksStore) -> Arc<dyn Store>;

/// The store alone works on the disk, whose syncs let batches fill. The others are about meaning, and take memory for a disk
/// where they may.
const WRAPS: [(&str, &str, Wrap, &[&[Promise]]); 3] = [
    ("rocksdb", "", |store| Arc::new(store), &[PROMISES, FAULTS]),
    ("faulty", "/dev/shm", |store| Arc::new(Faulty::new(Arc::new(store))), &[PROMISES]),
    ("mirror", "/dev/shm", |store| Arc::new(Mirror::new(Arc::new(store), Arc::new(MemoryStore::new()))), &[PROMISES]),
];

fn keep(promise: &Promise, folder: &str, wrap: Wrap) {
    let directory = tempfile::tempdir_in(folder).or_else(|_| tempfile::tempdir()).unwrap();
    promise.keep(wrap(RocksStore::open(directory.path(), &RocksOptions { memory_bytes: 32 << 20 }).unwrap()));
}

/// A call on a mirror that is given up half way has reached one of its stores only.
fn applies(wrap: &str, promise: &Promise) -> bool {
    wrap != "mirror" || promise.name != "identity::a_commit_that_is_given_up_is_whole"
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (name, folder, wrap, promises) in WRAPS {
        for promise in promises.iter().copied().flatten().filter(|promise| applies(name, promise)) {
            trials.push(Trial::test(format!("{name}::{}", promise.name), move || {
                keep(promise, folder, wrap);
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
