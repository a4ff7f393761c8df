//! `fuzz`: gives every place that reads a stranger's bytes mutated inputs.
//!
//! What must stay true: the targets are those that libFuzzer gets (fuzz/); each runs in a process of its own.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stator_fuzz::{PLANTED, TARGETS, Target};

use crate::command::{Choice, Command};
use crate::fuzz::{self, Counts, Engine, Libfuzzer};
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "fuzz",
    about: "mutated inputs for everything that reads a stranger's bytes",
    help: "Targets: the five expressions, PartiQL, request bodies of every operation down to a small engine, keys that a page starts from,
short histories with a clock and restarts, numbers, keys, stored items, Signature Version 4, shard iterators. Inputs are those of
fuzz/corpus and mutations of them; one that took a way of its own is kept to go on from. What must hold: no panic, no crash, no
answer of status 500, no input that takes longer than 10 s or 96 MiB; and what each target says about values (printed and read
again they are the same; a store verifies after every request). With --prove the targets are three that fail at an input that has
to be found. With a nightly toolchain and cargo-fuzz the same targets run under libFuzzer, which watches branches: --engine
libfuzzer. Debug builds find a way some ten times more slowly than --profile release.",
    options: &[
        Choice { name: "time", default: "60s", about: "how long for each target: 10s, 5m, 1h" },
        Choice { name: "target", default: "", about: "only this one" },
        Choice { name: "engine", default: "own", about: "own, or libfuzzer" },
        Choice { name: "jobs", default: "0", about: "so many targets at a time; 0 takes as many as there are cores" },
        Choice { name: "worker", default: "", about: "run this target in this process" },
        Choice { name: "input", default: "", about: "where a worker writes down each input" },
    ],
    faults: &[],
    perform,
};

fn perform(run: &mut Run) -> Result<String, Violation> {
    let seconds = seconds(run.text("time")).ok_or_else(|| broken("--time takes a number and s, m or h"))?;
    if !run.text("worker").is_empty() {
        let target = named(run.text("worker"))?;
        return fuzz::work(target, run.seed, Duration::from_secs(seconds), Path::new(run.text("input")));
    }
    let engine = match run.text("engine") {
        "own" => Engine::Own,
        "libfuzzer" => Engine::Libfuzzer(Libfuzzer::build()?),
        other => return Err(broken(format!("--engine is own or libfuzzer, and not {other}"))),
    };
    if run.is_proving() {
        return prove(run, &engine, seconds);
    }
    let only = run.text("target").to_owned();
    let chosen: Vec<&Target> = if only.is_empty() { TARGETS.iter().collect() } else { vec![named(&only)?] };
    let jobs = match usize::try_from(run.number("jobs")?) {
        Ok(0) | Err(_) => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        Ok(jobs) => jobs,
    };
    let folder = folder(run)?;
    let Counts { inputs, kept } = all(jobs, &chosen, |target| fuzz::run(&engine, &folder, run.seed, target, seconds))?;
    Ok(format!("{} targets, {seconds} s each: {inputs} inputs that took {kept} ways; all withstood", chosen.len()))
}

/// Where inputs are written down.
fn folder(run: &Run) -> Result<PathBuf, Violation> {
    let folder = run.path("inputs")?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Runs targets, so many at a time. The first that does not withstand ends its thread; the others run to their ends.
fn all(jobs: usize, targets: &[&Target], run: impl Fn(&Target) -> Result<Counts, Violation> + Sync) -> Result<Counts, Violation> {
    let next = AtomicUsize::new(0);
    let ended: Vec<Result<Counts, Violation>> = std::thread::scope(|scope| {
        let one_after_another = || {
            let mut sum = Counts::default();
            while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Counts { inputs, kept } = run(target)?;
                crate::say(&format!("  {:<12}{inputs:>10} inputs, {kept} ways", target.name));
                sum = Counts { inputs: sum.inputs + inputs, kept: sum.kept + kept };
            }
            Ok(sum)
        };
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(one_after_another)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    ended
        .into_iter()
        .try_fold(Counts::default(), |sum, ended| ended.map(|more| Counts { inputs: sum.inputs + more.inputs, kept: sum.kept + more.kept }))
}

/// Every planted target has to be found failing.
fn prove(run: &Run, engine: &Engine, seconds: u64) -> Result<String, Violation> {
    let mut told = Vec::new();
    for target in PLANTED {
        match fuzz::run(engine, &folder(run)?, run.seed, target, seconds) {
            Err(Violation::Found(what)) => told.push(what),
            Err(broken) => return Err(broken),
            Ok(Counts { inputs, .. }) => return Ok(format!("{} is NOT found failing with {inputs} inputs", target.name)),
        }
    }
    Err(found(told.join("\n")))
}

fn named(name: &str) -> Result<&'static Target, Violation> {
    let known = TARGETS.iter().chain(PLANTED).find(|target| target.name == name);
    known.ok_or_else(|| broken(format!("there is no target {name}")))
}

/// `90`, `10s`, `5m` or `1h` in seconds.
fn seconds(text: &str) -> Option<u64> {
    let (number, factor) = match text.char_indices().last()? {
        (end, 's') => (&text[..end], 1),
        (end, 'm') => (&text[..end], 60),
        (end, 'h') => (&text[..end], 3600),
        _ => (text, 1),
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read() {
        assert_eq!(["90", "10s", "5m", "1h", "", "x", "5d"].map(seconds), [Some(90), Some(10), Some(300), Some(3600), None, None, None]);
    }
}
