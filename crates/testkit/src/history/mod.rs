//! Histories of operations: the real thing and the oracle side by side, and callers side by side.
//!
//! What must stay true: whatever disagrees is told as a golden script, ready to be kept.

mod concurrent;
mod generate;
mod judge;
pub mod order;
mod script;
mod stream;

pub use concurrent::{Concurrent, serializable};
pub use generate::history;

use crate::json::Json;
use crate::oracle::{Operation, Oracle, STEP_S, TABLE, UNTIL, request, said_at};
use crate::script::create_request;
use crate::target::{Call, Reply, Target};

/// Pages that a find may take; far more than there are rows.
const PAGES_MAX: usize = 1000;

/// One call and its answer.
#[derive(Debug, Clone)]
struct Exchange {
    operation: String,
    body: Json,
    reply: Reply,
}

impl Exchange {
    fn answer(&self) -> Json {
        Json::parse(&self.reply.body).unwrap_or(Json::Null)
    }
}

/// Where a history that is alone on its target happens.
const REGION: &str = "us-east-1";

fn call(target: &mut dyn Target, operation: &str, body: Json) -> Exchange {
    call_in(target, REGION, operation, body)
}

fn call_in(target: &mut dyn Target, region: &str, operation: &str, body: Json) -> Exchange {
    let bytes = body.render().into_bytes();
    let reply = target.call(&Call { region: region.to_owned(), operation: operation.to_owned(), body: bytes, headers: Vec::new() });
    Exchange { operation: operation.to_owned(), body, reply }
}

/// The calls of one operation: one, or one for each page of each segment.
fn perform(target: &mut dyn Target, region: &str, operation: &Operation) -> Vec<Vec<Exchange>> {
    let segments = if let Operation::Find(find) = operation.meaning() { find.segments } else { 1 };
    let mut exchanges = Vec::new();
    for segment in 0..segments {
        let mut pages: Vec<Exchange> = Vec::new();
        let mut start = None;
        loop {
            let (name, body) = request(operation, segment, start.as_ref());
            let exchange = call_in(target, region, name, body);
            start = exchange.answer().get("LastEvaluatedKey").cloned();
            pages.push(exchange);
            if start.is_none() || pages.len() > PAGES_MAX {
                break;
            }
        }
        exchanges.push(pages);
    }
    exchanges
}

/// Runs a history in a region that is empty and on the oracle, from a moment on in seconds since the epoch, and leaves the region
/// empty; answers how many calls were compared.
///
/// # Errors
/// The first disagreement, as a script.
pub fn run(target: &mut dyn Target, region: &str, mut now_s: u64, operations: &[Operation]) -> Result<u64, String> {
    let has_clock = target.set_clock(now_s * 1000);
    let made = call_in(target, region, "CreateTable", create_request(TABLE)?);
    if made.reply.status != 200 {
        return Err(format!("the table is not made: {}", made.answer().render()));
    }
    let lives = Json::Object(vec![("AttributeName".to_owned(), Json::text(UNTIL)), ("Enabled".to_owned(), Json::Bool(true))]);
    let lives = vec![("TableName".to_owned(), Json::text("Tab")), ("TimeToLiveSpecification".to_owned(), lives)];
    let enabled = call_in(target, region, "UpdateTimeToLive", Json::Object(lives));
    if enabled.reply.status != 200 {
        return Err(format!("TTL is not turned on: {}", enabled.answer().render()));
    }
    let mut oracle = Oracle::default();
    let mut before = vec![enabled];
    for operation in operations {
        if let Operation::Pass(steps) = operation {
            if has_clock {
                now_s += steps * STEP_S;
                target.set_clock(now_s * 1000);
                oracle.expire(now_s);
            }
            continue;
        }
        let operation = &said_at(operation.clone(), now_s);
        let expected = oracle.perform(operation);
        let exchanges = perform(target, region, operation);
        if let Err(difference) = judge::judge(operation, &expected, &exchanges) {
            let last: Vec<Exchange> = exchanges.into_iter().flatten().collect();
            return Err(script::print(&before, &last, &expected, &difference));
        }
        before.extend(exchanges.into_iter().flatten());
    }
    let compared = u64::try_from(before.len()).unwrap_or(u64::MAX)
        + stream::judge(target, region, &oracle, &made.answer()).map_err(|difference| script::told(&before, &difference))?;
    call_in(target, region, "DeleteTable", Json::single("TableName", Json::text("Tab")));
    Ok(compared)
}
