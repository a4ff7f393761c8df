//! A client that adds a global index to a table that is full, writes while it is filled, and drops it again.
//!
//! What must stay true: an index whose creation was acknowledged becomes ACTIVE in spite of kills and then shows all items;
//! one whose deletion was acknowledged does not come back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use stator_driver::client::Client;

use super::item::{self, KINDS, State};
use super::tables::{by_kind, call, definitions_of_indexed, plain};
use super::verify::{compare, of_kind, scan};
use super::write::exception_of;
use super::{Actor, Step};
use crate::choices::Choices;
use crate::verdict::{Violation, found};

const TABLE: &str = "Full";
const INDEX: &str = "by-kind";
const OWNER: u64 = 2000;
const ITEMS: u64 = 1500;
const BATCH: u64 = 25;
/// Puts between changes of the index.
const PUTS: u64 = 40;
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the index is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Index {
    Absent,
    CreateSent,
    There,
    DeleteSent,
}

/// The client.
pub(super) struct Filler {
    items: BTreeMap<u64, u64>,
    pending: Option<(u64, u64)>,
    index: Index,
    next_number: u64,
    /// Times that the index was made or dropped.
    pub(super) changes: u64,
}

impl Filler {
    /// Makes the table and fills it.
    pub(super) fn new(client: &mut Client) -> Result<Filler, Violation> {
        call(client, "CreateTable", &plain(TABLE))?;
        let items: BTreeMap<u64, u64> = (0..ITEMS).map(|place| (place, place + 1)).collect();
        for batch in (0..ITEMS / BATCH).map(|batch| batch * BATCH..(batch + 1) * BATCH) {
            let puts: Vec<Value> = batch.map(|place| json!({"PutRequest": {"Item": item(place, place + 1)}})).collect();
            call(client, "BatchWriteItem", &json!({"RequestItems": {TABLE: puts}}))?;
        }
        Ok(Filler { items, pending: None, index: Index::Absent, next_number: ITEMS + 1, changes: 0 })
    }

    fn change(&mut self) -> Value {
        let mut body = json!({"TableName": TABLE});
        if self.index == Index::Absent {
            self.index = Index::CreateSent;
            body["AttributeDefinitions"] = definitions_of_indexed();
            body["GlobalSecondaryIndexUpdates"] = json!([{"Create": by_kind(INDEX)}]);
        } else {
            self.index = Index::DeleteSent;
            body["GlobalSecondaryIndexUpdates"] = json!([{"Delete": {"IndexName": INDEX}}]);
        }
        body
    }

    /// What the table and its index show.
    pub(super) fn verify(&mut self, client: &mut Client) -> Result<(), Violation> {
        self.verify_items(client)?;
        if has_index(client)? {
            client.await_active(TABLE, PATIENCE).map_err(|failure| found(failure.0))?;
        }
        // One that was being dropped has gone.
        let is_there = has_index(client)?;
        match (self.index, is_there) {
            (Index::Absent, true) | (Index::There, false) => {
                return Err(found(format!("index {INDEX} of {TABLE}: known to be {:?}, shown: {is_there}", self.index)));
            }
            (_, true) => self.index = Index::There,
            (_, false) => self.index = Index::Absent,
        }
        if !is_there {
            return Ok(());
        }
        let mut kinds: BTreeMap<String, Vec<u64>> = (0..KINDS).map(|kind| (item::kind(kind), Vec::new())).collect();
        self.items.values().for_each(|number| kinds.entry(item::kind(*number)).or_default().push(*number));
        for (kind, mut numbers) in kinds {
            numbers.sort_unstable();
            compare(&format!("{INDEX} of {TABLE}, {kind}"), &numbers, &of_kind(client, TABLE, INDEX, &kind)?)?;
        }
        Ok(())
    }

    fn verify_items(&mut self, client: &mut Client) -> Result<(), Violation> {
        let shown: BTreeMap<u64, u64> = scan(client, TABLE)?.into_iter().map(|((_, place), number)| (place, number)).collect();
        if shown != self.items
            && let Some((place, number)) = self.pending.take()
        {
            self.items.insert(place, number);
        }
        self.pending = None;
        if shown == self.items {
            return Ok(());
        }
        let differ: Vec<(u64, State)> = self
            .items
            .iter()
            .filter(|(place, number)| shown.get(place) != Some(number))
            .map(|(place, _)| (*place, shown.get(place).copied()))
            .collect();
        Err(found(format!("table {TABLE}: {} items differ, such as place and number {:?}", differ.len(), differ.first())))
    }
}

impl Actor for Filler {
    fn keeps_pace(&self) -> bool {
        false
    }

    fn step(&mut self, client: &mut Client, choices: &mut Choices) -> Step {
        let before = self.index;
        let may_change = matches!(before, Index::Absent | Index::There) && choices.one_in(PUTS);
        let (operation, body) = if may_change {
            ("UpdateTable", self.change())
        } else {
            self.next_number += 1;
            let (place, number) = (choices.below(ITEMS), self.next_number);
            self.pending = Some((place, number));
            ("PutItem", json!({"TableName": TABLE, "Item": item(place, number)}))
        };
        match client.exchange(operation, &body.to_string()) {
            Err(_) => Step::Gone,
            Ok(reply) if reply.status == 200 && may_change => {
                self.changes += 1;
                self.index = if self.index == Index::CreateSent { Index::There } else { Index::Absent };
                Step::Answered
            }
            Ok(reply) if reply.status == 200 => {
                if let Some((place, number)) = self.pending.take() {
                    self.items.insert(place, number);
                }
                Step::Answered
            }
            // The index is still on its way from the last change.
            Ok(reply) if may_change && exception_of(&reply.body).as_deref() == Some("ResourceInUseException") => {
                self.index = before;
                Step::Answered
            }
            Ok(reply) => Step::Broke(format!("{operation} of {TABLE}: {}", String::from_utf8_lossy(&reply.body))),
        }
    }
}

fn item(place: u64, number: u64) -> Value {
    item::whole(OWNER, place, number)
}

fn has_index(client: &mut Client) -> Result<bool, Violation> {
    let answer = call(client, "DescribeTable", &json!({"TableName": TABLE}))?;
    Ok(answer["Table"]["GlobalSecondaryIndexes"].as_array().into_iter().flatten().any(|index| index["IndexName"] == INDEX))
}
