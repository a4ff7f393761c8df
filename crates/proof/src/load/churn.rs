//! A client that makes tables, fills them a little, and deletes them, under names that it uses again and again.
//!
//! What must stay true: a table whose creation was acknowledged is there with what was put, one whose deletion was
//! acknowledged is not, and a new one of an old name shows nothing of the old one.

use std::collections::BTreeMap;

use serde_json::json;
use stator_driver::client::Client;

use super::item::{self, State};
use super::tables::{call, indexed};
use super::verify::scan;
use super::{Actor, Step};
use crate::choices::Choices;
use crate::verdict::{Violation, found};

/// Names in use.
const NAMES: u64 = 4;
/// Who owns its items.
const OWNER: u64 = 1000;
const PREFIX: &str = "Churn-";

/// What is in a table: numbers by place.
type Contents = BTreeMap<u64, u64>;

/// What was sent when the server went.
enum Sent {
    Create,
    Delete,
    Put(u64, u64),
}

/// The client.
#[derive(Default)]
pub(super) struct Churn {
    tables: BTreeMap<String, Contents>,
    pending: Option<(String, Sent)>,
    next_number: u64,
    /// Tables that were made or dropped.
    pub(super) changes: u64,
}

impl Actor for Churn {
    fn keeps_pace(&self) -> bool {
        false
    }

    fn step(&mut self, client: &mut Client, choices: &mut Choices) -> Step {
        let name = format!("{PREFIX}{}", choices.below(NAMES));
        self.next_number += 1;
        let (operation, body, sent) = match self.tables.get(&name) {
            None => ("CreateTable", indexed(&name), Sent::Create),
            Some(_) if choices.one_in(4) => ("DeleteTable", json!({"TableName": name}), Sent::Delete),
            Some(_) => {
                let (place, number) = (choices.below(item::INDEXED_PLACES), self.next_number);
                ("PutItem", json!({"TableName": name, "Item": item::whole(OWNER, place, number)}), Sent::Put(place, number))
            }
        };
        self.pending = Some((name, sent));
        match client.exchange(operation, &body.to_string()) {
            Err(_) => Step::Gone,
            Ok(reply) if reply.status == 200 => {
                self.changes += u64::from(operation != "PutItem");
                self.acknowledge();
                Step::Answered
            }
            Ok(reply) => Step::Broke(format!("{operation} of a table that comes and goes: {}", String::from_utf8_lossy(&reply.body))),
        }
    }
}

impl Churn {
    fn acknowledge(&mut self) {
        match self.pending.take() {
            None => {}
            Some((name, Sent::Create)) => {
                self.tables.insert(name, Contents::new());
            }
            Some((name, Sent::Delete)) => {
                self.tables.remove(&name);
            }
            Some((name, Sent::Put(place, number))) => {
                self.tables.entry(name).or_default().insert(place, number);
            }
        }
    }

    /// Which tables there are, and what is in them.
    pub(super) fn verify(&mut self, client: &mut Client) -> Result<(), Violation> {
        let answer = call(client, "ListTables", &json!({}))?;
        let listed: Vec<String> =
            answer["TableNames"].as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        for name in (0..NAMES).map(|number| format!("{PREFIX}{number}")) {
            let is_there = listed.contains(&name);
            let sent = self.pending.take_if(|(of, _)| *of == name);
            match (self.tables.contains_key(&name), is_there, &sent) {
                (true, false, Some((_, Sent::Delete))) | (false, true, Some((_, Sent::Create))) => {
                    self.pending = sent;
                    self.acknowledge();
                }
                (known, shown, _) if known != shown => {
                    return Err(found(format!("table {name}: known to be there: {known}, listed: {shown}")));
                }
                (true, ..) => self.contents(client, &name, sent.as_ref().map(|(_, sent)| sent))?,
                (false, ..) => {}
            }
        }
        Ok(())
    }

    fn contents(&mut self, client: &mut Client, name: &str, sent: Option<&Sent>) -> Result<(), Violation> {
        let shown: Contents = scan(client, name)?.into_iter().map(|((_, place), number)| (place, number)).collect();
        let known = self.tables.entry(name.to_owned()).or_default();
        if shown == *known {
            return Ok(());
        }
        let before: Option<State> = match sent {
            Some(Sent::Put(place, number)) => Some(known.insert(*place, *number)),
            _ => None,
        };
        if shown == *known {
            Ok(())
        } else {
            Err(found(format!("table {name} has {shown:?}, and should have {known:?} (before: {before:?})")))
        }
    }
}
