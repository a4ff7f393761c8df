//! Random histories on the operations in process and on the oracle, which have to agree; and callers side by side, whose
//! observations have to have an order.
//!
//! The histories of an ordinary run are the same each time. `STATOR_HISTORIES=5000` runs so many others. A failure shrinks
//! and is printed as a golden script.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use stator_kv::MemoryStore;
use stator_testkit::history::{Concurrent, history, run, serializable};
use stator_testkit::target::InProcess;

/// Histories of an ordinary run.
const HISTORIES: u32 = 150;
const OPERATIONS_MAX: usize = 40;
/// 2026-11-24.
const NOW_S: u64 = 1_795_500_000;

#[test]
fn random_histories_answer_as_the_oracle_does() {
    // Generators of trees are deep where nothing is inlined.
    #[expect(clippy::disallowed_methods, reason = "a stack of another size needs a thread of its own")]
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(compare_histories).unwrap();
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn compare_histories() {
    let asked = std::env::var("STATOR_HISTORIES").ok().and_then(|text| text.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(HISTORIES),
        max_shrink_time: 60_000,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let ran = runner.run(&history(OPERATIONS_MAX), |operations| {
        let mut target = InProcess::open_at(Arc::new(MemoryStore::new()), NOW_S * 1000);
        run(&mut target, "us-east-1", NOW_S, &operations).map(|_| ()).map_err(TestCaseError::fail)
    });
    if let Err(proptest::test_runner::TestError::Fail(script, _)) = ran {
        panic!("\n{}", script.message());
    }
    ran.unwrap();
}

#[test]
fn callers_side_by_side_see_one_order() {
    let target = InProcess::open(Arc::new(MemoryStore::new()));
    let plan = Concurrent { callers: 8, calls: 60, items: 4 };
    serializable(plan, || target.clone()).unwrap();
}
