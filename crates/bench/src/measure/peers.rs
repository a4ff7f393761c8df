//! Peers, each beside `stator dev --data`: gets, durable puts, pages, and one client alone.
//!
//! What must stay true: every peer is as warm as it gets before the first round, and the best of them in each round is
//! what we are compared with.

use std::time::Duration;

use crate::bench::{Bench, Measure};
use crate::load::{Outcome, Workload};
use crate::measure::requests::{self, Keys};
use crate::measure::{ROUNDS, process};
use crate::peer::{PEERS, Peer};
use stator_driver::client::Client;
use stator_driver::failure::Failure;
use stator_driver::server::Server;

pub(super) const MEASURES: &[&str] = &[
    "peer-own-get",
    "peer-own-put",
    "peer-own-query",
    "peer-own-one",
    "peer-best-get",
    "peer-best-put",
    "peer-best-query",
    "peer-best-one",
];

const TABLE: &str = "items";
const ITEMS: u64 = 5_000;
/// Windows of warming up: compilers that work while the program runs need some.
const WARM_UPS: usize = 2;

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Get,
    Put,
    Query,
    One,
}

const KINDS: [(Kind, &str, &str); 4] = [
    (Kind::Get, "peer-own-get", "peer-best-get"),
    (Kind::Put, "peer-own-put", "peer-best-put"),
    (Kind::Query, "peer-own-query", "peer-best-query"),
    (Kind::One, "peer-own-one", "peer-best-one"),
];

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let own = bench.dev(&bench.scratch.path("own"))?;
    fill(&own)?;
    let mut running: Vec<(&Peer, Server)> = Vec::new();
    for peer in &PEERS {
        match ready(bench, peer) {
            Ok(server) => running.push((peer, server)),
            Err(failure) => bench.miss(&[peer.name], &failure),
        }
    }
    for round in 0..ROUNDS {
        bench.say(&format!("peers, round {} of {ROUNDS}", round + 1));
        for (kind, own_name, best_name) in KINDS {
            bench.load(&measure(kind, own_name, &own), workload(kind, &own).as_mut());
            best_of(bench, kind, best_name, &running);
        }
    }
    own.stop()
}

/// A peer with its data, warm.
fn ready(bench: &Bench, peer: &Peer) -> Result<Server, Failure> {
    bench.say(&format!("{}: {}", peer.name, peer.setting));
    let server = peer.start(bench, process::free_address()?)?;
    fill(&server)?;
    for (kind, ..) in KINDS.into_iter().filter(|(kind, ..)| concerns(*kind, peer)) {
        for _ in 0..WARM_UPS {
            bench.run(&measure(kind, "warm-up", &server), workload(kind, &server).as_mut())?;
        }
    }
    Ok(server)
}

fn fill(server: &Server) -> Result<(), Failure> {
    let mut client = Client::connect(server.address())?;
    requests::create(&mut client, TABLE, "", "")?;
    client.await_active(TABLE, Duration::from_secs(30))?;
    requests::fill(server, TABLE, ITEMS)
}

/// Puts are compared in the most durable setting, all else in the fastest.
fn concerns(kind: Kind, peer: &Peer) -> bool {
    (kind == Kind::Put) == peer.is_durable
}

fn measure<'s>(kind: Kind, name: &'static str, server: &'s Server) -> Measure<'s> {
    let closed = Measure::closed(name, server);
    if kind == Kind::One { Measure { connections: 1, ..closed } } else { closed }
}

fn workload(kind: Kind, server: &Server) -> Box<dyn Workload> {
    let keys = Keys::all(TABLE, ITEMS);
    Box::new(match kind {
        Kind::Get | Kind::One => requests::get(server, keys),
        Kind::Put => requests::put(server, keys),
        Kind::Query => requests::query(server, keys),
    })
}

/// Measures all peers that the kind concerns; notes each, and the best.
fn best_of(bench: &mut Bench, kind: Kind, name: &'static str, running: &[(&Peer, Server)]) {
    let mut best: Option<Outcome> = None;
    for (peer, server) in running.iter().filter(|(peer, _)| concerns(kind, peer)) {
        match bench.run(&measure(kind, peer.name, server), workload(kind, server).as_mut()) {
            Ok(outcome) => {
                let figure = format!("{} {}", name.trim_start_matches("peer-best-"), peer.name);
                bench.record(&figure, "per_s", outcome.per_second());
                bench.record(&figure, "p50_us", outcome.quantile_us(0.5));
                let is_better = |best: &Outcome| {
                    if kind == Kind::One {
                        outcome.quantile_us(0.5) < best.quantile_us(0.5)
                    } else {
                        outcome.per_second() > best.per_second()
                    }
                };
                if best.as_ref().is_none_or(is_better) {
                    best = Some(outcome);
                }
            }
            Err(failure) => bench.miss(&[peer.name], &failure),
        }
    }
    match best {
        Some(outcome) => bench.note(&measure(kind, name, &running[0].1), &outcome),
        None => bench.miss(&[name], &stator_driver::failure::failed("no peer could be measured; see the reasons of each")),
    }
}
