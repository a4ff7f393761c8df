//! `panics`: requests, background work and the thread that writes panic, and nothing but the one request is the worse for it.
//!
//! What must stay true: the panics are planted in the product, under its latches; the servers are the planted binary.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use stator_driver::client::Client;
use stator_driver::server::Server;
use stator_planted::{Fault, VARIABLE};

use crate::command::{Choice, Command};
use crate::run::Run;
use crate::verdict::{Violation, found};

pub(crate) const COMMAND: Command = Command {
    name: "panics",
    about: "let requests, background work and the writing thread panic; each costs what it was doing and no more",
    help: "Clients write to items of their own while some decisions panic under their latches, and an index is filled by work
that panics at its first attempts. What must hold: such a request is answered with status 500 and has done nothing; the next one
to the same item is served; the index is filled and complete; the log has a line for each panic, with their number. Then the
thread that writes panics: what it had in hand is unknown, no further write is acknowledged, the log says so, and after a restart
everything acknowledged is there. stator check finds no fault.",
    options: &[Choice { name: "writes", default: "4000", about: "writes of all clients together" }],
    faults: &[Fault::KeepLatch],
    perform,
};

const CLIENTS: u64 = 8;
const ITEMS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);
const REQUEST_PANICKED: &str = "request panicked";
const JOB_PANICKED: &str = "background work panicked";
const STOPPED: &str = "no write will be acknowledged until a restart";

fn perform(run: &mut Run) -> Result<String, Violation> {
    let data = run.path("data")?;
    let server = start(run, &data, &[Fault::PanicInRequest, Fault::PanicInJob])?;
    create(&mut Client::connect(server.address())?)?;
    let writes = run.number("writes")? / CLIENTS;
    let panicked = write_all(server.address(), writes)?;
    fill_index(server.address())?;
    let log = server.log();
    let (requests, jobs) = (log.matches(REQUEST_PANICKED).count(), log.matches(JOB_PANICKED).count());
    if u64::try_from(requests).unwrap_or(0) < panicked || panicked == 0 || jobs == 0 {
        return Err(found(format!(
            "{panicked} requests were told of a panic; the log tells of {requests}, and of {jobs} of background work"
        )));
    }
    server.stop()?;
    run.check(&data)?;
    let acknowledged = until_the_writer_panics(run, &data)?;
    Ok(format!(
        "{panicked} requests and {jobs} pieces of background work panicked and cost nothing else; {acknowledged} writes until the writing thread did"
    ))
}

/// The planted binary, with panics and with what is to be found.
fn start(run: &Run, data: &Path, panics: &[Fault]) -> Result<Server, Violation> {
    let mut command = run.planted_command(data)?;
    let names: Vec<&str> = panics.iter().copied().chain(run.planted()).map(Fault::name).collect();
    command.env(VARIABLE, names.join(","));
    run.start(command)
}

fn create(client: &mut Client) -> Result<(), Violation> {
    let table = json!({"TableName": "Items", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]});
    client.call("CreateTable", &table.to_string())?;
    Ok(client.await_active("Items", PATIENCE)?)
}

fn write_all(address: SocketAddr, writes: u64) -> Result<u64, Violation> {
    let counted: Vec<Result<u64, Violation>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|owner| scope.spawn(move || write_some(address, owner, writes))).collect();
        clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
    });
    counted.into_iter().sum()
}

/// Counts an item up, again and again: it shows at any time how many of its writes were acknowledged.
fn write_some(address: SocketAddr, owner: u64, writes: u64) -> Result<u64, Violation> {
    let mut client = Client::connect(address)?;
    let (mut panicked, mut acknowledged) = (0, [0; ITEMS]);
    for write in 0..writes {
        let at = usize::try_from(write).unwrap_or(0) % ITEMS;
        let id = format!("{owner} {at}");
        let body = json!({"TableName": "Items", "Key": {"id": {"S": id}}, "UpdateExpression": "SET kind = :k ADD times :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":k": {"S": "some"}}});
        let stuck =
            |panicked: u64, failure: stator_driver::failure::Failure| found(format!("item {id} after {panicked} panics: {failure}"));
        let reply = client.exchange("UpdateItem", &body.to_string()).map_err(|failure| stuck(panicked, failure))?;
        match reply.status {
            200 => acknowledged[at] += 1,
            500 => panicked += 1,
            status => return Err(found(format!("UpdateItem got {status}: {}", String::from_utf8_lossy(&reply.body)))),
        }
        let read = json!({"TableName": "Items", "Key": {"id": {"S": id}}, "ConsistentRead": true});
        let times = client.call("GetItem", &read.to_string()).map_err(|failure| stuck(panicked, failure))?["Item"]["times"]["N"].take();
        if times.as_str().unwrap_or("0") != acknowledged[at].to_string() {
            return Err(found(format!("item {id} was written {times} times, acknowledged were {}", acknowledged[at])));
        }
    }
    Ok(panicked)
}

fn fill_index(address: SocketAddr) -> Result<(), Violation> {
    let mut client = Client::connect(address)?;
    let index = json!({"IndexName": "by-kind", "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}], "Projection": {"ProjectionType": "KEYS_ONLY"}});
    let change = json!({"TableName": "Items", "AttributeDefinitions": [{"AttributeName": "kind", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": index}]});
    client.call("UpdateTable", &change.to_string())?;
    client.await_active("Items", PATIENCE).map_err(|failure| found(failure.0))?;
    let query = json!({"TableName": "Items", "IndexName": "by-kind", "KeyConditionExpression": "kind = :k",
        "ExpressionAttributeValues": {":k": {"S": "some"}}, "Select": "COUNT"});
    let count = client.call("Query", &query.to_string())?["Count"].take();
    let items = usize::try_from(CLIENTS).unwrap_or(0) * ITEMS;
    if count == items { Ok(()) } else { Err(found(format!("the index has {count} of {items} items"))) }
}

/// Puts until the writing thread panics; what was acknowledged has to be there after a restart. Answers how much that was.
fn until_the_writer_panics(run: &Run, data: &Path) -> Result<u64, Violation> {
    let server = start(run, data, &[Fault::PanicInCommit])?;
    let mut client = Client::connect(server.address())?;
    let put = |number: u64| json!({"TableName": "Items", "Item": {"id": {"S": format!("number {number}")}}}).to_string();
    let mut acknowledged = 0;
    let told = loop {
        let reply = client.exchange("PutItem", &put(acknowledged))?;
        match reply.status {
            200 => acknowledged += 1,
            status => break status,
        }
    };
    let next = client.exchange("PutItem", &put(acknowledged + 1))?.status;
    let log = server.log();
    if told != 500 || next != 500 || !log.contains(STOPPED) {
        return Err(found(format!(
            "when the writing thread panicked the request got {told} and the next {next}; the log: {}",
            server.last_words()
        )));
    }
    server.kill();
    let server = start(run, data, &[])?;
    let mut client = Client::connect(server.address())?;
    for number in (0..acknowledged).chain([acknowledged + 1]) {
        let read = json!({"TableName": "Items", "Key": {"id": {"S": format!("number {number}")}}});
        let is_there = client.call("GetItem", &read.to_string())?["Item"] != Value::Null;
        if is_there != (number < acknowledged) {
            return Err(found(format!("write {number} of {acknowledged} acknowledged ones: is there {is_there}")));
        }
    }
    server.stop()?;
    run.check(data)?;
    Ok(acknowledged)
}
