//! A client that appends marks to lists and looks at them, and notes when.
//!
//! What must stay true: an event begins before its request is sent and ends after its answer has come; an answer that
//! nothing explains ends the run.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use stator_driver::client::Client;
use stator_testkit::history::order::{Event, Fate};

use super::{GROUP, INDEX, ITEMS, TABLE, World, key, listed, marks, number};
use crate::choices::Choices;
use crate::load::{Actor, Step, exception_of};

/// Exceptions that leave everything as it was: a condition that does not hold, and a transaction in the way.
const REFUSALS: [&str; 3] = ["ConditionalCheckFailedException", "TransactionConflictException", "TransactionCanceledException"];
/// Once in so many times a client waits a little between two calls.
const PAUSE_PERIOD: u64 = 4;
const PAUSE_MICROS_MAX: u64 = 3_000;

/// Where a list was seen: in an answer that may be old.
pub(super) struct Sighting {
    pub(super) item: u64,
    pub(super) list: Vec<u64>,
    /// The key in the index, if it was seen there.
    pub(super) last: Option<u64>,
}

/// A client.
pub(super) struct Caller<'w> {
    world: &'w World,
    number: u64,
    pub(super) events: Vec<Event>,
    pub(super) sightings: Vec<Sighting>,
    /// A transaction whose answer was lost, and its event: to be sent once more.
    again: Option<(Value, usize)>,
}

/// An answer, or nothing if the connection broke; with the moments around it.
struct Told {
    began: u64,
    ended: u64,
    answer: Option<(u16, Value)>,
}

impl<'w> Caller<'w> {
    pub(super) fn new(world: &'w World, number: u64) -> Caller<'w> {
        Caller { world, number, events: Vec::new(), sightings: Vec::new(), again: None }
    }

    /// The process has ended: whatever is open can not take effect after this moment.
    pub(super) fn end(&mut self, moment: u64) {
        self.events.iter_mut().filter(|event| event.ended == u64::MAX).for_each(|event| event.ended = moment);
    }

    fn ask(&self, client: &mut Client, operation: &str, body: &Value) -> Result<Told, String> {
        let began = self.world.moment();
        let reply = client.exchange(operation, &body.to_string()).ok();
        let ended = if reply.is_some() { self.world.moment() } else { u64::MAX };
        let Some(reply) = reply else { return Ok(Told { began, ended, answer: None }) };
        let is_explained = reply.status == 200 || exception_of(&reply.body).is_some_and(|name| REFUSALS.contains(&name.as_str()));
        let text = String::from_utf8_lossy(&reply.body);
        if !is_explained {
            return Err(format!("client {}: {operation} got an answer that nothing explains: {} {text}", self.number, reply.status));
        }
        let answer = serde_json::from_str(&text).map_err(|error| format!("{operation} answered what is not JSON: {error}"))?;
        Ok(Told { began, ended, answer: Some((reply.status, answer)) })
    }

    /// Notes a write; whether the connection still holds.
    fn wrote(&mut self, told: &Told, mark: u64, items: BTreeMap<u64, Option<Vec<u64>>>) -> bool {
        let fate = match &told.answer {
            None => Fate::Unknown,
            Some((200, _)) => Fate::Done,
            Some(_) => Fate::Refused,
        };
        self.events.push(Event { began: told.began, ended: told.ended, mark: Some(mark), items, fate });
        told.answer.is_some()
    }

    /// Notes what was seen of some items in one moment.
    fn saw(&mut self, told: &Told, items: BTreeMap<u64, Option<Vec<u64>>>) {
        self.events.push(Event { began: told.began, ended: told.ended, mark: None, items, fate: Fate::Done });
    }

    fn append(&mut self, client: &mut Client, item: u64, sees: bool) -> Result<bool, String> {
        let mark = self.world.mark();
        let mut body = update(item, mark);
        if sees {
            body["ReturnValues"] = json!("ALL_NEW");
        }
        let told = self.ask(client, "UpdateItem", &body)?;
        let seen = told.answer.as_ref().filter(|(status, _)| sees && *status == 200).map(|(_, answer)| marks(&answer["Attributes"]));
        Ok(self.wrote(&told, mark, [(item, seen)].into()))
    }

    /// Reads an item and puts it with one mark more, if it is still as it was read.
    fn replace(&mut self, client: &mut Client, item: u64) -> Result<bool, String> {
        let Some(seen) = self.get(client, item)? else { return Ok(false) };
        let mark = self.world.mark();
        let list: Vec<u64> = seen.iter().copied().chain([mark]).collect();
        let mut whole = key(item);
        whole["marks"] = listed(&list);
        whole["last"] = json!({"N": mark.to_string()});
        whole["group"] = json!({"S": GROUP});
        let mut body = json!({"TableName": TABLE, "Item": whole, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"});
        if seen.is_empty() {
            body["ConditionExpression"] = json!("attribute_not_exists(marks)");
        } else {
            body["ConditionExpression"] = json!("marks = :seen");
            body["ExpressionAttributeValues"] = json!({":seen": listed(&seen)});
        }
        let told = self.ask(client, "PutItem", &body)?;
        if let Some((400, answer)) = &told.answer
            && answer["Item"].is_object()
        {
            self.saw(&told, [(item, Some(marks(&answer["Item"])))].into());
        }
        let is_done = told.answer.as_ref().is_some_and(|(status, _)| *status == 200);
        Ok(self.wrote(&told, mark, [(item, is_done.then_some(list))].into()))
    }

    /// Reads the newest list of an item; nothing if the connection broke.
    fn get(&mut self, client: &mut Client, item: u64) -> Result<Option<Vec<u64>>, String> {
        let told = self.ask(client, "GetItem", &json!({"TableName": TABLE, "Key": key(item), "ConsistentRead": true}))?;
        let Some((_, answer)) = &told.answer else { return Ok(None) };
        let list = marks(&answer["Item"]);
        self.saw(&told, [(item, Some(list.clone()))].into());
        Ok(Some(list))
    }

    fn transact(&mut self, client: &mut Client, items: &BTreeSet<u64>) -> Result<bool, String> {
        let mark = self.world.mark();
        let actions: Vec<Value> = items.iter().map(|item| json!({"Update": update(*item, mark)})).collect();
        let body = json!({"ClientRequestToken": format!("token-{mark}"), "TransactItems": actions});
        let told = self.ask(client, "TransactWriteItems", &body)?;
        let holds = self.wrote(&told, mark, items.iter().map(|item| (*item, None)).collect());
        if !holds {
            self.again = Some((body, self.events.len() - 1));
        }
        Ok(holds)
    }

    /// Sends a transaction once more under its token. Only one that had not taken effect can be refused.
    fn repeat(&mut self, client: &mut Client, body: &Value, event: usize) -> Result<bool, String> {
        let told = self.ask(client, "TransactWriteItems", body)?;
        let event = &mut self.events[event];
        event.ended = told.ended;
        match told.answer {
            None => return Ok(false),
            Some((200, _)) => event.fate = Fate::Done,
            Some(_) => event.fate = Fate::Refused,
        }
        Ok(true)
    }

    fn get_together(&mut self, client: &mut Client, items: &BTreeSet<u64>) -> Result<bool, String> {
        let gets: Vec<Value> = items.iter().map(|item| json!({"Get": {"TableName": TABLE, "Key": key(*item)}})).collect();
        let told = self.ask(client, "TransactGetItems", &json!({"TransactItems": gets}))?;
        if let Some((200, answer)) = &told.answer {
            let lists = answer["Responses"].as_array().into_iter().flatten().map(|response| Some(marks(&response["Item"])));
            self.saw(&told, items.iter().copied().zip(lists).collect());
        }
        Ok(told.answer.is_some())
    }

    /// Looks at an item or at the index without asking for the newest.
    fn glance(&mut self, client: &mut Client, item: Option<u64>) -> Result<bool, String> {
        let told = match item {
            Some(item) => self.ask(client, "GetItem", &json!({"TableName": TABLE, "Key": key(item)}))?,
            None => self.ask(client, "Query", &of_index())?,
        };
        let Some((_, answer)) = &told.answer else { return Ok(false) };
        match item {
            Some(item) => self.sightings.push(Sighting { item, list: marks(&answer["Item"]), last: None }),
            None => {
                for entry in answer["Items"].as_array().into_iter().flatten() {
                    let item = number(entry, "item").ok_or_else(|| format!("an entry of no item: {entry}"))?;
                    self.sightings.push(Sighting { item, list: marks(entry), last: number(entry, "last") });
                }
            }
        }
        Ok(true)
    }

    fn act(&mut self, client: &mut Client, choices: &mut Choices) -> Result<bool, String> {
        if choices.one_in(PAUSE_PERIOD) {
            std::thread::sleep(Duration::from_micros(choices.below(PAUSE_MICROS_MAX)));
        }
        if let Some((body, event)) = self.again.take() {
            return self.repeat(client, &body, event);
        }
        let item = choices.below(ITEMS);
        let some: BTreeSet<u64> = (0..2 + choices.below(2)).map(|_| choices.below(ITEMS)).collect();
        match choices.below(12) {
            0..4 => self.append(client, item, choices.one_in(2)),
            4 | 5 => self.replace(client, item),
            6 | 7 => self.transact(client, &some),
            8 => self.get(client, item).map(|list| list.is_some()),
            9 => self.get_together(client, &some),
            10 => self.glance(client, Some(item)),
            _ => self.glance(client, None),
        }
    }
}

/// All entries of the index.
pub(super) fn of_index() -> Value {
    json!({"TableName": TABLE, "IndexName": INDEX, "KeyConditionExpression": "#g = :g",
        "ExpressionAttributeNames": {"#g": "group"}, "ExpressionAttributeValues": {":g": {"S": GROUP}}})
}

fn update(item: u64, mark: u64) -> Value {
    json!({
        "TableName": TABLE, "Key": key(item),
        "UpdateExpression": "SET marks = list_append(if_not_exists(marks, :none), :marks), #l = :mark, #g = :group",
        "ExpressionAttributeNames": {"#l": "last", "#g": "group"},
        "ExpressionAttributeValues": {":none": {"L": []}, ":marks": listed(&[mark]), ":mark": {"N": mark.to_string()}, ":group": {"S": GROUP}},
    })
}

impl Actor for Caller<'_> {
    fn step(&mut self, client: &mut Client, choices: &mut Choices) -> Step {
        match self.act(client, choices) {
            Ok(true) => Step::Answered,
            Ok(false) => Step::Gone,
            Err(what) => Step::Broke(what),
        }
    }
}
