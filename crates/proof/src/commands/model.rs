//! `model`: random histories on the product and on a naive oracle, which have to agree.
//!
//! What must stay true: a history depends on the seed, its target and its number alone; each has a region of its own, so that
//! none meets what another left.

use std::cell::Cell;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use stator_kv::MemoryStore;
use stator_kv_rocksdb::{RocksOptions, RocksStore};
use stator_planted::Fault;
use stator_testkit::history::{history, run as compare};
use stator_testkit::target::{HttpTarget, InProcess, Target};

use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "model",
    about: "random operations on the product and on a naive oracle, which have to agree",
    help: "Histories of item operations, batches, transactions, queries and scans, also in the parameters from before expressions and in
PartiQL, of a table with a local and two global indexes and a time to live, while hours pass; over memory and over RocksDB in process, and over HTTP and RocksDB: four fifths, a
tenth and a tenth of the calls. The oracle is a map of items and shares no parser, no evaluator and no encoding with the product. What
must hold: every answer is the oracle's, so is every exception and what is beside it, and what every call consumed; items whose time
has come are gone; the stream tells each item's changes in their order. A failure is shrunk and printed as a golden script.",
    options: &[Choice { name: "ops", default: "1000000", about: "how many calls and records are compared" }],
    faults: &[Fault::DropWrite, Fault::DropIndexEntry, Fault::DropStreamRecord],
    perform,
};

/// Operations of a history.
const OPERATIONS_MAX: usize = 60;
const STACK_BYTES: usize = 64 << 20;
/// The first history begins on 2026-11-24, each other one some days later: no clock goes back.
const BEGIN_S: u64 = 1_795_500_000;
const DAYS_S: u64 = 3 * 24 * 60 * 60;
const SHRINK_MS_MAX: u32 = 60_000;
const SHRINKS_MAX: u32 = 5_000;

fn perform(run: &mut Run) -> Result<String, Violation> {
    let operations = run.number("ops")?;
    let server = run.start(run.dev_command(&run.path("served")?)?)?;
    let (seed, address) = (run.seed, server.address());
    // In this process nothing is planted; and what strikes now and then does not shrink.
    if run.planted().is_some() {
        let compared = over("HTTP", seed ^ 3, operations, 0, || HttpTarget::new(address))?;
        return Ok(format!("{compared} operations over HTTP are the oracle's"));
    }
    let store = RocksStore::open(&run.path("data")?, &RocksOptions { memory_bytes: 64 << 20 }).map_err(broken)?;
    let (rocks, tenth, begin) = (InProcess::open_at(Arc::new(store), BEGIN_S * 1000), operations / 10, Instant::now());
    let (memory, rocks, wire, elapsed) = thread::scope(|scope| {
        let on_disk = scope.spawn(|| over("RocksDB", seed ^ 2, tenth, SHRINKS_MAX, || rocks.clone()));
        let on_wire = scope.spawn(|| over("HTTP", seed ^ 3, tenth, SHRINKS_MAX, || HttpTarget::new(address)));
        let in_memory = over("memory", seed ^ 1, operations - 2 * tenth, SHRINKS_MAX, || {
            InProcess::open_at(Arc::new(MemoryStore::new()), BEGIN_S * 1000)
        });
        let elapsed = begin.elapsed();
        let ended = |thread: ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (in_memory, ended(on_disk), ended(on_wire), elapsed)
    });
    let (memory, rocks, wire) = (memory?, rocks?, wire?);
    let rate = u128::from(memory) * 1000 / elapsed.as_millis().max(1);
    let sum = memory + rocks + wire;
    Ok(format!("{sum} operations are the oracle's: {memory} over memory ({rate}/s), {rocks} over RocksDB, {wire} over HTTP"))
}

/// Compares histories until so many operations were; answers how many it became.
fn over<T: Target>(name: &str, seed: u64, operations: u64, shrinks: u32, target: impl Fn() -> T + Sync) -> Result<u64, Violation> {
    // Generators of trees are deep where nothing is inlined.
    thread::scope(|scope| {
        let comparing = || histories(name, seed, operations, shrinks, &target);
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, comparing)?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn histories<T: Target>(name: &str, seed: u64, operations: u64, shrinks: u32, target: &impl Fn() -> T) -> Result<u64, Violation> {
    let (compared, regions) = (Cell::new(0), Cell::new(0u64));
    let mut number = 0;
    while compared.get() < operations {
        let mut choices = Choices::part(seed, number);
        let bytes: Vec<u8> = (0..4).flat_map(|_| choices.next().to_le_bytes()).collect();
        let config =
            Config { cases: 1, max_shrink_time: SHRINK_MS_MAX, max_shrink_iters: shrinks, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let ran = runner.run(&history(OPERATIONS_MAX), |operations| {
            regions.set(regions.get() + 1);
            let mut target = target();
            let begin_s = BEGIN_S + regions.get() * DAYS_S;
            let equal = compare(&mut target, &format!("model-{}", regions.get()), begin_s, &operations).map_err(TestCaseError::fail)?;
            target.settle();
            compared.set(compared.get() + equal);
            Ok(())
        });
        match ran {
            Ok(()) => number += 1,
            Err(TestError::Fail(script, _)) => return Err(found(format!("history {number} over {name}\n{}", script.message()))),
            Err(TestError::Abort(reason)) => return Err(broken(reason)),
        }
    }
    Ok(compared.get())
}
