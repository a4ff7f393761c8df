//! A disagreement as a golden script: what led to it, and what the oracle expects.
//!
//! What must stay true: the script can be run as it stands; where the oracle leaves the words to the service, its
//! expectation is a comment above the answer that was given.

use std::fmt::Write;

use super::Exchange;
use crate::json::Json;
use crate::oracle::{Answer, TABLE};
use crate::script::print_value;

fn answer(exchange: &Exchange) -> String {
    let body = exchange.answer();
    if exchange.reply.status == 200 {
        return print_value(&body);
    }
    let text = |name: &str| body.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    let kind = text("__type");
    let message = [text("message"), text("Message")].concat();
    let mut printed = format!("{} {}: {message}", exchange.reply.status, kind.rsplit('#').next().unwrap_or_default());
    if let Json::Object(members) = body {
        let extra: Vec<_> = members.into_iter().filter(|(name, _)| !matches!(name.as_str(), "__type" | "message" | "Message")).collect();
        if !extra.is_empty() {
            write!(printed, "\n+ {}", print_value(&Json::Object(extra))).expect("a string takes all");
        }
    }
    printed
}

fn step(out: &mut String, exchange: &Exchange, expectation: &str) {
    write!(out, "\n{} {}\n---\n{expectation}\n", exchange.operation, print_value(&exchange.body)).expect("a string takes all");
}

/// A script of what led to a difference that no single answer shows.
pub(super) fn told(before: &[Exchange], difference: &str) -> String {
    let mut out = head(difference);
    for exchange in before {
        step(&mut out, exchange, &answer(exchange));
    }
    out
}

fn head(difference: &str) -> String {
    format!("# Found by a random history: {difference}.\n\nsource: assumed the oracle of histories\ntable {TABLE}\n")
}

/// A script.
pub(super) fn print(before: &[Exchange], last: &[Exchange], expected: &Answer, difference: &str) -> String {
    let mut out = told(before, difference);
    match expected {
        Answer::Body(body) => step(&mut out, &last[0], &print_value(body)),
        Answer::Success | Answer::Exception(..) | Answer::Rows(_) | Answer::Listed(_) => {
            let wanted = match expected {
                Answer::Exception(kind, extra) => format!("{kind} with {}", extra.render()),
                Answer::Rows(rows) | Answer::Listed(rows) => {
                    let groups = rows.groups.iter().map(|group| Json::Array(group.clone()).render()).collect::<Vec<_>>().join(" then ");
                    format!("{} rows looked at, of which {groups}", rows.scanned)
                }
                Answer::Success | Answer::Body(_) => "success".to_owned(),
            };
            write!(out, "\n# Expected: {wanted}. Given:").expect("a string takes all");
            for exchange in last {
                step(&mut out, exchange, &answer(exchange));
            }
        }
    }
    out
}
