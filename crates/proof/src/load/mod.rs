//! Clients that write until the server is gone, each to places of its own, and know afterwards what has to be there.
//!
//! ```text
//! Load ─ one thread a client ─ write: chosen, sent, judged ─> knowledge ─ verify: compared with what a new server shows
//! ```
//!
//! What must stay true: an answer that nothing explains ends the run; a connection that breaks ends the client's work, and
//! the request that was under way is then unknown.

mod item;
mod knowledge;
mod tables;
mod verify;
mod write;

use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};

use stator_driver::client::Client;

use crate::choices::Choices;
use crate::run::Run;
use crate::verdict::{Violation, found};
use knowledge::Knowledge;

/// Clients that write at the same time.
const CLIENTS: u64 = 32;

/// All clients, and what they know.
pub(crate) struct Load {
    known: Vec<Knowledge>,
    seed: u64,
    rounds: u64,
    /// Requests that were answered.
    pub(crate) answered: u64,
}

impl Load {
    /// Makes the tables on a new server.
    pub(crate) fn new(run: &Run, address: SocketAddr) -> Result<Load, Violation> {
        tables::create(&mut Client::connect(address)?)?;
        Ok(Load { known: (0..CLIENTS).map(Knowledge::of).collect(), seed: run.seed, rounds: 0, answered: 0 })
    }

    /// Writes until so many requests have been answered and `end` has ended the server.
    pub(crate) fn until(&mut self, address: SocketAddr, enough: u64, end: impl FnOnce()) -> Result<(), Violation> {
        self.rounds += 1;
        let (progress, heard) = channel();
        let round = Choices::part(self.seed, self.rounds).next();
        let known = std::mem::take(&mut self.known);
        let worked: Vec<Result<Knowledge, String>> = std::thread::scope(|scope| {
            let clients: Vec<_> = known
                .into_iter()
                .map(|knowledge| {
                    let (choices, progress) = (Choices::part(round, knowledge.owner), progress.clone());
                    scope.spawn(move || work(address, knowledge, choices, &progress))
                })
                .collect();
            drop(progress);
            // Clients that found a violation are not waited for.
            self.answered += heard.iter().take(usize::try_from(enough).unwrap_or(usize::MAX)).count() as u64;
            end();
            clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
        });
        self.known = worked.into_iter().collect::<Result<_, _>>().map_err(found)?;
        Ok(())
    }

    /// Compares what a server shows with what the clients know.
    pub(crate) fn verify(&mut self, address: SocketAddr) -> Result<(), Violation> {
        let mut client = Client::connect(address)?;
        for knowledge in &mut self.known {
            verify::places(&mut client, knowledge)?;
            verify::repeated(&mut client, knowledge)?;
        }
        verify::indexes(&mut client, &self.known)
    }
}

/// Writes until the connection breaks.
fn work(address: SocketAddr, mut knowledge: Knowledge, mut choices: Choices, progress: &Sender<()>) -> Result<Knowledge, String> {
    // The server may be gone before the client has come to it.
    let Ok(mut client) = Client::connect(address) else { return Ok(knowledge) };
    loop {
        let write = write::choose(&mut knowledge, &mut choices);
        knowledge.pending = Some(write.pending.clone());
        let Ok(reply) = client.exchange(write.operation, &write.body.to_string()) else {
            if write.refusal.is_some() {
                // It would have been refused: none of it may be there.
                knowledge.pending = None;
            }
            return Ok(knowledge);
        };
        write::judge(&mut knowledge, &write, &reply)?;
        // The receiver is gone once it has heard enough.
        let _ = progress.send(());
    }
}
