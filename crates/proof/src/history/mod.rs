//! A few items that many clients write to at the same time, across kills, and whether all that was seen has an order.
//!
//! ```text
//!   Caller ─ one thread each ─ events: began, ended, what was appended or seen
//!   kill, start, again ─> afterwards: the lists, the index, the stream ─> stator_testkit::history::order
//! ```
//!
//! What must stay true: a request whose answer was lost is unknown, and can not take effect after its process has ended,
//! unless it is sent again.

mod afterwards;
mod caller;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use stator_driver::client::Client;
use stator_testkit::history::order::{Course, Event, Fate, judge};

use crate::choices::Choices;
use crate::load::{Actor, drive};
use crate::run::Run;
use crate::verdict::{Violation, found};
use caller::Caller;

/// Items that are shared.
const ITEMS: u64 = 5;
const CALLERS: u64 = 12;
/// Answers before a kill, at most.
const ANSWERED_MAX: u64 = 500;
const ANSWERED_MIN: u64 = 100;
/// The kill comes up to so much later.
const DELAY_MICROS_MAX: u64 = 20_000;
/// Once in so many times a server is asked to stop instead.
const STOP_PERIOD: u64 = 4;
/// Shards of the stream last a second, so that a history has several.
const ROLLING: [&str; 2] = ["--stream-shard-hours", "0.0003"];

const TABLE: &str = "Lists";
const INDEX: &str = "by-last";
/// The partition of the index that all items are in.
const GROUP: &str = "all";

/// Moments and marks, each given out once.
#[derive(Default)]
struct World {
    moments: AtomicU64,
    marks: AtomicU64,
}

impl World {
    fn moment(&self) -> u64 {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    fn mark(&self) -> u64 {
        self.marks.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// What was looked at.
#[derive(Default)]
pub(crate) struct Figures {
    events: usize,
    unknown: usize,
    records: usize,
    restarts: u64,
}

impl std::ops::AddAssign for Figures {
    fn add_assign(&mut self, more: Figures) {
        self.events += more.events;
        self.unknown += more.unknown;
        self.records += more.records;
        self.restarts += more.restarts;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { events, unknown, records, restarts } = self;
        write!(f, "{events} calls in one order, {unknown} of them without an answer, {records} stream records, {restarts} kills and stops")
    }
}

/// One history, on a data directory of its own.
pub(crate) fn perform(run: &Run, seed: u64, restarts: u64) -> Result<Figures, Violation> {
    let data = run.path("data")?;
    let _ = std::fs::remove_dir_all(&data);
    let (world, mut choices) = (World::default(), Choices::of(seed));
    let mut callers: Vec<Caller<'_>> = (0..CALLERS).map(|number| Caller::new(&world, number)).collect();
    for round in 0..restarts {
        let server = run.start(run.serve_command(&data, &ROLLING)?)?;
        let address = server.address();
        if round == 0 {
            create(address)?;
        }
        let enough = ANSWERED_MIN + choices.below(ANSWERED_MAX - ANSWERED_MIN);
        let (delay, stops) = (Duration::from_micros(choices.below(DELAY_MICROS_MAX)), choices.one_in(STOP_PERIOD));
        let mut ended = Ok(());
        let actors = callers.iter_mut().map(|caller| caller as &mut dyn Actor);
        drive(address, actors, Choices::part(seed, round).next(), enough, || {
            std::thread::sleep(delay);
            if stops { ended = server.stop() } else { server.kill() }
        })?;
        ended?;
        let moment = world.moment();
        callers.iter_mut().for_each(|caller| caller.end(moment));
    }
    let server = run.start(run.serve_command(&data, &ROLLING)?)?;
    let mut client = Client::connect(server.address())?;
    let last = afterwards::lists(&mut client)?;
    let told = afterwards::told(&mut client, &last)?;
    afterwards::index(&mut client, &last)?;
    for caller in &callers {
        afterwards::were(&caller.sightings, &last)?;
    }
    let events: Vec<Event> = callers.into_iter().flat_map(|caller| caller.events).collect();
    judge(Course { events: &events, last: &last, told: &told }).map_err(found)?;
    server.kill();
    run.check(&data)?;
    let unknown = events.iter().filter(|event| event.fate == Fate::Unknown).count();
    Ok(Figures { events: events.len(), unknown, records: told.len(), restarts })
}

fn create(address: SocketAddr) -> Result<(), Violation> {
    let define = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let element = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let body = json!({
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [define("item", "N"), define("group", "S"), define("last", "N")],
        "KeySchema": [element("item", "HASH")],
        "GlobalSecondaryIndexes": [{"IndexName": INDEX, "KeySchema": [element("group", "HASH"), element("last", "RANGE")],
            "Projection": {"ProjectionType": "ALL"}}],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    });
    Client::connect(address)?.call("CreateTable", &body.to_string())?;
    Ok(())
}

fn key(item: u64) -> Value {
    json!({"item": {"N": item.to_string()}})
}

/// A number of an attribute.
fn number(item: &Value, attribute: &str) -> Option<u64> {
    item[attribute]["N"].as_str()?.parse().ok()
}

/// The list of an item; that of none is empty.
fn marks(item: &Value) -> Vec<u64> {
    let list = item["marks"]["L"].as_array().into_iter().flatten();
    list.filter_map(|mark| mark["N"].as_str()?.parse().ok()).collect()
}

/// Marks as an attribute.
fn listed(marks: &[u64]) -> Value {
    let marks: Vec<Value> = marks.iter().map(|mark| json!({"N": mark.to_string()})).collect();
    json!({"L": marks})
}
