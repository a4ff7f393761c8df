//! The table of bars: one entry each.
//!
//! What must stay true: `how` says everything that somebody would need to know to call the bar unfair.

use super::Formula::{Ratio, Value};
use super::Limit::{AtLeast, AtMost};
use super::{Bar, Formula, Limit, Part};

const fn only(formula: Formula, limit: Limit, unit: &'static str) -> Part {
    Part { label: "", formula, limit, unit }
}

const fn part(label: &'static str, formula: Formula, limit: Limit, unit: &'static str) -> Part {
    Part { label, formula, limit, unit }
}

/// All bars.
pub(crate) const BARS: &[Bar] = &[
    Bar {
        name: "get-cpu-dev",
        text: "CPU per GetItem in `stator dev --data` at most 2.0 x floor-echo",
        how: "Closed loop over 64 connections, random keys of 20,000 items; CPU time of the server process over answered requests. \
              The floor reads the same requests and returns the same answer's bytes.",
        parts: &[only(Ratio("get-dev.cpu_us", "floor-echo.cpu_us"), AtMost(2.0), "x")],
    },
    Bar {
        name: "get-cpu-serve",
        text: "the same in `stator serve`, signature verified: at most 2.6 x",
        how: "As get-cpu-dev. Requests are signed ahead, so that signing does not load the generator; the server verifies each.",
        parts: &[only(Ratio("get-serve.cpu_us", "floor-echo.cpu_us"), AtMost(2.6), "x")],
    },
    Bar {
        name: "put-durable",
        text: "durable PutItem/s at least 70 % of floor-put",
        how: "Closed loop, 64 connections, `stator serve` with signatures verified; puts replace random ones of 20,000 items of 1 KB. \
              The floor takes the same requests, commits their bodies through bare RocksDB with one sync per batch, and verifies nothing.",
        parts: &[only(Ratio("put.per_s", "floor-put.per_s"), AtLeast(0.70), "x")],
    },
    Bar {
        name: "put-p99",
        text: "p99 of durable PutItem at 70 % of its top rate at most 2 x floor-put's at the same rate",
        how: "Open loop with exponential gaps at 0.7 of the rate that put-durable reached in the same round, on both servers; latency from \
              the intended start.",
        parts: &[only(Ratio("put-p99.p99_us", "floor-put-p99.p99_us"), AtMost(2.0), "x")],
    },
    Bar {
        name: "update-condition",
        text: "conditional UpdateItem/s (a counter in an item of 1 KB) at least 55 % of floor-put",
        how: "`SET n = n + :one` on condition `attribute_exists(pk) AND n >= :zero`, random ones of 20,000 items, `stator serve`.",
        parts: &[only(Ratio("update.per_s", "floor-put.per_s"), AtLeast(0.55), "x")],
    },
    Bar {
        name: "put-indexed",
        text: "PutItem/s with two GSIs, one LSI and a stream at least 35 % of floor-put",
        how: "As put-durable, into a table with a GSI that projects all, a GSI and an LSI that project keys, and a stream of both images; \
              each put moves its index entries.",
        parts: &[only(Ratio("put-indexed.per_s", "floor-put.per_s"), AtLeast(0.35), "x")],
    },
    Bar {
        name: "batch-write",
        text: "items/s by BatchWriteItem of 25 at least 4 x PutItem's",
        how: "64 connections, items of 1 KB, `stator serve`; against put-durable of the same round.",
        parts: &[only(Ratio("batch-write.items_per_s", "put.per_s"), AtLeast(4.0), "x")],
    },
    Bar {
        name: "transact-write",
        text: "items/s by TransactWriteItems of 10 at least 1.5 x PutItem's",
        how: "64 connections, puts of 1 KB, each transaction with a token of its own as the SDKs send it (so it is signed as it is sent); \
              against put-durable of the same round.",
        parts: &[only(Ratio("transact-write.items_per_s", "put.per_s"), AtLeast(1.5), "x")],
    },
    Bar {
        name: "hot-key",
        text: "64 clients incrementing one item: updates/s at least 60 % of update-condition over many items",
        how: "The request of update-condition, all on one key.",
        parts: &[only(Ratio("hot-key.per_s", "update.per_s"), AtLeast(0.60), "x")],
    },
    Bar {
        name: "query-page",
        text: "CPU per Query page of 100 items at most 2.5 x floor-echo returning the same bytes",
        how: "Closed loop, 64 connections, one partition of 100 items of 1 KB per request, `stator serve`; the floor returns the bytes of such \
              a page.",
        parts: &[only(Ratio("query.cpu_us", "floor-echo-page.cpu_us"), AtMost(2.5), "x")],
    },
    Bar {
        name: "scan-filter",
        text: "rows/s of a Scan whose filter rejects all at least 40 % of floor-scan",
        how: "One client pages through a million items, `n > :n` true for none. The floor iterates the same column family in process, \
              cache warm, touching each key and value.",
        parts: &[only(Ratio("scan.rows_per_s", "floor-scan.rows_per_s"), AtLeast(0.40), "x")],
    },
    Bar {
        name: "scan-parallel",
        text: "four segments on two cores at least 1.6 x one segment",
        how: "The scan of scan-filter by four clients, one per segment, against the same by one client in one segment.",
        parts: &[only(Ratio("scan-four.rows_per_s", "scan.rows_per_s"), AtLeast(1.6), "x")],
    },
    Bar {
        name: "flat-size",
        text: "p50 and CPU of get, put and query page among a million items (ten million with --large) at most 1.3 x those among 10 thousand",
        how: "Two tables in one server, measured in turn by closed loops of 64 connections; gets and puts over 10 thousand random keys that \
              fit the cache, pages over a hundred partitions.",
        parts: &[
            part("get p50", Ratio("get-many.p50_us", "get-few.p50_us"), AtMost(1.3), "x"),
            part("get CPU", Ratio("get-many.cpu_us", "get-few.cpu_us"), AtMost(1.3), "x"),
            part("put p50", Ratio("put-many.p50_us", "put-few.p50_us"), AtMost(1.3), "x"),
            part("put CPU", Ratio("put-many.cpu_us", "put-few.cpu_us"), AtMost(1.3), "x"),
            part("page p50", Ratio("query-many.p50_us", "query-few.p50_us"), AtMost(1.3), "x"),
            part("page CPU", Ratio("query-many.cpu_us", "query-few.cpu_us"), AtMost(1.3), "x"),
        ],
    },
    Bar {
        name: "flat-stream",
        text: "put cost with one million stream records at most 1.05 x with none",
        how: "CPU per put of 1 KB into a table with a stream of both images: one table that has a million records, against one made for the round.",
        parts: &[only(Ratio("put-stream-long.cpu_us", "put-stream-new.cpu_us"), AtMost(1.05), "x")],
    },
    Bar {
        name: "calm",
        text: "p99 of gets at half of their top rate while a full Scan, a GSI backfill and the compactions of a bulk load run at most 3 x the quiet p99",
        how: "Open loop of gets over the million items, first alone, then with all three going on; the bulk load of 200,000 items ends as the \
              window begins, and its compactions go on.",
        parts: &[only(Ratio("calm-busy.p99_us", "calm-quiet.p99_us"), AtMost(3.0), "x")],
    },
    Bar {
        name: "start",
        text: "`stator dev` answers within 60 ms of exec; `stator serve` on one million items within 500 ms after SIGKILL",
        how: "From the start of the process to the end of the first answer over a new connection; the median of five for `dev`.",
        parts: &[
            part("dev", Value("start-dev.ms"), AtMost(60.0), "ms"),
            part("serve after SIGKILL", Value("start-serve.ms"), AtMost(500.0), "ms"),
        ],
    },
    Bar {
        name: "idle-memory",
        text: "`stator dev` idle at most 25 MB; `serve` under the whole bench within `--memory` + 150 MB",
        how: "Resident memory of `dev` half a second after its first answer; the highest VmHWM of any `serve` of this run, less its `--memory`.",
        parts: &[
            part("dev idle", Value("idle-dev.mb"), AtMost(25.0), "MB"),
            part("serve above --memory", Value("serve-memory.mb"), AtMost(150.0), "MB"),
        ],
    },
    Bar {
        name: "disk",
        text: "bytes on disk after loading one million items at most 1.0 x their JSON; bytes written in the load at most 3.5 x",
        how: "The size of the data directory once the engine has come to rest, and `write_bytes` of the process until then, over the JSON of the \
              items; about half of an item is prose that compresses, the rest is random.",
        parts: &[part("on disk", Value("disk.stored_x"), AtMost(1.0), "x"), part("written", Value("disk.written_x"), AtMost(3.5), "x")],
    },
    Bar {
        name: "ttl-burst",
        text: "one million items that expire at once are gone within 10 minutes, and gets' p99 at half of their top rate is at most 3 x the quiet one",
        how: "Items of 100 bytes with one deadline; an open loop of gets of another table before it and once the count has begun to fall.",
        parts: &[
            part("gone", Value("ttl-burst.seconds"), AtMost(600.0), "s"),
            part("p99", Ratio("ttl-busy.p99_us", "ttl-quiet.p99_us"), AtMost(3.0), "x"),
        ],
    },
    Bar {
        name: "ttl-kill",
        text: "TTL turned on over a million items whose time has passed, and SIGKILL a second later: all are gone within 10 minutes",
        how: "From UpdateTimeToLive to a count of none, the restart included.",
        parts: &[only(Value("ttl-kill.seconds"), AtMost(600.0), "s")],
    },
    Bar {
        name: "peers-get",
        text: "GetItem/s at least 5 x the best peer's at 64 connections",
        how: "Closed loop, 64 connections, random ones of 5,000 items of 1 KB; `stator dev --data` against each peer in its fastest setting.",
        parts: &[only(Ratio("peer-own-get.per_s", "peer-best-get.per_s"), AtLeast(5.0), "x")],
    },
    Bar {
        name: "peers-put",
        text: "durable PutItem/s at least 10 x the best peer's at 64 connections, each peer in its most durable setting",
        how: "As peers-get with puts that replace items; `stator dev --data` syncs before each answer.",
        parts: &[only(Ratio("peer-own-put.per_s", "peer-best-put.per_s"), AtLeast(10.0), "x")],
    },
    Bar {
        name: "peers-query",
        text: "Query pages/s at least 5 x the best peer's at 64 connections",
        how: "As peers-get with pages of 100 items of 1 KB.",
        parts: &[only(Ratio("peer-own-query.per_s", "peer-best-query.per_s"), AtLeast(5.0), "x")],
    },
    Bar {
        name: "peers-one",
        text: "p50 of one client's get at most every peer's",
        how: "As peers-get over one connection.",
        parts: &[only(Ratio("peer-own-one.p50_us", "peer-best-one.p50_us"), AtMost(1.0), "x")],
    },
];
