//! Whether an answer is the one that the oracle gives.
//!
//! What must stay true: only what the service leaves open is left open: the order within sets, of scans and batches, and of
//! rows that an index does not tell apart; and sentences that depend on more than what is stored, which scripts hold.

use super::Exchange;
use crate::json::Json;
use crate::oracle::{Answer, Find, Operation, Rows, View, read_halves};

/// A value with everything that has no order in one order.
pub(super) fn canonical(value: Json) -> Json {
    match value {
        Json::Array(elements) => Json::Array(elements.into_iter().map(canonical).collect()),
        Json::Object(members) => {
            let sort_set = |name: &str, value: Json| match canonical(value) {
                Json::Array(mut elements) if matches!(name, "SS" | "NS" | "BS") => {
                    elements.sort();
                    Json::Array(elements)
                }
                value => value,
            };
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name.clone(), sort_set(&name, value))).collect();
            members.sort();
            Json::Object(members)
        }
        other => other,
    }
}

/// As above, and the items of a batch in one order.
fn canonical_body(operation: &Operation, body: Json) -> Json {
    let mut body = canonical(body);
    if let (Operation::BatchGet(..), Json::Object(members)) = (operation, &mut body) {
        for (_, value) in members.iter_mut().filter(|(name, _)| name == "Responses") {
            let Json::Object(tables) = value else { continue };
            for (_, items) in tables {
                if let Json::Array(items) = items {
                    items.sort();
                }
            }
        }
    }
    body
}

/// What an exception says beside its type and sentences.
fn extra(answer: Json) -> Json {
    let Json::Object(members) = answer else { return answer };
    let is_extra = |name: &String| !matches!(name.as_str(), "__type" | "message" | "Message");
    let without_sentences = |value: Json| match value {
        Json::Array(reasons) => Json::Array(reasons.into_iter().map(extra).collect()),
        value => value,
    };
    Json::Object(members.into_iter().filter(|(name, _)| is_extra(name)).map(|(name, value)| (name, without_sentences(value))).collect())
}

/// What an exception says, where that follows from what it is.
fn sentence(kind: &str, body: &Json) -> Option<String> {
    match kind {
        "ConditionalCheckFailedException" => Some("The conditional request failed".to_owned()),
        "TransactionCanceledException" => {
            let reasons = body.get("CancellationReasons").map(Json::elements).unwrap_or_default();
            let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason.get("Code")?.as_str()).collect();
            Some(format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", ")))
        }
        _ => None,
    }
}

/// Compares.
///
/// # Errors
/// What differs.
pub(super) fn judge(operation: &Operation, expected: &Answer, exchanges: &[Vec<Exchange>]) -> Result<(), String> {
    let first = &exchanges[0][0];
    let status = first.reply.status;
    match expected {
        Answer::Success if status == 200 => Ok(()),
        Answer::Body(body) if status == 200 => {
            let (expected, actual) = (canonical_body(operation, body.clone()), canonical_body(operation, first.answer()));
            if expected == actual { Ok(()) } else { Err("another answer is expected".to_owned()) }
        }
        Answer::Exception(kind, body) if status == 400 => {
            let answer = first.answer();
            let actual = answer.get("__type").and_then(Json::as_str).and_then(|name| name.rsplit('#').next()).unwrap_or_default();
            let is_same = actual == *kind && canonical(body.clone()) == canonical(extra(answer.clone()));
            let said = [answer.get("message"), answer.get("Message")].into_iter().flatten().find_map(Json::as_str).unwrap_or_default();
            match sentence(kind, body) {
                _ if !is_same => Err("another exception is expected".to_owned()),
                Some(sentence) if sentence != said => Err(format!("another sentence is expected: {sentence}")),
                _ => Ok(()),
            }
        }
        Answer::Rows(rows) => {
            let Operation::Find(find) = operation.meaning() else { return Err("rows are for those who look for some".to_owned()) };
            judge_rows(find, rows, exchanges)
        }
        Answer::Listed(rows) if status == 200 => {
            let answer = first.answer();
            let shown: Vec<Json> = answer.get("Items").map(Json::elements).unwrap_or_default().iter().cloned().map(canonical).collect();
            if shown.len() != rows.groups.iter().map(Vec::len).sum::<usize>() || answer.get("NextToken").is_some() {
                return Err(format!("another number of rows than {} is expected", shown.len()));
            }
            judge_order(rows, &shown)
        }
        Answer::Success | Answer::Body(_) | Answer::Exception(..) | Answer::Listed(_) => {
            Err(format!("another status than {status} is expected"))
        }
    }
}

fn count(page: &Json, name: &str) -> Result<usize, String> {
    match page.get(name) {
        Some(Json::Number(text)) => text.parse().map_err(|_| format!("{name} is no count")),
        _ => Err(format!("there is no {name}")),
    }
}

/// What a page consumed: its rows are charged together. How rows lie on several pages, the oracle does not say.
fn judge_units(find: &Find, expected: &Rows, is_only: bool, page: &Json) -> Result<(), String> {
    if !expected.has_all || !is_only && read_halves(expected.bytes) > 1 {
        return Ok(());
    }
    let (member, index) = match find.view {
        View::Table => ("Table", None),
        View::ByL => ("LocalSecondaryIndexes", Some("byL")),
        View::ByG => ("GlobalSecondaryIndexes", Some("byG")),
        View::ByH => ("GlobalSecondaryIndexes", Some("byH")),
    };
    let consumed = page.get("ConsumedCapacity").ok_or("nothing is said of capacity")?;
    let within = consumed.get(member).and_then(|member| index.map_or(Some(member), |index| member.get(index)));
    let halves = read_halves(expected.bytes);
    let wanted = Json::Number(format!("{}.{}", halves / 2, if halves.is_multiple_of(2) { 0 } else { 5 }));
    let shown = [consumed.get("CapacityUnits"), within.and_then(|within| within.get("CapacityUnits"))];
    if shown == [Some(&wanted), Some(&wanted)] {
        Ok(())
    } else {
        Err(format!("{wanted:?} units are expected for {} bytes", expected.bytes))
    }
}

fn judge_rows(find: &Find, expected: &Rows, exchanges: &[Vec<Exchange>]) -> Result<(), String> {
    let (mut scanned, mut counted, mut shown) = (0, 0, Vec::new());
    for pages in exchanges {
        for (at, exchange) in pages.iter().enumerate() {
            let page = exchange.answer();
            if exchange.reply.status != 200 {
                return Err("success is expected".to_owned());
            }
            let (rows, passed) = (count(&page, "ScannedCount")?, count(&page, "Count")?);
            let is_last = at + 1 == pages.len();
            // A page that is full at the very end does not know that it is the last.
            if find.limit.is_some_and(|limit| rows > limit || (rows == limit) == is_last) {
                return Err(format!("{rows} rows are not what a limit allows on page {at}"));
            }
            judge_units(find, expected, pages.len() * exchanges.len() == 1, &page)?;
            let items = page.get("Items").map(Json::elements);
            if items.is_some() == find.counts_only || items.is_some_and(|items| items.len() != passed) {
                return Err("Items and Count do not fit".to_owned());
            }
            (scanned, counted) = (scanned + rows, counted + passed);
            shown.extend(items.unwrap_or_default().iter().cloned().map(canonical));
        }
    }
    let passing: usize = expected.groups.iter().map(Vec::len).sum();
    if (scanned, counted) != (expected.scanned, passing) {
        return Err(format!("{passing} of {} rows are expected, not {counted} of {scanned}", expected.scanned));
    }
    if find.counts_only {
        return Ok(());
    }
    judge_order(expected, &shown)
}

/// Whether rows are the expected ones in the expected order; there are as many.
fn judge_order(expected: &Rows, shown: &[Json]) -> Result<(), String> {
    let mut rest = shown;
    for group in &expected.groups {
        let (met, others) = rest.split_at(group.len());
        rest = others;
        let (mut met, mut wanted): (Vec<_>, Vec<_>) = (met.to_vec(), group.iter().cloned().map(canonical).collect());
        met.sort();
        wanted.sort();
        if met != wanted {
            return Err("other rows, or another order, are expected".to_owned());
        }
    }
    Ok(())
}
