//! Compares what a server shows with what clients know: items, index answers, transactions that are sent once more.
//!
//! What must stay true: everything is asked of the server over its sockets; an item is compared whole.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stator_driver::client::Client;

use super::item::{self, INDEXED, KINDS, PLACES, PLAIN, State};
use super::knowledge::Knowledge;
use super::tables::call;
use super::write::exception_of;
use crate::verdict::{Violation, found};

/// An item as it was shown: its owner and place, and its number.
pub(super) type Shown = ((u64, u64), u64);

/// Reads all places of a client and settles what it knows.
pub(super) fn places(client: &mut Client, knowledge: &mut Knowledge) -> Result<(), Violation> {
    let shown = read(client, knowledge.owner)?;
    knowledge.settle(&shown).map_err(found)
}

/// What all places of a client show, each item compared with the write that its number names.
fn read(client: &mut Client, owner: u64) -> Result<Vec<State>, Violation> {
    let keys =
        |table: &str| (0..PLACES).filter(|place| item::table(*place) == table).map(|place| item::key(owner, place)).collect::<Vec<_>>();
    let mut left = json!({
        INDEXED: {"Keys": keys(INDEXED), "ConsistentRead": true}, PLAIN: {"Keys": keys(PLAIN), "ConsistentRead": true}
    });
    let mut shown = vec![None; usize::try_from(PLACES).expect("places are few")];
    while left.as_object().is_some_and(|left| !left.is_empty()) {
        let mut answer = call(client, "BatchGetItem", &json!({"RequestItems": left}))?;
        for item in answer["Responses"].as_object().into_iter().flatten().flat_map(|(_, items)| items.as_array().into_iter().flatten()) {
            let (place, number) = whole(item)?;
            if let Some(shown) = usize::try_from(place.1).ok().and_then(|place| shown.get_mut(place)) {
                *shown = Some(number);
            }
        }
        left = answer["UnprocessedKeys"].take();
    }
    Ok(shown)
}

/// An item's place and number, if it is the whole of one write.
pub(super) fn whole(item: &Value) -> Result<Shown, Violation> {
    let read = item::place_of(item).zip(item::number_of(item, "number"));
    match read {
        Some((place, number)) if *item == item::whole(place.0, place.1, number) => Ok((place, number)),
        _ => Err(found(format!("an item is not the whole of one write: {}", shortened(item)))),
    }
}

fn shortened(item: &Value) -> String {
    item.to_string().chars().take(300).collect()
}

/// Sends a transaction whose answer was lost once more: it has happened once afterwards, whether it had before or not.
pub(super) fn repeated(client: &mut Client, knowledge: &mut Knowledge) -> Result<(), Violation> {
    let Some((body, writes)) = knowledge.again.take() else { return Ok(()) };
    let reply = client.exchange("TransactWriteItems", &body.to_string())?;
    if reply.status != 200 {
        let exception = exception_of(&reply.body).unwrap_or_default();
        return Err(found(format!(
            "client {}: a transaction sent again under its token was refused ({exception}): {}",
            knowledge.owner,
            String::from_utf8_lossy(&reply.body)
        )));
    }
    writes.into_iter().for_each(|(place, state)| knowledge.learn(place, state));
    places(client, knowledge)
}

/// What the indexes answer is what the items say.
pub(super) fn indexes(client: &mut Client, known: &[Knowledge]) -> Result<(), Violation> {
    let mut by_kind: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for knowledge in known {
        let mut numbers = Vec::new();
        for place in (0..PLACES).filter(|place| item::table(*place) == INDEXED && !item::is_fleeting(*place)) {
            if let Some(number) = knowledge.state(place) {
                numbers.push(number);
                by_kind.entry(item::kind(number)).or_default().push(number);
            }
        }
        numbers.sort_unstable();
        let owner = item::owner_name(knowledge.owner);
        let shown = query(
            client,
            INDEXED,
            &json!({"IndexName": "by-number", "KeyConditionExpression": "#k = :k",
            "ExpressionAttributeNames": {"#k": "owner"}, "ExpressionAttributeValues": {":k": {"S": owner}}, "ConsistentRead": true}),
        )?;
        compare(&format!("by-number of {owner}"), &numbers, &shown)?;
    }
    for kind in (0..KINDS).map(item::kind) {
        let mut numbers = by_kind.remove(&kind).unwrap_or_default();
        numbers.sort_unstable();
        compare(&format!("by-kind of {kind}"), &numbers, &of_kind(client, INDEXED, "by-kind", &kind)?)?;
    }
    Ok(())
}

/// The numbers that a global index shows of a kind, ascending.
pub(super) fn of_kind(client: &mut Client, table: &str, index: &str, kind: &str) -> Result<Vec<u64>, Violation> {
    let request = json!({"IndexName": index, "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": {"#k": "kind"}, "ExpressionAttributeValues": {":k": {"S": kind}}});
    query(client, table, &request)
}

/// The numbers of all items of a query; in the table with fleeting ones, of those that stay.
fn query(client: &mut Client, table: &str, request: &Value) -> Result<Vec<u64>, Violation> {
    let stays = |place| table != INDEXED || !item::is_fleeting(place);
    let items = pages(client, "Query", table, request)?;
    Ok(items.into_iter().filter(|((_, place), _)| stays(*place)).map(|(_, number)| number).collect())
}

/// All items of a table: owner and place, and number.
pub(super) fn scan(client: &mut Client, table: &str) -> Result<Vec<Shown>, Violation> {
    pages(client, "Scan", table, &json!({"ConsistentRead": true}))
}

fn pages(client: &mut Client, operation: &str, table: &str, request: &Value) -> Result<Vec<Shown>, Violation> {
    let mut request = request.clone();
    request["TableName"] = json!(table);
    let mut items = Vec::new();
    loop {
        let answer = call(client, operation, &request)?;
        for item in answer["Items"].as_array().into_iter().flatten() {
            items.push(whole(item)?);
        }
        match &answer["LastEvaluatedKey"] {
            Value::Null => return Ok(items),
            last => request["ExclusiveStartKey"] = last.clone(),
        }
    }
}

pub(super) fn compare(what: &str, expected: &[u64], shown: &[u64]) -> Result<(), Violation> {
    if expected == shown {
        return Ok(());
    }
    let missing: Vec<&u64> = expected.iter().filter(|number| !shown.contains(number)).collect();
    let extra: Vec<&u64> = shown.iter().filter(|number| !expected.contains(number)).collect();
    Err(found(format!("index {what}: of {} items, {missing:?} are missing and {extra:?} are too many", expected.len())))
}
