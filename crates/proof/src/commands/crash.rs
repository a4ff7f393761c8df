//! `crash`: kills the server under load, starts it again, and compares with what its clients know.
//!
//! What must stay true: the kill is SIGKILL, at a moment that the server does not choose.

use std::time::Duration;

use stator_driver::server::Server;
use stator_planted::Fault;

use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::load::Load;
use crate::run::Run;
use crate::verdict::Violation;

pub(crate) const COMMAND: Command = Command {
    name: "crash",
    about: "kill the server under mixed load, again and again; nothing acknowledged may be lost",
    help: "32 clients put, update and delete under conditions that hold and that do not, write batches and transactions, items that are
due for expiry, make and drop tables, add a global index to a full table and drop it. The server is killed (SIGKILL) at a random
moment and started again, and now and then killed while it starts. What must hold: every acknowledged write is there, whole, and
so is what follows from it (entries of a local and a global index, one record of the stream, in order); nothing that was refused
is there; what was under way is there or not, a transaction as a whole, and sent again under its token it has happened once;
tables and indexes are those that were acknowledged; stator check finds no fault.",
    options: &[Choice { name: "rounds", default: "200", about: "how many kills" }],
    faults: &[Fault::DropWrite, Fault::DropIndexEntry, Fault::DropStreamRecord],
    perform,
};

/// Requests that are answered before a kill, at most.
const ANSWERED_MAX: u64 = 3_000;
/// The kill comes up to so much later.
const DELAY_MICROS_MAX: u64 = 20_000;
/// A start is killed within this time.
const START_MICROS_MAX: u64 = 300_000;

/// Shards of the stream last some seconds, so that kills meet their turns.
pub(super) const ROLLING: [&str; 2] = ["--stream-shard-hours", "0.003"];

fn perform(run: &mut Run) -> Result<String, Violation> {
    let data = run.path("data")?;
    let rounds = run.number("rounds")?;
    let mut choices = Choices::of(run.seed);
    let mut load = None;
    let mut starts_killed = 0;
    for round in 1..=rounds {
        let server = run.start(run.serve_command(&data, &ROLLING)?)?;
        kill_under_load(run, server, &mut load, &mut choices)?;
        if choices.one_in(4) {
            starts_killed += 1;
            let mut starting =
                run.serve_command(&data, &ROLLING)?.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn()?;
            std::thread::sleep(Duration::from_micros(choices.below(START_MICROS_MAX)));
            let _ = starting.kill();
            let _ = starting.wait();
        }
        run.check(&data)?;
        run.tell_progress(round, rounds, "rounds");
    }
    let done = load.map(|load| load.counts()).unwrap_or_default();
    Ok(format!("{rounds} kills under load and {starts_killed} while starting; {done}; nothing lost"))
}

/// Compares a server that has started with what the clients know, loads it, and kills it at a moment that is not its own.
pub(super) fn kill_under_load(run: &Run, server: Server, load: &mut Option<Load>, choices: &mut Choices) -> Result<(), Violation> {
    let load = match load {
        Some(load) => load,
        None => load.insert(Load::new(run, server.address())?),
    };
    load.verify(server.address())?;
    let (enough, delay) = (1 + choices.below(ANSWERED_MAX), Duration::from_micros(choices.below(DELAY_MICROS_MAX)));
    load.until(server.address(), enough, || {
        std::thread::sleep(delay);
        server.kill();
    })
}
