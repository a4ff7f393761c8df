//! Where the time goes: one operation under load, with `perf` looking at the server.
//!
//! What must stay true: the load is that of the bars, so that the profile explains them.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bench::{Bench, Measure};
use crate::load::Workload;
use crate::measure::requests::{self, Keys};
use stator_driver::client::Client;
use stator_driver::failure::{Failure, failed};
use stator_driver::request::Caller;
use stator_driver::server::Server;

const TABLE: &str = "items";
const SECONDS: &str = "6";
const FREQUENCY: &str = "1999";
/// Long enough for `perf` to have begun.
const BEFORE: Duration = Duration::from_millis(300);

/// Records an operation of `stator serve`; the samples are left for `perf report`.
pub(crate) fn run(bench: &mut Bench, operation: &str) -> Result<(), Failure> {
    let items = bench.options.scale.items_few();
    let serve = bench.serve(&bench.scratch.path("profile"))?;
    requests::create(&mut Client::connect(serve.address())?, TABLE, "", "")?;
    requests::fill(&serve, TABLE, items)?;
    let caller = Caller::to(serve.address());
    let mut workload = workload(&serve, &caller, operation, Keys::all(TABLE, items))?;
    let samples = bench.options.root.join(format!("target/bench/{operation}.perf"));
    std::fs::create_dir_all(bench.options.root.join("target/bench")).map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new("perf");
    command.args(["record", "--freq", FREQUENCY, "--call-graph", "fp", "--pid", &serve.pid().to_string(), "--output"]).arg(&samples);
    command.args(["--", "sleep", SECONDS]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut perf = command.spawn().map_err(|error| failed(format!("perf can not be started (package linux-perf): {error}")))?;
    std::thread::sleep(BEFORE);
    while perf.try_wait().map_err(|error| failed(error.to_string()))?.is_none() {
        let outcome = bench.run(&Measure::closed("profile", &serve), workload.as_mut())?;
        bench.say(&format!("{operation}: {:.0}/s, {:.1} us CPU", outcome.per_second(), outcome.cpu_us));
    }
    let mut report = Command::new("perf");
    report.args(["report", "--stdio", "--no-children", "--call-graph", "none", "--percent-limit", "0.6", "--sort", "symbol", "--input"]);
    report.arg(&samples).stderr(Stdio::null());
    report.status().map_err(|error| failed(format!("perf: {error}")))?;
    bench.say(&format!("more by: perf report --input {}", samples.display()));
    serve.stop()
}

fn workload<'c>(serve: &Server, caller: &'c Caller, operation: &str, keys: Keys<'c>) -> Result<Box<dyn Workload + 'c>, Failure> {
    Ok(match operation {
        "get" => Box::new(requests::get(serve, keys)),
        "put" => Box::new(requests::put(serve, keys)),
        "query" => Box::new(requests::query(serve, keys)),
        "update" => Box::new(requests::update(serve, keys)),
        "batch-write" => Box::new(requests::batch_write(serve, keys)),
        "transact-write" => Box::new(requests::transact_write(caller, keys, 0)),
        _ => return Err(failed("--profile takes get, put, query, update, batch-write or transact-write")),
    })
}
