//! The hot path: one `dev`, one `serve` and the floors, over 20 thousand items that fit every cache.

use crate::bench::{Bench, Measure};
use crate::load::Pace;
use crate::measure::ROUNDS;
use crate::measure::requests::{self, Keys, TRANSACTION_ITEMS};
use stator_driver::client::Client;
use stator_driver::failure::{Failure, failed};
use stator_driver::request::Caller;
use stator_driver::server::Server;

pub(super) const MEASURES: &[&str] = &[
    "floor-echo",
    "get-dev",
    "get-serve",
    "floor-echo-page",
    "query",
    "floor-put",
    "put",
    "floor-put-p99",
    "put-p99",
    "update",
    "put-indexed",
    "batch-write",
    "transact-write",
    "hot-key",
];

const ITEMS: &str = "items";
const INDEXED: &str = "indexed";
/// Share of the top rate at which latencies are compared.
const P99_LOAD: f64 = 0.7;
/// Shares of the top rate that the plots show.
const CURVE: [f64; 4] = [0.25, 0.5, 0.75, 0.9];

/// What the measures share.
struct Shared {
    dev: Server,
    serve: Server,
    echo: Server,
    echo_page: Server,
    floor_put: Server,
    keys: Keys<'static>,
    indexed: Keys<'static>,
}

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let shared = start(bench)?;
    for round in 0..ROUNDS {
        bench.say(&format!("hot path, round {} of {ROUNDS}", round + 1));
        reads(bench, &shared);
        writes(bench, &shared, round);
        tail(bench, &shared);
        bench.watch_memory(&shared.serve);
    }
    if bench.options.only.is_empty() {
        curves(bench, &shared)?;
    }
    bench.watch_memory(&shared.serve);
    shared.dev.stop()?;
    shared.serve.stop()
}

fn start(bench: &mut Bench) -> Result<Shared, Failure> {
    let items = bench.options.scale.items_few();
    let keys = Keys::all(ITEMS, items);
    let dev = bench.dev(&bench.scratch.path("dev"))?;
    let serve = bench.serve(&bench.scratch.path("serve"))?;
    for server in [&dev, &serve] {
        let mut client = Client::connect(server.address())?;
        requests::create(&mut client, ITEMS, "", "")?;
        requests::fill(server, ITEMS, items)?;
    }
    create_indexed(&mut Client::connect(serve.address())?)?;
    let echo = floor_echo(bench, &serve, "GetItem", |text| requests::push_get(text, keys, 0))?;
    let echo_page = floor_echo(bench, &serve, "Query", |text| requests::push_query(text, keys, 0))?;
    let floor_put = bench.floor("floor-put", &bench.scratch.path("floor-put"))?;
    bench.say(&format!("servers are up, {items} items in each"));
    Ok(Shared { dev, serve, echo, echo_page, floor_put, keys, indexed: Keys::all(INDEXED, items) })
}

/// A floor that returns what the product answered.
fn floor_echo(bench: &Bench, server: &Server, operation: &str, body: impl Fn(&mut String)) -> Result<Server, Failure> {
    let mut text = String::new();
    body(&mut text);
    let answer = Client::connect(server.address())?.call_raw(operation, &text)?;
    let path = bench.scratch.path("answer");
    std::fs::write(&path, answer).map_err(|error| failed(format!("{}: {error}", path.display())))?;
    bench.floor("floor-echo", &path)
}

fn create_indexed(client: &mut Client) -> Result<(), Failure> {
    let attributes = concat!(
        r#",{"AttributeName":"city","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"}"#,
        r#",{"AttributeName":"state","AttributeType":"S"}"#
    );
    let indexes = concat!(
        r#","LocalSecondaryIndexes":[{"IndexName":"by-time","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},"#,
        r#"{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]"#,
        r#","GlobalSecondaryIndexes":[{"IndexName":"by-city","KeySchema":[{"AttributeName":"city","KeyType":"HASH"},"#,
        r#"{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}},"#,
        r#"{"IndexName":"by-state","KeySchema":[{"AttributeName":"state","KeyType":"HASH"},"#,
        r#"{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]"#,
        r#","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}"#
    );
    requests::create(client, INDEXED, attributes, indexes)
}

fn reads(bench: &mut Bench, shared: &Shared) {
    let servers = [("floor-echo", &shared.echo), ("get-dev", &shared.dev), ("get-serve", &shared.serve)];
    for (name, server) in servers {
        if bench.wants(&[name]) {
            bench.load(&Measure::closed(name, server), &mut requests::get(server, shared.keys));
        }
    }
    for (name, server) in [("floor-echo-page", &shared.echo_page), ("query", &shared.serve)] {
        if bench.wants(&[name]) {
            bench.load(&Measure::closed(name, server), &mut requests::query(server, shared.keys));
        }
    }
}

fn writes(bench: &mut Bench, shared: &Shared, round: usize) {
    let (serve, keys) = (&shared.serve, shared.keys);
    if bench.wants(&["floor-put"]) {
        bench.load(&Measure::closed("floor-put", &shared.floor_put), &mut requests::put(&shared.floor_put, keys));
    }
    if bench.wants(&["put", "put-p99"]) {
        bench.load(&Measure::closed("put", serve), &mut requests::put(serve, keys));
    }
    if bench.wants(&["update"]) {
        bench.load(&Measure::closed("update", serve), &mut requests::update(serve, keys));
    }
    if bench.wants(&["hot-key"]) {
        bench.load(&Measure::closed("hot-key", serve), &mut requests::update(serve, Keys { hot: 1, ..keys }));
    }
    if bench.wants(&["batch-write"]) {
        let measure = Measure { items: 25.0, ..Measure::closed("batch-write", serve) };
        bench.load(&measure, &mut requests::batch_write(serve, keys));
    }
    if bench.wants(&["transact-write"]) {
        #[allow(clippy::cast_precision_loss, reason = "ten is exact")]
        let measure = Measure { items: TRANSACTION_ITEMS as f64, ..Measure::closed("transact-write", serve) };
        let caller = Caller::to(serve.address());
        bench.load(&measure, &mut requests::transact_write(&caller, keys, round));
    }
    if bench.wants(&["put-indexed"]) {
        bench.load(&Measure::closed("put-indexed", serve), &mut requests::put(serve, shared.indexed));
    }
}

/// Latency of puts at a rate that both servers were shown to reach.
fn tail(bench: &mut Bench, shared: &Shared) {
    if !bench.wants(&["put-p99"]) {
        return;
    }
    let Some(top) = bench.figures.last("put", "per_s") else {
        bench.miss(&["put-p99", "floor-put-p99"], &failed("the top rate of puts is not known"));
        return;
    };
    for (name, server) in [("floor-put-p99", &shared.floor_put), ("put-p99", &shared.serve)] {
        bench.load(&Measure::open(name, server, top * P99_LOAD), &mut requests::put(server, shared.keys));
    }
}

/// Latency over load, for the plots; not judged.
fn curves(bench: &mut Bench, shared: &Shared) -> Result<(), Failure> {
    for (series, measure, server) in [("floor-echo", "get-serve", &shared.echo), ("GetItem", "get-serve", &shared.serve)] {
        curve(bench, series, measure, server, &|| requests::get(server, shared.keys))?;
    }
    for (series, measure, server) in [("floor-put", "put", &shared.floor_put), ("PutItem", "put", &shared.serve)] {
        curve(bench, series, measure, server, &|| requests::put(server, shared.keys))?;
    }
    Ok(())
}

fn curve(
    bench: &mut Bench,
    series: &'static str,
    measure: &'static str,
    server: &Server,
    workload: &dyn Fn() -> crate::load::Pool,
) -> Result<(), Failure> {
    let Some(top) = bench.figures.last(measure, "per_s") else { return Ok(()) };
    for share in CURVE {
        let measure = Measure { pace: Pace::Open(top * share), ..Measure::closed(series, server) };
        let outcome = bench.run(&measure, &mut workload())?;
        bench.plot(series, top * share, &outcome);
    }
    Ok(())
}
