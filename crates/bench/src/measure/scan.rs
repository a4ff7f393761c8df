//! Scans that find nothing, by one client and by four.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::bench::Bench;
use crate::measure::million::{MANY, lost};
use stator_driver::client::Client;
use stator_driver::failure::Failure;
use stator_driver::server::Server;

const SEGMENTS: u64 = 4;

/// One round.
pub(super) fn measure(bench: &mut Bench, serve: &Server) -> Result<(), Failure> {
    for (name, segments) in [("scan", 1), ("scan-four", SEGMENTS)] {
        if bench.wants(&["scan-four", name]) {
            let rate = rows_per_second(serve.address(), segments)?;
            bench.record(name, "rows_per_s", rate);
        }
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "no count here is near 2^53")]
fn rows_per_second(address: SocketAddr, segments: u64) -> Result<f64, Failure> {
    let begin = Instant::now();
    let goes_on = AtomicBool::new(true);
    let rows: Vec<Result<u64, Failure>> = std::thread::scope(|scope| {
        let goes_on = &goes_on;
        let scans: Vec<_> = (0..segments).map(|segment| scope.spawn(move || rows(address, segment, segments, goes_on))).collect();
        scans.into_iter().map(|scan| scan.join().unwrap_or_else(|_| Err(lost("a scan")))).collect()
    });
    let rows: u64 = rows.into_iter().sum::<Result<u64, Failure>>()?;
    Ok(rows as f64 / begin.elapsed().as_secs_f64())
}

/// Pages through a segment as long as it goes on; answers how many rows were looked at.
pub(super) fn rows(address: SocketAddr, segment: u64, segments: u64, goes_on: &AtomicBool) -> Result<u64, Failure> {
    let mut client = Client::connect(address)?;
    let (mut rows, mut start) = (0, String::new());
    while goes_on.load(Ordering::Relaxed) {
        let body = format!(
            r#"{{"TableName":"{MANY}","Segment":{segment},"TotalSegments":{segments},"FilterExpression":"n > :n","ExpressionAttributeValues":{{":n":{{"N":"1000000"}}}}{start}}}"#
        );
        let page = client.call("Scan", &body)?;
        rows += page["ScannedCount"].as_u64().unwrap_or(0);
        let last = &page["LastEvaluatedKey"];
        if last.is_null() {
            break;
        }
        start = format!(r#","ExclusiveStartKey":{last}"#);
    }
    Ok(rows)
}
