//! Whether gets stay quick while the server is busy with other things.
//!
//! What must stay true: the gets come at the same rate in both windows, and the three other things have begun before the
//! second one opens.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bench::{Bench, Measure};
use crate::measure::million::{lost, rest};
use crate::measure::requests::{self, Keys};
use crate::measure::{ROUNDS, scan};
use stator_driver::client::Client;
use stator_driver::failure::Failure;
use stator_driver::server::Server;

const BACKFILL_MAX: Duration = Duration::from_secs(600);
/// A fifth of the large table.
const BULK_SHARE: u64 = 5;

/// All rounds.
pub(super) fn measure(bench: &mut Bench, serve: &Server, keys: Keys<'_>) -> Result<(), Failure> {
    let mut client = Client::connect(serve.address())?;
    let million = bench.options.scale.million();
    for round in 0..ROUNDS {
        rest(serve)?;
        let top = bench.run(&Measure::closed("top", serve), &mut requests::get(serve, keys))?.per_second();
        bench.load(&Measure::open("calm-quiet", serve, top / 2.0), &mut requests::get(serve, keys));
        let bulk = format!("bulk-{round}");
        requests::create(&mut client, &bulk, "", "")?;
        requests::fill(serve, &bulk, million / BULK_SHARE)?;
        add_index(&mut client, keys.table, round)?;
        while_scanning(serve.address(), || {
            bench.load(&Measure::open("calm-busy", serve, top / 2.0), &mut requests::get(serve, keys));
        })?;
        client.await_active(keys.table, BACKFILL_MAX)?;
    }
    Ok(())
}

fn add_index(client: &mut Client, table: &str, round: usize) -> Result<(), Failure> {
    let body = format!(
        r#"{{"TableName":"{table}","AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},{{"AttributeName":"sk","AttributeType":"N"}},{{"AttributeName":"city","AttributeType":"S"}},{{"AttributeName":"at","AttributeType":"N"}}],"GlobalSecondaryIndexUpdates":[{{"Create":{{"IndexName":"by-city-{round}","KeySchema":[{{"AttributeName":"city","KeyType":"HASH"}},{{"AttributeName":"at","KeyType":"RANGE"}}],"Projection":{{"ProjectionType":"KEYS_ONLY"}}}}}}]}}"#
    );
    client.call("UpdateTable", &body).map(drop)
}

/// Does something while a client scans the whole table, over and over.
fn while_scanning(address: SocketAddr, work: impl FnOnce()) -> Result<(), Failure> {
    let goes_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let scanning = scope.spawn(|| {
            while goes_on.load(Ordering::Relaxed) {
                scan::rows(address, 0, 1, &goes_on)?;
            }
            Ok(())
        });
        work();
        goes_on.store(false, Ordering::Relaxed);
        scanning.join().unwrap_or_else(|_| Err(lost("the scan")))
    })
}
