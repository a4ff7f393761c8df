//! One target, one process: mutates and runs until the time is over or something breaks.
//!
//! What must stay true: a target runs on a stack like that of a thread of the server; an input that takes longer than it may
//! ends the process, because nothing else ends it.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stator_driver::usage::resident_bytes_max;
use stator_fuzz::Target;

use super::corpus;
use super::mutate::mutate;
use crate::choices::Choices;
use crate::verdict::{Violation, broken, found};

/// What the last line says after the number of inputs.
pub(super) const INPUTS: &str = "inputs, of which";
/// The stack of a thread that answers requests.
pub(super) const STACK_BYTES: usize = 2 << 20;
/// What one input may take, in debug builds on a busy machine.
pub(super) const HANG: Duration = Duration::from_secs(10);
const WATCH_INTERVAL: Duration = Duration::from_millis(200);
/// What one input may add to the most memory that the process ever had.
const JUMP_BYTES: u64 = 96 << 20;
/// Inputs that are kept to go on from.
const KEPT_MAX: usize = 4000;
/// Attempts to make a failing input smaller.
const SMALLER_MAX: u64 = 3000;

/// Inputs to go on from, and the ways that they took.
struct Pool {
    inputs: Vec<Vec<u8>>,
    ways: HashSet<String>,
}

/// Gives a target inputs. The last line, or what broke.
pub(crate) fn work(target: &'static Target, seed: u64, time: Duration, input: &Path) -> Result<String, Violation> {
    let begin = Instant::now();
    let since_ms = Arc::new(AtomicU64::new(u64::MAX));
    watch(Arc::clone(&since_ms), begin, target.name);
    // A panic is told once, by whoever catches it.
    std::panic::set_hook(Box::new(|_| {}));
    let input = input.to_owned();
    let working = move || fuzz(target, seed, time, &input, begin, &since_ms);
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(working)?;
    thread.join().unwrap_or_else(|_| Err(broken("the worker itself panicked")))
}

/// Ends the process when an input takes too long; it has been written down.
fn watch(since_ms: Arc<AtomicU64>, begin: Instant, name: &'static str) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(WATCH_INTERVAL);
            let since = Duration::from_millis(since_ms.load(Ordering::Relaxed));
            if begin.elapsed().checked_sub(since).is_some_and(|elapsed| elapsed > HANG) {
                crate::say(&format!("{name}: an input takes longer than {HANG:?}"));
                std::process::exit(3);
            }
        }
    });
}

fn fuzz(target: &Target, seed: u64, time: Duration, path: &PathBuf, begin: Instant, since_ms: &AtomicU64) -> Result<String, Violation> {
    let (mut pool, mut choices) = (Pool { inputs: Vec::new(), ways: HashSet::new() }, Choices::of(seed));
    let mut seeds: Vec<PathBuf> = fs::read_dir(corpus(target))?.flatten().map(|entry| entry.path()).collect();
    seeds.sort();
    let mut waiting: Vec<Vec<u8>> = seeds.iter().map(fs::read).collect::<Result<_, _>>()?;
    waiting.push(Vec::new());
    let own = std::process::id();
    let mut resident_before = resident_bytes_max(own)?;
    let mut count = 0_u64;
    while begin.elapsed() < time || !waiting.is_empty() {
        let bytes = waiting.pop().unwrap_or_else(|| {
            let mut one = || &pool.inputs[usize::try_from(choices.below(pool.inputs.len() as u64)).unwrap_or_default()];
            let (input, other) = (one().clone(), one().clone());
            mutate(&mut choices, &input, &other, target.words)
        });
        fs::write(path, &bytes)?;
        since_ms.store(u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        let ran = attempt(target, &bytes);
        since_ms.store(u64::MAX, Ordering::Relaxed);
        count += 1;
        let way = match ran {
            Ok(way) => way,
            Err(panic) => {
                let smaller = smaller(target, bytes, &mut choices);
                fs::write(path, &smaller)?;
                return Err(found(format!("panicked: {panic}; the smallest such input is {:?}", String::from_utf8_lossy(&smaller))));
            }
        };
        let resident = resident_bytes_max(own)?;
        if resident > resident_before + JUMP_BYTES {
            return Err(found(format!("an input took {} MiB", (resident - resident_before) >> 20)));
        }
        resident_before = resident;
        if pool.ways.insert(way) && pool.inputs.len() < KEPT_MAX || pool.inputs.is_empty() {
            pool.inputs.push(bytes);
        }
    }
    Ok(format!("{}: {count} {INPUTS} {} took ways of their own", target.name, pool.inputs.len()))
}

fn attempt(target: &Target, input: &[u8]) -> Result<String, String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// Takes parts away for as long as the rest still panics.
fn smaller(target: &Target, mut input: Vec<u8>, choices: &mut Choices) -> Vec<u8> {
    for _ in 0..SMALLER_MAX {
        if input.is_empty() {
            break;
        }
        let from = usize::try_from(choices.below(input.len() as u64)).unwrap_or_default();
        let most = (input.len() - from) as u64;
        let taken = if choices.one_in(2) { 1 } else { 1 + choices.below(most) };
        let mut without = input.clone();
        drop(without.drain(from..from + usize::try_from(taken.min(most)).unwrap_or_default()));
        if attempt(target, &without).is_err() {
            input = without;
        }
    }
    input
}
