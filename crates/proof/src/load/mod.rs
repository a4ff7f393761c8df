//! Clients that write until the server is gone, each to places of its own, and know afterwards what has to be there.
//!
//! ```text
//! Load ─ one thread a client ─ write: chosen, sent, judged ─> knowledge ─ verify: compared with what a new server shows
//! ```
//!
//! What must stay true: an answer that nothing explains ends the run; a connection that breaks ends the client's work, and
//! the request that was under way is then unknown.

mod churn;
mod filler;
mod item;
mod knowledge;
mod pace;
mod settled;
mod single;
mod stream;
mod tables;
mod verify;
mod write;

use std::fmt;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};

use stator_driver::client::Client;

use crate::choices::Choices;
use crate::run::Run;
use crate::verdict::{Violation, found};
use churn::Churn;
use filler::Filler;
use knowledge::Knowledge;
pub(crate) use pace::Pace;
pub(crate) use settled::settle;
pub(crate) use single::{Outcome, Single};
use stream::Consumer;
pub(crate) use write::exception_of;

/// Clients that write items; two more make tables and indexes.
const WRITERS: u64 = 30;

/// What came of a request.
pub(crate) enum Step {
    Answered,
    /// The connection broke.
    Gone,
    /// Nothing explains the answer.
    Broke(String),
}

/// Somebody who sends one request after another.
pub(crate) trait Actor: Send {
    fn step(&mut self, client: &mut Client, choices: &mut Choices) -> Step;

    /// Whether its requests are due at a pace, and waits for them count. Who makes tables and indexes takes the time that it takes.
    fn keeps_pace(&self) -> bool {
        true
    }
}

/// All clients, and what they know.
pub(crate) struct Load {
    writers: Vec<Knowledge>,
    churn: Churn,
    filler: Filler,
    consumer: Consumer,
    seed: u64,
    rounds: u64,
    answered: u64,
}

impl Load {
    /// Makes the tables on a new server.
    pub(crate) fn new(run: &Run, address: SocketAddr) -> Result<Load, Violation> {
        let mut client = Client::connect(address)?;
        tables::create(&mut client)?;
        Ok(Load {
            writers: (0..WRITERS).map(Knowledge::of).collect(),
            churn: Churn::default(),
            filler: Filler::new(&mut client)?,
            consumer: Consumer::default(),
            seed: run.seed,
            rounds: 0,
            answered: 0,
        })
    }

    /// Writes until so many requests have been answered and `end` has ended the server.
    pub(crate) fn until(&mut self, address: SocketAddr, enough: u64, end: impl FnOnce()) -> Result<(), Violation> {
        self.rounds += 1;
        let round = Choices::part(self.seed, self.rounds).next();
        let writers = self.writers.iter_mut().map(|writer| writer as &mut dyn Actor);
        let actors = writers.chain([&mut self.churn as &mut dyn Actor, &mut self.filler]);
        self.answered += drive(address, actors, round, enough, end)?;
        Ok(())
    }

    /// Writes at a pace until `end` has ended the server.
    pub(crate) fn paced(&mut self, address: SocketAddr, pace: &Pace, end: impl FnOnce()) -> Result<(), Violation> {
        self.rounds += 1;
        let round = Choices::part(self.seed, self.rounds).next();
        let writers = self.writers.iter_mut().map(|writer| writer as &mut dyn Actor);
        let actors = writers.chain([&mut self.churn as &mut dyn Actor, &mut self.filler]);
        drive_at(pace, address, actors, round, 0, end)?;
        self.answered += pace.noted();
        Ok(())
    }

    /// How many clients keep a pace.
    pub(crate) fn paced_clients() -> u32 {
        u32::try_from(WRITERS).unwrap_or(u32::MAX)
    }

    /// Bytes of all records of the stream, as they are told.
    pub(crate) fn record_bytes(&self) -> u64 {
        self.consumer.record_bytes
    }

    /// Compares what a server shows with what the clients know.
    pub(crate) fn verify(&mut self, address: SocketAddr) -> Result<(), Violation> {
        let mut client = Client::connect(address)?;
        for writer in &mut self.writers {
            verify::places(&mut client, writer)?;
            verify::repeated(&mut client, writer)?;
        }
        verify::indexes(&mut client, &self.writers)?;
        self.consumer.read(&mut client)?;
        for writer in &mut self.writers {
            self.consumer.compare(writer)?;
        }
        self.churn.verify(&mut client)?;
        self.filler.verify(&mut client)
    }

    /// What was done.
    pub(crate) fn counts(&self) -> Counts {
        let Load { answered, consumer, filler, churn, .. } = self;
        Counts { answered: *answered, records: consumer.records, tables: churn.changes, indexes: filler.changes }
    }
}

/// What a load did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    answered: u64,
    records: u64,
    tables: u64,
    indexes: u64,
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |sum, next| Counts {
            answered: sum.answered + next.answered,
            records: sum.records + next.records,
            tables: sum.tables + next.tables,
            indexes: sum.indexes + next.indexes,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { answered, records, tables, indexes } = self;
        write!(
            f,
            "{answered} requests answered under load, {records} stream records read, {tables} tables made or dropped, {indexes} changes of an index"
        )
    }
}

/// Lets actors work, each in a thread of its own, until so many requests have been answered and `end` has ended the server.
/// Answers how many were.
pub(crate) fn drive<'a>(
    address: SocketAddr,
    actors: impl Iterator<Item = &'a mut dyn Actor>,
    seed: u64,
    enough: u64,
    end: impl FnOnce(),
) -> Result<u64, Violation> {
    drive_at(&Pace::free(), address, actors, seed, enough, end)
}

fn drive_at<'a>(
    pace: &Pace,
    address: SocketAddr,
    actors: impl Iterator<Item = &'a mut dyn Actor>,
    seed: u64,
    enough: u64,
    end: impl FnOnce(),
) -> Result<u64, Violation> {
    let (progress, heard) = channel();
    let (answered, worked): (u64, Vec<Result<(), String>>) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0_u64..)
            .zip(actors)
            .map(|(number, actor)| {
                let (choices, progress) = (Choices::part(seed, number), progress.clone());
                scope.spawn(move || work(pace, address, actor, choices, &progress))
            })
            .collect();
        drop(progress);
        // Once all clients have stopped at violations, nothing more is heard.
        let answered = heard.iter().take(usize::try_from(enough).unwrap_or(usize::MAX)).count() as u64;
        drop(heard);
        end();
        (answered, clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect())
    });
    worked.into_iter().collect::<Result<(), _>>().map_err(found)?;
    Ok(answered)
}

/// Works until the connection breaks.
fn work(pace: &Pace, address: SocketAddr, actor: &mut dyn Actor, mut choices: Choices, progress: &Sender<()>) -> Result<(), String> {
    // The server may be gone before the client has come to it.
    let Ok(mut client) = Client::connect(address) else { return Ok(()) };
    let mut due = None;
    loop {
        let began = pace.wait(due.take());
        match actor.step(&mut client, &mut choices) {
            // The receiver is gone once it has heard enough.
            Step::Answered => {
                let _ = progress.send(());
                if actor.keeps_pace() {
                    pace.note(began);
                    due = Some(began);
                } else {
                    pace.rest();
                }
            }
            Step::Gone => return Ok(()),
            Step::Broke(what) => return Err(what),
        }
    }
}

impl Actor for Knowledge {
    fn step(&mut self, client: &mut Client, choices: &mut Choices) -> Step {
        let write = write::choose(self, choices);
        self.pending = Some(write.pending.clone());
        let Ok(reply) = client.exchange(write.operation, &write.body.to_string()) else {
            // What would have been refused may not be there.
            self.pending.take_if(|_| write.refusal.is_some());
            return Step::Gone;
        };
        write::judge(self, &write, &reply).map_or_else(Step::Broke, |()| Step::Answered)
    }
}
