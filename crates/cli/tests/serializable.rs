//! Callers side by side on RocksDB, whose observations must have one order, whatever shares a batch and a sync.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use stator_kv_rocksdb::{RocksOptions, RocksStore};
use stator_testkit::history::{Concurrent, serializable};
use stator_testkit::target::InProcess;

#[test]
fn callers_side_by_side_see_one_order_on_rocksdb() {
    let directory = tempfile::tempdir().unwrap();
    let store = RocksStore::open(directory.path(), &RocksOptions { memory_bytes: 32 << 20 }).unwrap();
    let target = InProcess::open(Arc::new(store));
    let plan = Concurrent { callers: 8, calls: 60, items: 4 };
    serializable(plan, || target.clone()).unwrap();
}
