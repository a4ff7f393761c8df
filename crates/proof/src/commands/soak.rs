//! `soak`: a load that the server can bear, for a long time, and whether anything grows that should not.
//!
//! What must stay true: what is compared are times of one server with each other, not with numbers of some machine.

use std::path::Path;
use std::time::{Duration, Instant};

use stator_driver::server::Server;
use stator_driver::usage::{directory_bytes, read_bytes, resident_bytes};
use stator_planted::Fault;

use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::load::{Load, Pace};
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "soak",
    about: "70 % of the top rate for a long time; memory, handles, disk, reads and p99 have to stay flat",
    help: "The load of `crash`, first as fast as it goes, then at 70 % of that rate: items, batches, transactions, items that are due for
expiry, tables that come and go, an index that is filled and dropped. The server is stopped or killed and started again every few
minutes, and all is compared as in `crash`. What must hold: in each life of the server its memory stays what it was after the first
third, and so do its handles, but for those of files of its data that are there, which are as many as the data needs; the disk has
no more than what the records of streams take, which stay for a day, and a fixed sum; the p99 of requests for items in the last third
of all lives is at most twice that of the first, and so is what a request reads of files; stator check finds no fault.",
    options: &[
        Choice { name: "minutes", default: "60", about: "how long" },
        Choice { name: "life", default: "120", about: "seconds of each life of the server" },
    ],
    faults: &[Fault::LeakMemory],
    perform,
};

/// How long the top rate is measured: long enough that the engine has to merge what is written, as it will have to all the time. Before
/// that a server does more than it can keep up.
const TOP: Duration = Duration::from_secs(60);
const SHARE_PERCENT: u32 = 70;
/// Looks at a server in each of its lives.
const LOOKS: u32 = 12;
/// Growth in one life that is no leak: caches fill, and memory comes in large pieces.
const MEMORY_SLACK_BYTES: u64 = 48 << 20;
const HANDLES_SLACK: usize = 24;
/// Logs of writes, tables that wait for compaction, and whatever else does not grow with time.
const DISK_SLACK_BYTES: u64 = 256 << 20;
const P99_SLACK_US: u64 = 50_000;
/// A block or so for each request: compactions read as well.
const READ_SLACK_BYTES: u64 = 16 << 10;
/// Once in so many times a server is killed instead of stopped.
const KILL_PERIOD: u64 = 3;

/// What was seen of one life.
struct Life {
    /// Memory, and handles of anything but files of data that are there, look by look.
    looks: Vec<(u64, usize)>,
    answered: usize,
    p99_us: u64,
    /// Bytes that the server read of files for each of them.
    read_bytes: u64,
    disk_bytes: u64,
}

fn perform(run: &mut Run) -> Result<String, Violation> {
    let data = run.path("data")?;
    let (total, life) = (Duration::from_secs(60 * run.number("minutes")?), Duration::from_secs(run.number("life")?.max(1)));
    let mut choices = Choices::of(run.seed);
    let server = run.start(run.serve_command(&data, &super::crash::ROLLING)?)?;
    let mut load = Load::new(run, server.address())?;
    let top = live(&mut load, server, &data, &Pace::free(), TOP, false)?;
    let per_second = u32::try_from(top.answered / usize::try_from(TOP.as_secs()).unwrap_or(1)).unwrap_or(u32::MAX).max(1);
    let interval = Duration::from_secs(100) * Load::paced_clients() / per_second / SHARE_PERCENT;
    crate::say(&format!("  top rate {per_second} requests a second; from now on {SHARE_PERCENT} %"));
    let begin = Instant::now();
    let mut lives = Vec::new();
    while begin.elapsed() < total {
        let server = run.start(run.serve_command(&data, &super::crash::ROLLING)?)?;
        load.verify(server.address())?;
        let lived = live(&mut load, server, &data, &Pace::every(interval), life.min(total), choices.one_in(KILL_PERIOD))?;
        crate::say(&told(&lived, &load));
        judge(&lived, load.record_bytes())?;
        lives.push(lived);
    }
    let server = run.start(run.serve_command(&data, &super::crash::ROLLING)?)?;
    load.verify(server.address())?;
    server.stop()?;
    run.check(&data)?;
    let (first, last) = compare(&lives)?;
    let (read_first, read_last) = compare_reads(&lives)?;
    let peak = lives.iter().flat_map(|life| &life.looks).map(|(bytes, _)| bytes >> 20).max().unwrap_or_default();
    let answered: usize = lives.iter().map(|life| life.answered).sum();
    Ok(format!(
        "{} lives, {answered} requests at {SHARE_PERCENT} % of {per_second}/s; {}; at most {peak} MiB; a request read {read_first} bytes at \
         first, {read_last} at last; p99 {} ms at first, {} ms at last",
        lives.len(),
        load.counts(),
        first / 1000,
        last / 1000
    ))
}

fn told(life: &Life, load: &Load) -> String {
    let (memory, handles) = life.looks.last().copied().unwrap_or_default();
    format!(
        "  {} requests, p99 {} ms, {} bytes read for each, {} MiB, {handles} handles beside those of its files, {} MiB on disk ({} MiB of records)",
        life.answered,
        life.p99_us / 1000,
        life.read_bytes,
        memory >> 20,
        life.disk_bytes >> 20,
        load.record_bytes() >> 20
    )
}

/// Lets clients work for a time, looks at the server meanwhile, and ends it.
fn live(load: &mut Load, server: Server, data: &Path, pace: &Pace, time: Duration, kills: bool) -> Result<Life, Violation> {
    let (address, mut looks, mut ended) = (server.address(), Vec::new(), Ok(()));
    let (pid, folder) = (server.pid(), data.canonicalize()?);
    let (read_before, mut read_after) = (read_bytes(pid)?, Ok(0));
    load.paced(address, pace, || {
        for _ in 0..LOOKS {
            std::thread::sleep(time / LOOKS);
            looks.push(look(pid, &folder));
        }
        read_after = read_bytes(pid);
        if kills { server.kill() } else { ended = server.stop() }
    })?;
    ended?;
    let waits = pace.take();
    let p99_us = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    let looks = looks.into_iter().collect::<Result<_, Violation>>()?;
    let read_bytes = read_after?.saturating_sub(read_before) / waits.len().max(1) as u64;
    Ok(Life { looks, answered: waits.len(), p99_us, read_bytes, disk_bytes: directory_bytes(data) })
}

/// Memory, and handles of anything but files that are in a folder now: sockets, pipes, and files that were removed and not let go.
fn look(pid: u32, folder: &Path) -> Result<(u64, usize), Violation> {
    let memory = resident_bytes(pid)?;
    // A handle may be let go while we look.
    let handles = std::fs::read_dir(format!("/proc/{pid}/fd"))?.flatten().filter_map(|handle| std::fs::read_link(handle.path()).ok());
    Ok((memory, handles.filter(|target| counts(target, folder)).count()))
}

fn counts(target: &Path, folder: &Path) -> bool {
    !(target.starts_with(folder) && target.exists())
}

/// Whether one life was flat.
fn judge(life: &Life, record_bytes: u64) -> Result<(), Violation> {
    let settled = &life.looks[life.looks.len() / 3..];
    let (Some((memory, handles)), Some((last_memory, last_handles))) = (settled.first(), settled.last()) else {
        return Err(broken("nobody looked"));
    };
    if *last_memory > memory + memory / 4 + MEMORY_SLACK_BYTES {
        return Err(found(format!("memory grew from {} to {} MiB in one life", memory >> 20, last_memory >> 20)));
    }
    if *last_handles > handles + HANDLES_SLACK {
        return Err(found(format!("handles grew from {handles} to {last_handles} in one life")));
    }
    if life.disk_bytes > record_bytes + DISK_SLACK_BYTES {
        return Err(found(format!("the disk holds {} MiB, and records are {} MiB", life.disk_bytes >> 20, record_bytes >> 20)));
    }
    Ok(())
}

/// The p99 of the first and of the last third of all lives, each the middle one, in microseconds.
fn compare(lives: &[Life]) -> Result<(u64, u64), Violation> {
    let (first, last) = thirds(lives, |life| life.p99_us);
    if last > 2 * first + P99_SLACK_US {
        return Err(found(format!("p99 went from {} to {} ms", first / 1000, last / 1000)));
    }
    Ok((first, last))
}

/// The bytes of files that a request read, likewise: they tell of work that grows with the data before waiting does.
fn compare_reads(lives: &[Life]) -> Result<(u64, u64), Violation> {
    let (first, last) = thirds(lives, |life| life.read_bytes);
    if last > 2 * first + READ_SLACK_BYTES {
        return Err(found(format!("what a request reads of files went from {first} to {last} bytes")));
    }
    Ok((first, last))
}

/// The middle one of the first third of all lives, and that of the last.
fn thirds(lives: &[Life], figure: impl Fn(&Life) -> u64) -> (u64, u64) {
    let middle = |lives: &[Life]| {
        let mut figures: Vec<u64> = lives.iter().map(&figure).collect();
        figures.sort_unstable();
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    let third = lives.len().div_ceil(3);
    (middle(&lives[..third]), middle(&lives[lives.len() - third..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(looks: &[(u64, usize)], p99_us: u64, disk_bytes: u64) -> Life {
        Life { looks: looks.iter().map(|(mib, handles)| (mib << 20, *handles)).collect(), answered: 1, p99_us, read_bytes: 0, disk_bytes }
    }

    #[test]
    fn what_grows_is_told_from_what_fills() {
        let flat = [(50, 40), (100, 60), (110, 60), (120, 62), (118, 61), (121, 63)];
        assert!(judge(&life(&flat, 0, 0), 0).is_ok());
        assert!(judge(&life(&[(50, 40), (100, 60), (110, 60), (150, 60), (180, 60), (220, 60)], 0, 0), 0).is_err());
        assert!(judge(&life(&[(50, 40), (100, 60), (110, 60), (110, 80), (110, 90), (110, 100)], 0, 0), 0).is_err());
        assert!(judge(&life(&flat, 0, 300 << 20), 0).is_err());
        assert!(judge(&life(&flat, 0, 300 << 20), 100 << 20).is_ok());
    }

    #[test]
    fn waits_at_the_end_are_compared_with_waits_at_the_beginning() {
        let lives = |p99s: &[u64]| p99s.iter().map(|p99| life(&[], *p99, 0)).collect::<Vec<_>>();
        assert!(compare(&lives(&[30_000, 32_000, 31_000, 40_000, 35_000, 33_000])).is_ok());
        assert!(compare(&lives(&[30_000, 32_000, 60_000, 70_000, 150_000, 199_000])).is_err());
    }

    #[test]
    fn reads_that_grow_with_the_data_are_found() {
        let lives = |bytes: &[u64]| bytes.iter().map(|bytes| Life { read_bytes: *bytes, ..life(&[], 0, 0) }).collect::<Vec<_>>();
        assert!(compare_reads(&lives(&[200, 900, 1_000, 4_000, 3_000, 9_000])).is_ok());
        assert!(compare_reads(&lives(&[200, 900, 1_000, 40_000, 90_000, 260_000])).is_err());
    }

    #[test]
    fn only_files_that_are_there_do_not_count() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(!counts(&folder.join("Cargo.toml"), folder));
        assert!(counts(&folder.join("Cargo.toml (deleted)"), folder));
        assert!(counts(Path::new("socket:[12]"), folder));
        assert!(counts(Path::new("/dev/null"), folder));
    }
}
