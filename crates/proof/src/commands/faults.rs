//! `faults`: the n-th call of the system fails, for every n; the disk fills up and has room again.
//!
//! What must stay true: each case starts from the same data and sends the same requests, so that a number of a call names
//! one place.

use std::fs;
use std::path::{Path, PathBuf};

use stator_driver::client::Client;
use stator_driver::server::Server;
use stator_planted::Fault;

use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::disk::{Disk, Kind, Order};
use crate::load::{Outcome, Single};
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "faults",
    about: "let every single call to the disk fail in turn, and let the disk fill up",
    help: "A server over files that a library in front of the C library lets fail: the n-th write (EIO, ENOSPC, or a short one and then
ENOSPC), sync, open, read, rename, removal or allocation since its start, for every n that a run without faults counts. It starts
over a data directory that was killed in use, so that recovery is part of it, and once over none. Then all is full from some
request on, and has room again. What must hold: a start that fails says why on standard error and exits with 1; an answer
is right, or an error of the server; after a write or sync has failed no write is acknowledged until a restart, and the log
says so; after it everything acknowledged is there, and nothing refused; stator check finds no fault. The same over the
contract of storage, in process, is crates/engine/tests/faults.rs.",
    options: &[
        Choice { name: "steps", default: "240", about: "requests in each case" },
        Choice { name: "points", default: "0", about: "so many n of each kind, spread evenly; 0 takes every n" },
    ],
    faults: &[Fault::IgnoreFailedSync],
    perform,
};

const EIO: u64 = 5;
const ENOSPC: u64 = 28;
/// What fails, how, and what it is called.
const CASES: [(Kind, u64, bool, &str); 9] = [
    (Kind::Sync, EIO, false, "sync EIO"),
    (Kind::Write, EIO, false, "write EIO"),
    (Kind::Write, ENOSPC, false, "write ENOSPC"),
    (Kind::Write, ENOSPC, true, "short write"),
    (Kind::Open, EIO, false, "open EIO"),
    (Kind::Read, EIO, false, "read EIO"),
    (Kind::Rename, EIO, false, "rename EIO"),
    (Kind::Unlink, EIO, false, "removal EIO"),
    (Kind::Allocate, ENOSPC, false, "allocation ENOSPC"),
];
/// Writes tried after one has failed.
const PROBES: u64 = 3;
/// Times that the disk fills up.
const FILLS: u64 = 8;
/// What a log says once writing has stopped.
const STOPPED: &str = "no write will be acknowledged until a restart";

/// Data to begin with, and what is known of it.
struct Beginning {
    folder: PathBuf,
    single: Option<Single>,
    name: &'static str,
}

#[derive(Default)]
struct Tally {
    cases: u64,
    refused_starts: u64,
    stopped: u64,
    unnoticed: u64,
}

fn perform(run: &mut Run) -> Result<String, Violation> {
    let disk = Disk::new(run, "disk")?;
    let mut tally = Tally::default();
    for beginning in [used(run, &disk)?, Beginning { folder: run.path("none")?, single: None, name: "no data" }] {
        let counts = case(run, &disk, &beginning, &Order::default(), &mut Tally::default())?;
        for (kind, errno, is_short, name) in CASES {
            let points = points(counts[kind as usize], run.number("points")?);
            let all = points.len() as u64;
            for (done, nth) in (0..).zip(points) {
                run.tell_progress(done, all, &format!("calls failed by {name} over {}", beginning.name));
                let order = Order { at: Some((kind, nth)), errno, is_short, ..Order::default() };
                case(run, &disk, &beginning, &order, &mut tally)
                    .map_err(|violation| told(violation, &format!("{name} at call {nth}, over {}", beginning.name)))?;
            }
        }
    }
    let beginning = used(run, &disk)?;
    for fill in 0..FILLS {
        full(run, &disk, &beginning, fill).map_err(|violation| told(violation, &format!("the disk is full for the {fill}. time")))?;
    }
    let Tally { cases, refused_starts, stopped, unnoticed } = tally;
    Ok(format!(
        "{cases} failing calls: {refused_starts} starts refused, {stopped} times writing stopped, {unnoticed} times nothing was lost by it; \
         {FILLS} times full and then not; no wrong answer, nothing acknowledged lost"
    ))
}

fn told(violation: Violation, of: &str) -> Violation {
    match violation {
        Violation::Found(what) => found(format!("{of}: {what}")),
        Violation::Broken(why) => broken(format!("{of}: {why}")),
    }
}

/// Every n, or some, spread evenly.
fn points(count: u64, wanted: u64) -> Vec<u64> {
    let step = if wanted == 0 { 1 } else { count.div_ceil(wanted).max(1) };
    (1..=count).step_by(usize::try_from(step).unwrap_or(usize::MAX)).collect()
}

/// A directory that was written to and killed.
fn used(run: &Run, disk: &Disk) -> Result<Beginning, Violation> {
    let folder = run.path("used")?;
    let _ = fs::remove_dir_all(&folder);
    lay(&run.path("none")?, disk)?;
    let server = start(run, disk, &Order::default())?;
    let mut single = Single::new(server.address())?;
    let (mut client, mut choices) = (Client::connect(server.address())?, Choices::part(run.seed, 1));
    for _ in 0..run.number("steps")? / 2 {
        let outcome = single.write(&mut client, &mut choices)?;
        if outcome != Outcome::Good {
            return Err(found(format!("without any fault: {outcome:?}")));
        }
    }
    server.kill();
    copy(&disk.data(), &folder)?;
    Ok(Beginning { folder, single: Some(single), name: "used data" })
}

/// Puts data where the server looks for it.
fn lay(folder: &Path, disk: &Disk) -> Result<(), Violation> {
    let _ = fs::remove_dir_all(disk.data());
    if folder.exists() { copy(folder, &disk.data()) } else { Ok(()) }
}

pub(super) fn copy(from: &Path, to: &Path) -> Result<(), Violation> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)?.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() { copy(&from, &to)? } else { fs::copy(&from, &to).map(|_| ())? }
    }
    Ok(())
}

fn start(run: &Run, disk: &Disk, order: &Order) -> Result<Server, Violation> {
    let mut command = run.serve_command(&disk.data(), &[])?;
    disk.attach(&mut command)?;
    disk.order(order)?;
    run.start(command)
}

/// One failing call, from start to restart. Answers how many calls of each kind there were.
fn case(run: &Run, disk: &Disk, beginning: &Beginning, order: &Order, tally: &mut Tally) -> Result<[u64; 7], Violation> {
    lay(&beginning.folder, disk)?;
    let mut single = beginning.single.clone();
    tally.cases += 1;
    match start(run, disk, order) {
        Err(Violation::Found(said)) => {
            explained(&said, disk)?;
            tally.refused_starts += 1;
        }
        Err(broken) => return Err(broken),
        Ok(server) => {
            let stopped = work(run, &server, &mut single, order)?;
            tally.stopped += u64::from(stopped);
            tally.unnoticed += u64::from(!stopped);
            server.kill();
        }
    }
    let kinds = [Kind::Open, Kind::Read, Kind::Write, Kind::Sync, Kind::Rename, Kind::Unlink, Kind::Allocate];
    let mut counts = [0; 7];
    for (count, kind) in counts.iter_mut().zip(kinds) {
        *count = disk.count(kind)?;
    }
    restart(run, disk, single)?;
    Ok(counts)
}

/// A start that fails says why, and does not panic.
fn explained(said: &str, disk: &Disk) -> Result<(), Violation> {
    if disk.hits()? == 0 {
        return Err(found(format!("the server did not start, although nothing had failed{said}")));
    }
    if said.contains("panicked") || !said.contains("stator: ") {
        return Err(found(format!("the server did not start, and does not say why{said}")));
    }
    Ok(())
}

/// Requests until the server fails at one; then none may be acknowledged. Whether it has stopped to write.
fn work(run: &Run, server: &Server, single: &mut Option<Single>, order: &Order) -> Result<bool, Violation> {
    let mut client = Client::connect(server.address())?;
    let mut choices = Choices::part(run.seed, 2);
    if single.is_none() {
        // Making tables may be what fails; then nothing is known of them.
        match Single::new(server.address()) {
            Ok(made) => *single = Some(made),
            Err(_) if order.at.is_some() => return Ok(true),
            Err(violation) => return Err(violation),
        }
    }
    let single = single.as_mut().expect("it was made above");
    for _ in 0..run.number("steps")? {
        let read = single.read(&mut client, &mut choices)?;
        let write = single.write(&mut client, &mut choices)?;
        let failed = match (&read, &write) {
            (_, Outcome::Gone) => return Err(found(format!("the server went away{}", server.last_words()))),
            (Outcome::Failed(_) | Outcome::Good, Outcome::Good) => false,
            _ => true,
        };
        if failed {
            return stopped(server, single, &mut client, &write);
        }
    }
    Ok(false)
}

/// A write has failed: no further one is acknowledged, and the log says what happened and how to go on.
fn stopped(server: &Server, single: &mut Single, client: &mut Client, failed: &Outcome) -> Result<bool, Violation> {
    let says_stopped = server.log().contains(STOPPED);
    for _ in 0..PROBES {
        if !single.probe(client)? && says_stopped {
            return Err(found(format!("a write was acknowledged after one had failed ({failed:?})")));
        }
    }
    if !server.log().contains("ERROR") {
        return Err(found(format!("a request failed ({failed:?}), and the log does not say why{}", server.last_words())));
    }
    Ok(says_stopped)
}

/// Without faults, everything acknowledged is there.
fn restart(run: &Run, disk: &Disk, single: Option<Single>) -> Result<(), Violation> {
    let server = start(run, disk, &Order::default())?;
    if let Some(mut single) = single {
        single.verify(server.address())?;
    }
    server.kill();
    run.check(&disk.data())
}

/// The disk is full from some request on, a restart is tried, and then there is room again.
fn full(run: &Run, disk: &Disk, beginning: &Beginning, fill: u64) -> Result<(), Violation> {
    lay(&beginning.folder, disk)?;
    let mut single = beginning.single.clone().expect("used data is known");
    let server = start(run, disk, &Order::default())?;
    let (mut client, mut choices) = (Client::connect(server.address())?, Choices::part(run.seed, 3 + fill));
    let is_full = Order { is_full: true, ..Order::default() };
    for _ in 0..choices.below(run.number("steps")?) {
        single.write(&mut client, &mut choices)?;
    }
    disk.order(&is_full)?;
    let failed = single.write(&mut client, &mut choices)?;
    for _ in 0..PROBES {
        if !single.probe(&mut client)? {
            return Err(found(format!("a write was acknowledged on a full disk, after {failed:?}")));
        }
    }
    if !server.log().contains(STOPPED) {
        return Err(found(format!("the log does not say that writing has stopped{}", server.last_words())));
    }
    // Reading goes on.
    if single.read(&mut client, &mut choices)? != Outcome::Good {
        return Err(found("nothing can be read on a full disk"));
    }
    server.kill();
    match start(run, disk, &is_full) {
        Err(Violation::Found(said)) => explained(&said, disk)?,
        Err(broken) => return Err(broken),
        Ok(server) => server.kill(),
    }
    restart(run, disk, Some(single))
}
