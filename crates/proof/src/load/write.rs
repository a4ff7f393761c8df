//! The writes that a client chooses: single ones, conditional ones that hold and that do not, batches and transactions.
//!
//! What must stay true: whether a request has to succeed or to be refused follows from what its client knows, so that any
//! other answer is a violation.

use serde_json::{Value, json};
use stator_driver::reply::Reply;

use super::item::{self, FLEETING_PLACES, INDEXED_PLACES, PLACES, PLAIN_PLACES, State};
use super::knowledge::{Knowledge, Pending};
use crate::choices::Choices;

/// A request, what it does if it takes effect, and what has to come of it.
pub(crate) struct Write {
    pub(crate) operation: &'static str,
    pub(crate) body: Value,
    pub(crate) pending: Pending,
    /// The exception that has to come, if one has to.
    pub(crate) refusal: Option<&'static str>,
}

/// Chooses the next write of a client.
pub(crate) fn choose(knowledge: &mut Knowledge, choices: &mut Choices) -> Write {
    match choices.below(10) {
        0 | 1 => put(knowledge, choices.below(PLACES)),
        2 | 3 => conditional(knowledge, choices, true),
        4 => conditional(knowledge, choices, false),
        5 => delete(knowledge, choices.below(PLACES)),
        6 | 7 => batch(knowledge, choices),
        8 => transaction(knowledge, choices, true),
        _ => transaction(knowledge, choices, choices.clone().one_in(2)),
    }
}

/// Judges an answer. The client learns what it says.
pub(crate) fn judge(knowledge: &mut Knowledge, write: &Write, reply: &Reply) -> Result<(), String> {
    let text = String::from_utf8_lossy(&reply.body);
    let tell = |what: &str| Err(format!("client {}: {} {what}: status {}, {text}", knowledge.owner, write.operation, reply.status));
    match (reply.status, write.refusal) {
        (200, None) if write.operation == "BatchWriteItem" && !text.contains(r#""UnprocessedItems":{}"#) => tell("left items undone"),
        (200, None) => {
            knowledge.acknowledge();
            Ok(())
        }
        (200, Some(exception)) => tell(&format!("was acknowledged instead of {exception}")),
        (_, Some(exception)) if exception_of(&reply.body).as_deref() == Some(exception) => {
            knowledge.pending = None;
            Ok(())
        }
        _ => tell("got an answer that nothing explains"),
    }
}

/// The name of the exception that an answer carries.
pub(crate) fn exception_of(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    body["__type"].as_str().and_then(|name| name.rsplit('#').next()).map(str::to_owned)
}

fn single(operation: &'static str, body: Value, place: u64, state: State) -> Write {
    let pending = Pending { writes: vec![(place, state)], is_whole: false, again: None };
    Write { operation, body, pending, refusal: None }
}

fn put(knowledge: &mut Knowledge, place: u64) -> Write {
    let number = knowledge.next_number();
    let body = json!({"TableName": item::table(place), "Item": item::whole(knowledge.owner, place, number)});
    single("PutItem", body, place, Some(number))
}

fn delete(knowledge: &Knowledge, place: u64) -> Write {
    single("DeleteItem", json!({"TableName": item::table(place), "Key": item::key(knowledge.owner, place)}), place, None)
}

/// The condition that the place is as it is known, or as it is not.
fn condition(body: &mut Value, state: State, holds: bool) {
    let text = match (state, holds) {
        (Some(_), true) => "#n = :known",
        (Some(_), false) => "#n <> :known",
        (None, true) => "attribute_not_exists(#n)",
        (None, false) => "attribute_exists(#n)",
    };
    body["ConditionExpression"] = json!(text);
    body["ExpressionAttributeNames"]["#n"] = json!("number");
    if let Some(number) = state {
        body["ExpressionAttributeValues"][":known"] = json!({"N": number.to_string()});
    }
}

/// An update of the attributes, so that all of them change together.
fn update(knowledge: &Knowledge, place: u64, number: u64) -> Value {
    let attributes = item::attributes(place, number);
    json!({
        "TableName": item::table(place), "Key": item::key(knowledge.owner, place),
        "UpdateExpression": "SET #n = :n, kind = :k, filling = :p", "ExpressionAttributeNames": {"#n": "number"},
        "ExpressionAttributeValues": {":n": attributes["number"], ":k": attributes["kind"], ":p": attributes["filling"]},
    })
}

/// A place whose items stay.
fn lasting(choices: &mut Choices) -> u64 {
    let place = choices.below(INDEXED_PLACES + PLAIN_PLACES);
    if place < INDEXED_PLACES { place } else { place + FLEETING_PLACES }
}

fn conditional(knowledge: &mut Knowledge, choices: &mut Choices, holds: bool) -> Write {
    let place = lasting(choices);
    let known = knowledge.state(place);
    let (operation, mut body, state) = match choices.below(3) {
        0 => {
            let write = delete(knowledge, place);
            (write.operation, write.body, None)
        }
        1 => {
            let write = put(knowledge, place);
            (write.operation, write.body, write.pending.writes[0].1)
        }
        _ => {
            let number = knowledge.next_number();
            ("UpdateItem", update(knowledge, place, number), Some(number))
        }
    };
    condition(&mut body, known, holds);
    let refusal = (!holds).then_some("ConditionalCheckFailedException");
    Write { refusal, ..single(operation, body, place, state) }
}

/// Distinct places.
fn some_places(choices: &mut Choices, most: u64, choose: fn(&mut Choices) -> u64) -> Vec<u64> {
    let mut places: Vec<u64> = (0..2 + choices.below(most - 1)).map(|_| choose(choices)).collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn batch(knowledge: &mut Knowledge, choices: &mut Choices) -> Write {
    let (mut requests, mut writes) = (json!({}), Vec::new());
    for place in some_places(choices, 12, |choices| choices.below(PLACES)) {
        let (request, state) = if choices.one_in(4) {
            (json!({"DeleteRequest": {"Key": item::key(knowledge.owner, place)}}), None)
        } else {
            let number = knowledge.next_number();
            (json!({"PutRequest": {"Item": item::whole(knowledge.owner, place, number)}}), Some(number))
        };
        let requests = &mut requests[item::table(place)];
        if let Some(requests) = requests.as_array_mut() {
            requests.push(request);
        } else {
            *requests = json!([request]);
        }
        writes.push((place, state));
    }
    let pending = Pending { writes, is_whole: false, again: None };
    Write { operation: "BatchWriteItem", body: json!({"RequestItems": requests}), pending, refusal: None }
}

/// A transaction over both tables, under a token. One whose last condition does not hold has to leave everything as it was.
fn transaction(knowledge: &mut Knowledge, choices: &mut Choices, holds: bool) -> Write {
    let (mut actions, mut writes) = (Vec::new(), Vec::new());
    let places = some_places(choices, 6, lasting);
    for (at, place) in places.iter().copied().enumerate() {
        let fails = !holds && at + 1 == places.len();
        let known = knowledge.state(place);
        let (kind, mut action, state) = match choices.below(4) {
            0 if known.is_some() => ("Delete", delete(knowledge, place).body, None),
            1 => {
                let number = knowledge.next_number();
                ("Update", update(knowledge, place, number), Some(number))
            }
            2 if fails => ("ConditionCheck", delete(knowledge, place).body, known),
            _ => {
                let write = put(knowledge, place);
                ("Put", write.body, write.pending.writes[0].1)
            }
        };
        if fails || choices.one_in(2) {
            condition(&mut action, known, !fails);
        }
        actions.push(json!({kind: action}));
        writes.push((place, state));
    }
    let token = knowledge.next_number();
    let token = format!("{}-{token}", knowledge.owner);
    let body = json!({"ClientRequestToken": token, "TransactItems": actions});
    let pending = Pending { writes, is_whole: true, again: holds.then(|| body.clone()) };
    Write { operation: "TransactWriteItems", body, pending, refusal: (!holds).then_some("TransactionCanceledException") }
}
