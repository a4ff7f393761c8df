//! `clock`: sets the wall clock of a server under load, by an hour and by a day, in both directions.
//!
//! What must stay true: the clock is the machine's as far as the server can see; each round ends with the clock as it began.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use stator_driver::client::Client;
use stator_driver::server::Server;
use stator_planted::Fault;

use super::crash::ROLLING;
use crate::choices::Choices;
use crate::clock::Clock;
use crate::command::{Choice, Command};
use crate::load::Load;
use crate::run::Run;
use crate::verdict::{Violation, found};

pub(crate) const COMMAND: Command = Command {
    name: "clock",
    about: "set the clock under load, by an hour and a day in both directions; nothing is lost, reordered or due too early",
    help: "32 clients write as under crash, and the server's wall clock is set: an hour and a day ahead and back, in random order, several
times a round, then the server is killed and started again. What must hold: everything that crash asks for, the order of the
stream included; a transaction sent again under its token some seconds later has happened once, whatever was done to the clock;
an item that is due in two hours is there while the clock is a day ahead, one that is due goes while it is a day behind,
and an index is filled; each step is in the log; stator check finds no fault.",
    options: &[Choice { name: "rounds", default: "20", about: "how many rounds of four steps" }],
    faults: &[Fault::DropWrite],
    perform,
};

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 24 * HOUR_S;
const STEPS_S: [i64; 4] = [HOUR_S, -HOUR_S, DAY_S, -DAY_S];
/// The load goes on for so long after each step.
const BETWEEN_STEPS: Duration = Duration::from_millis(300);
/// Requests that are answered before the first step of a round, at most.
const ANSWERED_MAX: u64 = 1_000;
/// Expiry comes round within this time.
const PATIENCE: Duration = Duration::from_secs(30);
const PATIENCE_INTERVAL: Duration = Duration::from_millis(100);
/// What a log says of a step.
const STEPPED: &str = "the clock of this machine was set";

fn perform(run: &mut Run) -> Result<String, Violation> {
    let data = run.path("data")?;
    let rounds = run.number("rounds")?;
    let mut clock = Clock::new(run)?;
    let mut choices = Choices::of(run.seed);
    let mut load: Option<Load> = None;
    let mut steps = 0;
    for _ in 0..rounds {
        let server = start(run, &clock, &data)?;
        let load = match &mut load {
            Some(load) => load,
            None => load.insert(Load::new(run, server.address())?),
        };
        load.verify(server.address())?;
        let order = shuffled(&mut choices);
        let mut stepped = Ok(());
        load.until(server.address(), 1 + choices.below(ANSWERED_MAX), || {
            stepped = step_all(&server, &mut clock, &order);
            server.kill();
        })?;
        stepped?;
        steps += order.len();
        run.check(&data)?;
    }
    let probed = probe(run, &mut clock)?;
    let done = load.map(|load| load.counts()).unwrap_or_default();
    Ok(format!("{steps} steps under load in {rounds} rounds; {done}; {probed}; nothing lost, reordered or gone too early"))
}

/// Sets the clock, again and again; each time it has to be in the log, and the load goes on for a while.
fn step_all(server: &Server, clock: &mut Clock, order: &[i64]) -> Result<(), Violation> {
    for (at, by_s) in order.iter().enumerate() {
        clock.step(*by_s)?;
        let begin = Instant::now();
        while server.log().matches(STEPPED).count() <= at {
            if begin.elapsed() > PATIENCE {
                return Err(found(format!("a step of the clock by {by_s} s is not in the log")));
            }
            std::thread::sleep(PATIENCE_INTERVAL);
        }
        std::thread::sleep(BETWEEN_STEPS);
    }
    Ok(())
}

/// A server without checks of signatures, since its time is not its clients'.
fn start(run: &Run, clock: &Clock, data: &std::path::Path) -> Result<Server, Violation> {
    let mut command = run.dev_command(data)?;
    clock.attach(&mut command);
    run.start({
        command.args(ROLLING);
        command
    })
}

fn shuffled(choices: &mut Choices) -> [i64; 4] {
    let mut order = STEPS_S;
    for at in (1..order.len()).rev() {
        let other = usize::try_from(choices.below(at as u64 + 1)).unwrap_or(0);
        order.swap(at, other);
    }
    order
}

/// What hangs on time, looked at after each step: a token, items that are due and that are not, an index being made.
fn probe(run: &Run, clock: &mut Clock) -> Result<String, Violation> {
    let data = run.path("probed")?;
    let server = start(run, clock, &data)?;
    let mut client = Client::connect(server.address())?;
    create(&mut client)?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    put(&mut client, "later", now_s + 2 * 3600)?;
    let mut count = 0;
    for (at, by_s) in [HOUR_S, -HOUR_S, DAY_S, -DAY_S, -DAY_S, DAY_S].into_iter().enumerate() {
        once(&mut client, at, "before")?;
        clock.step(by_s)?;
        once(&mut client, at, "after")?;
        put(&mut client, "due", now_s - 2 * 86_400 - 60)?;
        gone(&mut client, by_s)?;
        if !is_there(&mut client, "later")? {
            return Err(found(format!("after a step of {by_s} s an item is gone that is due in two hours")));
        }
        make_index(&mut client, server.address(), at)?;
        count += 1;
    }
    server.stop()?;
    run.check(&data)?;
    Ok(format!("tokens, expiry and indexes across {count} steps"))
}

fn create(client: &mut Client) -> Result<(), Violation> {
    let table = json!({"TableName": "Probe", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]});
    client.call("CreateTable", &table.to_string())?;
    client.await_active("Probe", PATIENCE)?;
    let ttl = json!({"TableName": "Probe", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    client.call("UpdateTimeToLive", &ttl.to_string())?;
    Ok(())
}

fn put(client: &mut Client, id: &str, until_s: u64) -> Result<(), Violation> {
    let item = json!({"id": {"S": id}, "until": {"N": until_s.to_string()}});
    client.call("PutItem", &json!({"TableName": "Probe", "Item": item}).to_string())?;
    Ok(())
}

fn get(client: &mut Client, id: &str) -> Result<Value, Violation> {
    let body = json!({"TableName": "Probe", "Key": {"id": {"S": id}}, "ConsistentRead": true});
    Ok(client.call("GetItem", &body.to_string())?["Item"].take())
}

fn is_there(client: &mut Client, id: &str) -> Result<bool, Violation> {
    Ok(!get(client, id)?.is_null())
}

/// A transaction that counts, under a token: however often it is sent, it counts once.
fn once(client: &mut Client, at: usize, when: &str) -> Result<(), Violation> {
    let (id, token) = (format!("counted {at}"), format!("token {at}"));
    let action = json!({"Update": {"TableName": "Probe", "Key": {"id": {"S": id}}, "UpdateExpression": "ADD times :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}}}});
    client.call("TransactWriteItems", &json!({"ClientRequestToken": token, "TransactItems": [action]}).to_string())?;
    let times = get(client, &id)?["times"]["N"].take();
    if times == "1" { Ok(()) } else { Err(found(format!("sent again {when} the clock was set, a transaction has happened {times} times"))) }
}

/// Waits until the item that is due has gone.
fn gone(client: &mut Client, by_s: i64) -> Result<(), Violation> {
    let begin = Instant::now();
    while is_there(client, "due")? {
        if begin.elapsed() > PATIENCE {
            return Err(found(format!("{PATIENCE:?} after a step of {by_s} s an item is still there that is long due")));
        }
        std::thread::sleep(PATIENCE_INTERVAL);
    }
    Ok(())
}

/// Adds an index, which has to be filled whatever the clock does.
fn make_index(client: &mut Client, address: SocketAddr, at: usize) -> Result<(), Violation> {
    let (name, attribute) = (format!("index-{at}"), format!("attribute-{at}"));
    let index =
        json!({"IndexName": name, "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}});
    let change = json!({"TableName": "Probe", "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": index}]});
    client.call("UpdateTable", &change.to_string())?;
    Client::connect(address)?.await_active("Probe", PATIENCE).map_err(|failure| found(failure.0))
}
