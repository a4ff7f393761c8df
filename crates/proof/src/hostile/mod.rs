//! Clients that want to do harm, beside clients that want to be served.
//!
//! ```text
//! commands/hostile ─ each attack ─ signatures │ malformed │ frames │ crowds ─> the server <─ guests, who notice
//! ```
//!
//! What must stay true: attacks stand back where threads compete for the processor (`nice`), because they stand for machines
//! elsewhere; what an attack costs the server is not held back.

mod crowds;
mod frames;
mod guests;
mod malformed;
mod signatures;
mod wire;

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use stator_driver::client::Client;

use crate::verdict::Violation;
pub(crate) use guests::Guests;
pub(crate) use malformed::{Malformed, all as malformed};

/// How an attack goes on: how many connections and changed requests, and how long a crowd stays.
pub(crate) struct Means {
    pub(crate) seed: u64,
    pub(crate) connections: u64,
    pub(crate) mutations: u64,
    pub(crate) stay: Duration,
    /// Made before anybody watches: to make them is work for the attacker's machine.
    pub(crate) malformed: Vec<Malformed>,
}

/// A way to do harm; answers what was done.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) perform: fn(SocketAddr, &Means) -> Result<String, Violation>,
}

macro_rules! flood {
    ($name:literal) => {
        Attack { name: concat!("HTTP/2: ", $name), perform: |address, means| frames::flood(address, $name, means.stay / FLOODS_SHARE) }
    };
}

/// A flood goes on for so much less time than a crowd stays.
const FLOODS_SHARE: u32 = 3;

/// All of them. The first is about who is let in at all.
pub(crate) const ATTACKS: [Attack; 14] = [
    Attack { name: "changed signatures", perform: |address, means| signatures::forge(address, means.seed, means.mutations) },
    Attack { name: "malformed requests", perform: |address, means| malformed::throw(address, &means.malformed) },
    Attack { name: "forbidden frames", perform: |address, _| frames::forbidden(address) },
    flood!("rapid reset"),
    flood!("endless headers"),
    flood!("empty continuations"),
    flood!("a table entry, again and again"),
    flood!("pings"),
    flood!("settings"),
    flood!("empty data"),
    Attack { name: "idle connections", perform: |address, means| Ok(crowds::idle(address, means.connections, means.stay)) },
    Attack { name: "slow heads", perform: |address, means| Ok(crowds::slow_heads(address, means.connections, means.stay)) },
    Attack { name: "slow bodies", perform: |address, means| Ok(crowds::slow_bodies(address, means.connections, means.stay)) },
    Attack { name: "deaf clients", perform: |address, means| crowds::deaf(address, means.connections.div_ceil(25), means.stay) },
];

/// Makes the table of the guests.
pub(crate) fn invite(address: SocketAddr) -> Result<(), Violation> {
    create(&mut Client::connect(address)?, guests::TABLE)
}

fn create(client: &mut Client, name: &str) -> Result<(), Violation> {
    let table = json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]});
    // An attack that is repeated finds its table.
    client.exchange("CreateTable", &table.to_string())?;
    Ok(client.await_active(name, Duration::from_secs(10))?)
}

/// Lets the calling thread stand back behind the server and the guests.
fn give_way() {
    // Where that is not to be had, attacks take more of the machine, and the figures are worse than they need be.
    let _ = rustix::process::setpriority_process(None, 19);
}
