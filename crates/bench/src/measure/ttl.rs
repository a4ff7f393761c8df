//! A million deadlines: all at once while gets go on, and entered into a table that was full before, across a kill.
//!
//! What must stay true: how many items are left is asked of DescribeTable, which costs the server nothing; a scan would be
//! one more load.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bench::{Bench, Measure};
use crate::data::push_small_item;
use crate::measure::ROUNDS;
use crate::measure::requests::{self, Keys};
use stator_driver::client::Client;
use stator_driver::failure::{Failure, failed};
use stator_driver::server::Server;

pub(super) const MEASURES: &[&str] = &["ttl-burst", "ttl-quiet", "ttl-busy", "ttl-kill"];

const READ: &str = "read";
const BURST: &str = "burst";
const FULL: &str = "full";
const GONE_MAX: Duration = Duration::from_secs(1800);
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// How long a change of TTL goes on before the kill.
const BEFORE_KILL: Duration = Duration::from_secs(1);

#[expect(clippy::unnecessary_wraps, reason = "one of the measures, which all have one shape")]
pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    if let Err(failure) = burst(bench) {
        bench.miss(&["ttl-burst", "ttl-quiet", "ttl-busy"], &failure);
    }
    if let Err(failure) = kill(bench) {
        bench.miss(&["ttl-kill"], &failure);
    }
    Ok(())
}

/// Deadlines that all come in one second, while another table is read.
fn burst(bench: &mut Bench) -> Result<(), Failure> {
    let serve = bench.serve(&bench.scratch.path("ttl-burst"))?;
    let mut client = Client::connect(serve.address())?;
    let (few, million) = (bench.options.scale.items_few(), bench.options.scale.million());
    for table in [READ, BURST] {
        requests::create(&mut client, table, "", "")?;
    }
    requests::fill(&serve, READ, few)?;
    enable(&mut client, BURST)?;
    let load_seconds = bench.options.scale.load_seconds();
    let deadline = now_seconds() + load_seconds;
    fill_with_deadlines(&serve, BURST, million, deadline)?;
    if now_seconds() >= deadline {
        return Err(failed(format!("the load took longer than {load_seconds} s")));
    }
    let keys = Keys::all(READ, few);
    let rate = bench.run(&Measure::closed("top", &serve), &mut requests::get(&serve, keys))?.per_second() / 2.0;
    for _ in 0..ROUNDS {
        bench.load(&Measure::open("ttl-quiet", &serve, rate), &mut requests::get(&serve, keys));
    }
    while now_seconds() <= deadline {
        std::thread::sleep(LOOK_INTERVAL);
    }
    let begin = Instant::now();
    // The first one has been idle for so long that the server has closed it.
    let mut client = Client::connect(serve.address())?;
    // Expiry takes its time to begin; what goes on before that is not busy.
    await_count(&mut client, BURST, million - 1, begin)?;
    for _ in 0..ROUNDS {
        bench.load(&Measure::open("ttl-busy", &serve, rate), &mut requests::get(&serve, keys));
    }
    await_count(&mut Client::connect(serve.address())?, BURST, 0, begin)?;
    bench.record("ttl-burst", "seconds", begin.elapsed().as_secs_f64());
    bench.watch_memory(&serve);
    serve.stop()
}

/// TTL turned on over a full table whose deadlines have all passed, and a kill while it is at work.
fn kill(bench: &mut Bench) -> Result<(), Failure> {
    let data = bench.scratch.path("ttl-kill");
    let serve = bench.serve(&data)?;
    let mut client = Client::connect(serve.address())?;
    requests::create(&mut client, FULL, "", "")?;
    fill_with_deadlines(&serve, FULL, bench.options.scale.million(), now_seconds() - 60)?;
    let begin = Instant::now();
    enable(&mut client, FULL)?;
    std::thread::sleep(BEFORE_KILL);
    bench.watch_memory(&serve);
    serve.kill();
    let serve = bench.serve(&data)?;
    await_count(&mut Client::connect(serve.address())?, FULL, 0, begin)?;
    bench.record("ttl-kill", "seconds", begin.elapsed().as_secs_f64());
    bench.watch_memory(&serve);
    serve.stop()
}

fn enable(client: &mut Client, table: &str) -> Result<(), Failure> {
    let body = format!(r#"{{"TableName":"{table}","TimeToLiveSpecification":{{"Enabled":true,"AttributeName":"expires"}}}}"#);
    client.call("UpdateTimeToLive", &body).map(drop)
}

fn fill_with_deadlines(serve: &Server, table: &str, items: u64, deadline: u64) -> Result<(), Failure> {
    let expires = format!(r#","expires":{{"N":"{deadline}"}}"#);
    requests::fill_with(serve, table, items, |text, at| push_small_item(text, at, &expires))
}

/// Waits until a table has no more items than that.
fn await_count(client: &mut Client, table: &str, most: u64, begin: Instant) -> Result<(), Failure> {
    loop {
        let described = client.call("DescribeTable", &format!(r#"{{"TableName":"{table}"}}"#))?;
        let left = described["Table"]["ItemCount"].as_u64().unwrap_or(u64::MAX);
        if left <= most {
            return Ok(());
        }
        if begin.elapsed() > GONE_MAX {
            return Err(failed(format!("{left} items of {table} are left after {GONE_MAX:?}")));
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
}

fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
