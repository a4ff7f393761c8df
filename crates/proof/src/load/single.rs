//! One client alone, for proofs that need the same requests every time and want to see what becomes of each.
//!
//! What must stay true: after the first answer that is an error of the server, nothing it knows of is written any more.

use std::net::SocketAddr;

use serde_json::json;
use stator_driver::client::Client;
use stator_driver::reply::Reply;

use super::item::{self, PLAIN, table};
use super::knowledge::Knowledge;
use super::stream::Consumer;
use super::{tables, verify, write};
use crate::choices::Choices;
use crate::verdict::{Violation, found};

/// Owns what is written after a failure.
const PROBE_OWNER: u64 = 3000;

/// The client.
#[derive(Clone)]
pub(crate) struct Single {
    knowledge: Knowledge,
    consumer: Consumer,
    /// Writes that were refused because an earlier one failed.
    probes: u64,
}

/// How a request came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it should.
    Good,
    /// The server could not do it, and said so.
    Failed(String),
    /// There was no answer.
    Gone,
}

impl Single {
    /// Makes the tables.
    pub(crate) fn new(address: SocketAddr) -> Result<Single, Violation> {
        tables::create(&mut Client::connect(address)?)?;
        Ok(Single { knowledge: Knowledge::of(0), consumer: Consumer::default(), probes: 0 })
    }

    /// One write.
    pub(crate) fn write(&mut self, client: &mut Client, choices: &mut Choices) -> Result<Outcome, Violation> {
        let write = write::choose(&mut self.knowledge, choices);
        self.knowledge.pending = Some(write.pending.clone());
        match client.exchange(write.operation, &write.body.to_string()) {
            Err(_) => Ok(Outcome::Gone),
            Ok(reply) => match failure_of(&reply) {
                Some(told) => Ok(Outcome::Failed(told)),
                None => write::judge(&mut self.knowledge, &write, &reply).map(|()| Outcome::Good).map_err(found),
            },
        }
    }

    /// One read. What it shows has to be what is known, or what is under way.
    pub(crate) fn read(&mut self, client: &mut Client, choices: &mut Choices) -> Result<Outcome, Violation> {
        let place = choices.below(item::INDEXED_PLACES);
        let body = json!({"TableName": table(place), "Key": item::key(0, place), "ConsistentRead": true});
        let Ok(reply) = client.exchange("GetItem", &body.to_string()) else { return Ok(Outcome::Gone) };
        if let Some(told) = failure_of(&reply) {
            return Ok(Outcome::Failed(told));
        }
        let answer: serde_json::Value = serde_json::from_slice(&reply.body).map_err(|error| found(format!("GetItem: {error}")))?;
        let shown = match &answer["Item"] {
            serde_json::Value::Null => None,
            item => Some(verify::whole(item)?.1),
        };
        let writes = self.knowledge.pending.iter().flat_map(|pending| &pending.writes);
        let may_be = writes.filter(|(written, _)| *written == place).map(|(_, state)| *state).chain([self.knowledge.state(place)]);
        if may_be.into_iter().any(|state| state == shown) {
            return Ok(Outcome::Good);
        }
        Err(found(format!("place {place} shows {shown:?}, and should show {:?}", self.knowledge.state(place))))
    }

    /// One more write after one has failed: none may be acknowledged. Whether it was refused.
    pub(crate) fn probe(&mut self, client: &mut Client) -> Result<bool, Violation> {
        self.probes += 1;
        let body = json!({"TableName": PLAIN, "Item": item::whole(PROBE_OWNER, self.probes, self.probes)});
        client.exchange("PutItem", &body.to_string()).map(|reply| reply.status != 200).or(Ok(true))
    }

    /// Compares what a server shows with what is known; nothing that was refused after a failure may be there.
    pub(crate) fn verify(&mut self, address: SocketAddr) -> Result<(), Violation> {
        let mut client = Client::connect(address)?;
        verify::places(&mut client, &mut self.knowledge)?;
        verify::repeated(&mut client, &mut self.knowledge)?;
        verify::indexes(&mut client, std::slice::from_ref(&self.knowledge))?;
        self.consumer.read(&mut client)?;
        self.consumer.compare(&mut self.knowledge)?;
        for ((owner, place), _) in verify::scan(&mut client, PLAIN)? {
            if owner == PROBE_OWNER {
                return Err(found(format!("write {place} after a failure was refused, and is there")));
            }
        }
        Ok(())
    }
}

/// What the server says if it could not do what it was asked.
fn failure_of(reply: &Reply) -> Option<String> {
    (reply.status >= 500).then(|| format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)))
}
