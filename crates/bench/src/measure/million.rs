//! A million items in one `serve`: what they take on disk, how fast they are scanned and come back after a kill, and
//! whether their number is felt.
//!
//! What must stay true: the engine has come to rest before anything is measured that is not about the load itself.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::bench::{Bench, MEMORY_MIB, Measure, mb, set_serve};
use crate::data::push_item;
use crate::floor::scan as floor_scan;
use crate::measure::requests::{self, Keys};
use crate::measure::{ROUNDS, calm, process, scan};
use stator_driver::client::Client;
use stator_driver::failure::{Failure, failed};
use stator_driver::server::Server;
use stator_driver::usage;

pub(super) const MEASURES: &[&str] = &[
    "disk",
    "start-serve",
    "floor-scan",
    "scan",
    "scan-four",
    "get-few",
    "get-many",
    "put-few",
    "put-many",
    "query-few",
    "query-many",
    "calm-quiet",
    "calm-busy",
];
const SIZES: &[&str] = &["get-few", "get-many", "put-few", "put-many", "query-few", "query-many"];

pub(super) const MANY: &str = "many";
const FEW: &str = "few";
const FEW_ITEMS: u64 = 10_000;
/// Keys that requests go to, of both tables.
const HOT: u64 = 10_000;
const LARGE: u64 = 10;
const REST_MAX: Duration = Duration::from_secs(60);
const REST_INTERVAL: Duration = Duration::from_secs(1);
/// A second in which less than this was written is rest.
const REST_BYTES: u64 = 1 << 20;

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let data = bench.scratch.path("million");
    let mut serve = bench.serve(&data)?;
    let items = bench.options.scale.million();
    load(bench, &serve, &data, items)?;
    if bench.wants(&["start-serve", "floor-scan", "scan", "scan-four"]) {
        serve = restart(bench, serve, &data, items)?;
    }
    if bench.wants(&["scan", "scan-four"]) {
        for _ in 0..ROUNDS {
            scan::measure(bench, &serve)?;
        }
    }
    let mut many = items;
    if bench.wants(SIZES) {
        many = grow(bench, &serve, items)?;
        sizes(bench, &serve, many);
    }
    if bench.wants(&["calm-quiet", "calm-busy"])
        && let Err(failure) = calm::measure(bench, &serve, Keys { table: MANY, items: many, hot: HOT })
    {
        bench.miss(&["calm-quiet", "calm-busy"], &failure);
    }
    bench.watch_memory(&serve);
    serve.stop()
}

fn load(bench: &mut Bench, serve: &Server, data: &Path, items: u64) -> Result<(), Failure> {
    let begin = Instant::now();
    requests::create(&mut Client::connect(serve.address())?, MANY, "", "")?;
    let before = usage::written_bytes(serve.pid())?;
    requests::fill(serve, MANY, items)?;
    bench.say(&format!("{items} items loaded in {:.1} s", begin.elapsed().as_secs_f64()));
    rest(serve)?;
    if bench.wants(&["disk"]) {
        let written = usage::written_bytes(serve.pid())?.saturating_sub(before);
        let json = mb(json_bytes(items));
        bench.record("disk", "json_mb", json);
        bench.record("disk", "stored_x", mb(usage::directory_bytes(data)) / json);
        bench.record("disk", "written_x", mb(written) / json);
    }
    bench.watch_memory(serve);
    Ok(())
}

fn json_bytes(items: u64) -> u64 {
    let mut text = String::new();
    let mut bytes = 0;
    for at in 0..items {
        text.clear();
        push_item(&mut text, at, 0);
        bytes += text.len() as u64;
    }
    bytes
}

/// Waits until the engine has no more to write.
pub(super) fn rest(server: &Server) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut before = usage::written_bytes(server.pid())?;
    while begin.elapsed() < REST_MAX {
        std::thread::sleep(REST_INTERVAL);
        let now = usage::written_bytes(server.pid())?;
        if now - before < REST_BYTES {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

/// Kills the server amid its log, times its return, and looks at the rows while nobody has them open.
fn restart(bench: &mut Bench, mut serve: Server, data: &Path, items: u64) -> Result<Server, Failure> {
    for _ in 0..ROUNDS {
        if bench.wants(&["start-serve"]) {
            // Something has to be in the log that only a replay brings back.
            bench.run(&Measure::closed("before the kill", &serve), &mut requests::put(&serve, Keys::all(MANY, items)))?;
        }
        bench.watch_memory(&serve);
        serve.kill();
        if bench.wants(&["start-serve"]) {
            let address = process::free_address()?;
            let mut command = Command::new(bench.stator());
            set_serve(&mut command, data, address);
            let (child, ms) = process::time_to_answer(command, address)?;
            drop(child);
            bench.record("start-serve", "ms", ms);
        }
        if bench.wants(&["floor-scan"]) {
            for rate in floor_scan::scan(data, MEMORY_MIB << 20, 1)? {
                bench.record("floor-scan", "rows_per_s", rate);
            }
        }
        serve = bench.serve(data)?;
    }
    rest(&serve)?;
    Ok(serve)
}

/// Makes the small table, and the large one larger where that was asked for.
fn grow(bench: &mut Bench, serve: &Server, items: u64) -> Result<u64, Failure> {
    requests::create(&mut Client::connect(serve.address())?, FEW, "", "")?;
    requests::fill(serve, FEW, FEW_ITEMS.min(items))?;
    let many = if bench.options.is_large { items * LARGE } else { items };
    if many > items {
        requests::fill(serve, MANY, many)?;
        bench.say(&format!("{many} items"));
    }
    rest(serve)?;
    Ok(many)
}

fn sizes(bench: &mut Bench, serve: &Server, many: u64) {
    let few = Keys { table: FEW, items: FEW_ITEMS.min(many), hot: HOT };
    #[allow(clippy::cast_precision_loss, reason = "ten million are exact")]
    bench.record("sizes", "items", many as f64);
    let many = Keys { table: MANY, items: many, hot: HOT };
    for round in 0..ROUNDS {
        bench.say(&format!("{} items against {}, round {}", few.items, many.items, round + 1));
        for (name, keys) in [("get-few", few), ("get-many", many)] {
            bench.load(&Measure::closed(name, serve), &mut requests::get(serve, keys));
        }
        for (name, keys) in [("put-few", few), ("put-many", many)] {
            bench.load(&Measure::closed(name, serve), &mut requests::put(serve, keys));
        }
        // A hundred partitions each.
        for (name, keys) in [("query-few", Keys { hot: 100, ..few }), ("query-many", Keys { hot: 100, ..many })] {
            bench.load(&Measure::closed(name, serve), &mut requests::query(serve, keys));
        }
    }
}

/// The table of a failure that has no better place.
pub(super) fn lost(what: &str) -> Failure {
    failed(format!("{what} ended in a panic"))
}
