//! `overload`: four times as many clients as it takes for the top rate, and what becomes of them.
//!
//! What must stay true: the rates that are compared are of one server, measured in turn by the same clients, so that what else
//! the machine does weighs on both.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use stator_driver::client::Client;
use stator_driver::reply::Reply;
use stator_driver::server::Server;
use stator_driver::usage;
use stator_planted::Fault;

use crate::command::{Choice, Command};
use crate::run::Run;
use crate::say;
use crate::verdict::{Violation, found};

pub(crate) const COMMAND: Command = Command {
    name: "overload",
    about: "four times the clients of the top rate: the rate holds, waiting is bounded, who is told to try again is told so",
    help: "Clients put and get items as fast as they are answered, in numbers that double until the rate does not grow any more, and then
four times as many; in turn, so that both rates are of the same minutes. Then the same with a server that has room for a tenth
of them (--request-memory), so that most have to wait, beside that tenth alone. What must hold: the rate of requests served stays at
or above 80 % of the top rate; every answer is the right item, or 503 ServiceUnavailableException; none takes longer than the wait and
a time that the work itself may take; each acknowledged write is there; memory stays within 300 MB of what it was.",
    options: &[Choice { name: "seconds", default: "10", about: "how long each rate is measured" }],
    faults: &[Fault::DropWrite],
    perform,
};

const CLIENTS_FIRST: u64 = 4;
const CLIENTS_LAST: u64 = 64;
/// A rate has stopped growing when the next number of clients gets less than so much more.
const GROWTH_PERCENT: u64 = 110;
const OVERLOAD: u64 = 4;
const SHARE_PERCENT_MIN: u64 = 80;
/// Top rate and overload take turns so many times.
const TURNS: u64 = 2;
const MEMORY_BYTES_MAX: u64 = 300_000_000;
const ITEMS: u64 = 16;
const TEXT_BYTES: usize = 400;
/// What a request takes of the room beside its body, and a body of these clients.
const ROOM_BYTES: u64 = 17 << 10;
const WAIT: Duration = Duration::from_millis(100);
/// Beside a wait, the slowest answer may take so long on a machine that others use, too.
const SLOWEST: Duration = Duration::from_secs(10);
/// What an SDK leaves between two tries.
const TRY_PAUSE: Duration = Duration::from_millis(20);

/// What clients saw.
#[derive(Default, Clone, Copy)]
struct Seen {
    served: u64,
    refused: u64,
    slowest: Duration,
    /// How long it took.
    elapsed: Duration,
}

impl Seen {
    fn per_second(&self) -> u64 {
        let millis = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
        self.served * 1000 / millis
    }

    fn and(self, other: Seen) -> Seen {
        Seen {
            served: self.served + other.served,
            refused: self.refused + other.refused,
            slowest: self.slowest.max(other.slowest),
            elapsed: self.elapsed + other.elapsed,
        }
    }
}

fn perform(run: &mut Run) -> Result<String, Violation> {
    let seconds = Duration::from_secs(run.number("seconds")?.max(1));
    let data = run.path("data")?;
    let server = run.start(run.serve_command(&data, &[])?)?;
    create(server.address())?;
    let clients = clients_of_the_top(server.address(), seconds)?;
    let idle_bytes = usage::resident_bytes(server.pid())?;
    let (mut top, mut over) = (Seen::default(), Seen::default());
    for _ in 0..TURNS {
        top = top.and(load(server.address(), clients, seconds)?);
        over = over.and(load(server.address(), clients * OVERLOAD, seconds)?);
    }
    judge("with room for all", &top, &over, &server, idle_bytes)?;
    server.stop()?;
    let tight = tight(run, &data, clients * OVERLOAD, seconds)?;
    run.check(&data)?;
    Ok(format!(
        "{} requests a second of {clients} clients, {} of {} ({} %), {} where most had to wait ({} of them told to try again); slowest {} ms",
        top.per_second(),
        over.per_second(),
        clients * OVERLOAD,
        over.per_second() * 100 / top.per_second().max(1),
        tight.per_second(),
        tight.refused,
        over.slowest.max(tight.slowest).as_millis()
    ))
}

/// The same clients at a server that has room for a tenth of them, beside that tenth alone: fewer requests share a sync there, so
/// the rate is compared with what this server does when nobody has to wait.
fn tight(run: &Run, data: &Path, clients: u64, seconds: Duration) -> Result<Seen, Violation> {
    let fitting = (clients / 10).max(2);
    let room = 3 * ROOM_BYTES * fitting;
    let arguments = ["--request-memory".to_owned(), format!("{room}B"), "--request-wait".to_owned(), format!("{}ms", WAIT.as_millis())];
    let server = run.start(run.serve_command(data, &arguments.each_ref().map(String::as_str))?)?;
    let idle_bytes = usage::resident_bytes(server.pid())?;
    let (mut top, mut over) = (Seen::default(), Seen::default());
    for _ in 0..TURNS {
        top = top.and(load(server.address(), fitting, seconds)?);
        over = over.and(load(server.address(), clients, seconds)?);
    }
    judge("with little room", &top, &over, &server, idle_bytes)?;
    server.stop()?;
    Ok(over)
}

fn judge(what: &str, top: &Seen, over: &Seen, server: &Server, idle_bytes: u64) -> Result<(), Violation> {
    let (top, rate) = (top.per_second(), over.per_second());
    let grown = server.resident_bytes_max()?.saturating_sub(idle_bytes);
    say(&format!(
        "  {what}: {rate} requests a second beside {top}, {} refused, slowest {:?}, {} MB more",
        over.refused,
        over.slowest,
        grown / 1_000_000
    ));
    if rate * 100 < top * SHARE_PERCENT_MIN {
        return Err(found(format!("{what}: {rate} requests a second are served, and {top} of fewer clients")));
    }
    if over.slowest > WAIT + SLOWEST {
        return Err(found(format!("{what}: an answer took {:?}", over.slowest)));
    }
    if grown > MEMORY_BYTES_MAX {
        return Err(found(format!("{what}: the server took {} MB more", grown / 1_000_000)));
    }
    Ok(())
}

fn create(address: SocketAddr) -> Result<(), Violation> {
    let mut client = Client::connect(address)?;
    let table = json!({"TableName": "Items", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]});
    client.call("CreateTable", &table.to_string())?;
    Ok(client.await_active("Items", SLOWEST)?)
}

/// How many clients it takes.
fn clients_of_the_top(address: SocketAddr, seconds: Duration) -> Result<u64, Violation> {
    let (mut clients, mut best) = (CLIENTS_FIRST, load(address, CLIENTS_FIRST, seconds / 2)?.per_second());
    while clients < CLIENTS_LAST {
        let rate = load(address, clients * 2, seconds / 2)?.per_second();
        if rate * 100 < best * GROWTH_PERCENT {
            return Ok(clients);
        }
        (clients, best) = (clients * 2, rate);
    }
    Ok(clients)
}

fn load(address: SocketAddr, clients: u64, time: Duration) -> Result<Seen, Violation> {
    let is_over = AtomicBool::new(false);
    let begin = Instant::now();
    let seen: Vec<Result<Seen, Violation>> = std::thread::scope(|scope| {
        let working: Vec<_> = (0..clients)
            .map(|owner| {
                let is_over = &is_over;
                scope.spawn(move || work(address, owner, is_over))
            })
            .collect();
        std::thread::sleep(time);
        is_over.store(true, Ordering::Relaxed);
        working.into_iter().map(|client| client.join().expect("a client does not panic")).collect()
    });
    let elapsed = begin.elapsed();
    let all = seen.into_iter().try_fold(Seen::default(), |sum, seen| seen.map(|seen| sum.and(seen)))?;
    Ok(Seen { elapsed, ..all })
}

/// Puts an item and gets it, again and again.
fn work(address: SocketAddr, owner: u64, is_over: &AtomicBool) -> Result<Seen, Violation> {
    let mut client = Client::connect(address)?;
    let (mut seen, mut number) = (Seen::default(), 0);
    let text = "x".repeat(TEXT_BYTES);
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let id = format!("{owner} {}", number % ITEMS);
        let item = json!({"id": {"S": id}, "number": {"N": number.to_string()}, "text": {"S": text}});
        let put = json!({"TableName": "Items", "Item": item}).to_string();
        if insist(&mut client, "PutItem", &put, &mut seen, is_over)?.is_none() {
            break;
        }
        let get = json!({"TableName": "Items", "Key": {"id": {"S": id}}, "ConsistentRead": true}).to_string();
        let Some(reply) = insist(&mut client, "GetItem", &get, &mut seen, is_over)? else { break };
        let answer: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if answer["Item"] != item {
            return Err(found(format!("put was {item}, and there is {answer}")));
        }
    }
    Ok(seen)
}

/// Asks until it is served; nothing when it is over before.
fn insist(client: &mut Client, operation: &str, body: &str, seen: &mut Seen, is_over: &AtomicBool) -> Result<Option<Reply>, Violation> {
    loop {
        let begin = Instant::now();
        let reply = client.exchange(operation, body).map_err(|failure| found(failure.0))?;
        seen.slowest = seen.slowest.max(begin.elapsed());
        match reply.status {
            200 => {
                seen.served += 1;
                return Ok(Some(reply));
            }
            503 if reply.body.windows(27).any(|window| window == b"ServiceUnavailableException") => {
                seen.refused += 1;
                if is_over.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                std::thread::sleep(TRY_PAUSE);
            }
            status => return Err(found(format!("{operation} got {status}: {}", String::from_utf8_lossy(&reply.body)))),
        }
    }
}
