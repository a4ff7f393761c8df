//! How much memory codec, expressions and the write path ask for: counted, so that it is the same on every machine, and
//! compared with what was committed.
//!
//! Each line of `allocations.baseline` is a name, allocations and bytes, of a hundred rounds. More than 5 % above either
//! fails. `cargo xtask bench --baselines` rewrites the file; do that in the change that explains the difference. What must
//! stay true: everything runs on this thread, over the store in memory, from a fixed clock.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use stator_expr::{Binder, condition, projection, update};
use stator_kv::MemoryStore;
use stator_model::{Item, Number, Value};
use stator_testkit::target::{Call, InProcess, Target};

const ROUNDS: u64 = 100;
/// One in so many more than the baseline is too much.
const TOLERANCE: u64 = 20;
/// Below so many allocations (or bytes) a difference is no news.
const SLACK: u64 = 4;

const INDEXES: &str = concat!(
    r#","LocalSecondaryIndexes":[{"IndexName":"by-time","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},"#,
    r#"{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}]"#,
    r#","GlobalSecondaryIndexes":[{"IndexName":"by-city","KeySchema":[{"AttributeName":"city","KeyType":"HASH"},"#,
    r#"{"AttributeName":"at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]"#,
    r#","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}"#
);
const MORE_ATTRIBUTES: &str = r#",{"AttributeName":"city","AttributeType":"S"},{"AttributeName":"at","AttributeType":"N"}"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Count {
    allocations: u64,
    bytes: u64,
}

/// Counts a hundred rounds, after some that fill what is filled once.
fn count(mut round: impl FnMut(u64)) -> Count {
    (0..ROUNDS).for_each(&mut round);
    let info = allocation_counter::measure(|| (ROUNDS..2 * ROUNDS).for_each(&mut round));
    Count { allocations: info.count_total, bytes: info.bytes_total }
}

struct Service(InProcess);

impl Service {
    fn new() -> Service {
        let mut service = Service(InProcess::open(Arc::new(MemoryStore::new())));
        service.create("plain", "", "");
        service.create("indexed", MORE_ATTRIBUTES, INDEXES);
        for at in 0..ROUNDS {
            service.call("PutItem", &put("plain", at, 0));
        }
        service
    }

    fn create(&mut self, table: &str, attributes: &str, extra: &str) {
        let body = format!(
            r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}},{{"AttributeName":"sk","KeyType":"RANGE"}}],"AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},{{"AttributeName":"sk","AttributeType":"N"}}{attributes}]{extra}}}"#
        );
        self.call("CreateTable", &body);
        self.0.settle();
    }

    fn call(&mut self, operation: &str, body: &str) {
        let call =
            Call { region: "us-east-1".to_owned(), operation: operation.to_owned(), body: body.as_bytes().to_vec(), headers: Vec::new() };
        let reply = self.0.call(&call);
        assert_eq!(reply.status, 200, "{operation}: {}", String::from_utf8_lossy(&reply.body));
    }

    /// Counts calls whose bodies were made before.
    fn count(&mut self, operation: &str, body: impl Fn(u64) -> String) -> Count {
        let calls: Vec<Call> = (0..2 * ROUNDS)
            .map(|at| Call {
                region: "us-east-1".to_owned(),
                operation: operation.to_owned(),
                body: body(at).into_bytes(),
                headers: Vec::new(),
            })
            .collect();
        let target = &mut self.0;
        count(|at| assert_eq!(target.call(&calls[usize::try_from(at).unwrap()]).status, 200))
    }
}

fn key(at: u64) -> String {
    format!(r#""pk":{{"S":"customer#{:08}"}},"sk":{{"N":"{}"}}"#, at / 50, at % 50)
}

/// About a kilobyte.
fn item(at: u64, state: u64) -> String {
    format!(
        r#"{{{},"city":{{"S":"Ghent{state}"}},"at":{{"N":"17000000{state:05}"}},"n":{{"N":"0"}},"gift":{{"BOOL":true}},"tags":{{"SS":["a","b","c"]}},"lines":{{"L":[{{"M":{{"sku":{{"S":"abc"}},"count":{{"N":"{state}"}}}}}}]}},"note":{{"S":"{}"}}}}"#,
        key(at % ROUNDS),
        "some prose of an item; ".repeat(35)
    )
}

fn put(table: &str, at: u64, state: u64) -> String {
    format!(r#"{{"TableName":"{table}","Item":{}}}"#, item(at, state))
}

fn operations(counts: &mut BTreeMap<&'static str, Count>) {
    let mut service = Service::new();
    let get = |at: u64| format!(r#"{{"TableName":"plain","Key":{{{}}}}}"#, key(at % ROUNDS));
    counts.insert("GetItem", service.count("GetItem", get));
    counts.insert("PutItem", service.count("PutItem", |at| put("plain", at, at)));
    counts.insert("PutItem-indexed-streamed", service.count("PutItem", |at| put("indexed", at, at)));
    let update = |at: u64| {
        format!(
            r#"{{"TableName":"plain","Key":{{{}}},"UpdateExpression":"SET n = n + :one","ConditionExpression":"attribute_exists(pk) AND n >= :zero","ExpressionAttributeValues":{{":one":{{"N":"1"}},":zero":{{"N":"0"}}}}}}"#,
            key(at % ROUNDS)
        )
    };
    counts.insert("UpdateItem-conditional", service.count("UpdateItem", update));
    let query = |at: u64| {
        format!(
            r#"{{"TableName":"plain","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{{":p":{{"S":"customer#{:08}"}}}}}}"#,
            at % 2
        )
    };
    counts.insert("Query-50", service.count("Query", query));
    let scan = |_| r#"{"TableName":"plain","FilterExpression":"n > :n","ExpressionAttributeValues":{":n":{"N":"1000000"}}}"#.to_owned();
    counts.insert("Scan-100-rejected", service.count("Scan", scan));
    let batch = |at: u64| {
        let puts: Vec<String> = (0..25).map(|member| format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, item(at + member, at))).collect();
        format!(r#"{{"RequestItems":{{"plain":[{}]}}}}"#, puts.join(","))
    };
    counts.insert("BatchWriteItem-25", service.count("BatchWriteItem", batch));
    let transaction = |at: u64| {
        let puts: Vec<String> =
            (0..10).map(|member| format!(r#"{{"Put":{{"TableName":"plain","Item":{}}}}}"#, item(at + member, at))).collect();
        format!(r#"{{"TransactItems":[{}]}}"#, puts.join(","))
    };
    counts.insert("TransactWriteItems-10", service.count("TransactWriteItems", transaction));
}

fn expressions(counts: &mut BTreeMap<&'static str, Count>) {
    const FILTER: &str = "attribute_exists(a05) AND (size(a03) > :n OR begins_with(a09, :s)) AND m.k[1] <> :s";
    let names: Vec<String> = (0..16).map(|at| format!("a{at:02}")).collect();
    let list = Value::L(vec![Value::Null, Value::S("x".into())]);
    let mut attributes: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), Value::S("some text".into()))).collect();
    attributes.push(("m", Value::M([("k".to_owned(), list)].into())));
    let item: Item = attributes.into_iter().collect();
    let values: Item = [(":n", Value::N(Number::from(100))), (":s", Value::S("some".into()))].into_iter().collect();
    let binder = || Binder::new(None, Some(values.clone())).unwrap();
    counts.insert("expression-parse-filter", count(|_| drop(black_box(condition(FILTER, &mut binder()).unwrap()))));
    let filter = condition(FILTER, &mut binder()).unwrap();
    counts.insert("expression-filter", count(|_| assert!(black_box(filter.matches(item.map())))));
    let projection = projection("a01, a07, m.k[1]", &mut binder()).unwrap();
    counts.insert("expression-project", count(|_| drop(black_box(projection.project_item(item.map())))));
    let update = update("SET a05 = :n, m.k[0] = :s REMOVE a07", &mut binder()).unwrap();
    counts.insert("expression-update", count(|_| drop(black_box(update.apply(Some(item.map()), item.map()).unwrap()))));
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/allocations.baseline")
}

fn printed(counts: &BTreeMap<&'static str, Count>) -> String {
    counts.iter().fold(String::new(), |mut text, (name, count)| {
        let _ = writeln!(text, "{name} {} {}", count.allocations, count.bytes);
        text
    })
}

fn parsed(text: &str) -> BTreeMap<&str, Count> {
    text.lines()
        .map(|line| {
            let mut words = line.split(' ');
            let name = words.next().unwrap();
            let mut number = || words.next().unwrap().parse().unwrap();
            (name, Count { allocations: number(), bytes: number() })
        })
        .collect()
}

/// Why a count is too high; nothing if it is not.
fn fault(name: &str, now: Count, before: Count) -> Option<String> {
    let is_more = |now: u64, before: u64| now > before + before / TOLERANCE + SLACK;
    let is_fault = is_more(now.allocations, before.allocations) || is_more(now.bytes, before.bytes);
    is_fault.then(|| {
        format!(
            "{name}: {} allocations of {} bytes in {ROUNDS} rounds; {} of {} were committed",
            now.allocations, now.bytes, before.allocations, before.bytes
        )
    })
}

#[test]
fn nothing_allocates_more_than_a_twentieth_above_what_was_committed() {
    let mut counts = BTreeMap::new();
    operations(&mut counts);
    expressions(&mut counts);
    if std::env::var("STATOR_BASELINES").is_ok_and(|wish| wish == "write") {
        std::fs::write(file(), printed(&counts)).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(file()).unwrap();
    let committed = parsed(&committed);
    let names: Vec<&str> = committed.keys().copied().collect();
    assert_eq!(names, counts.keys().copied().collect::<Vec<_>>(), "run cargo xtask bench --baselines");
    let faults: Vec<String> = counts.iter().filter_map(|(name, now)| fault(name, *now, committed[name])).collect();
    assert!(faults.is_empty(), "{}\nIf that is the price of something, run cargo xtask bench --baselines", faults.join("\n"));
}

#[test]
fn a_twentieth_more_is_a_fault_and_a_little_is_not() {
    let before = Count { allocations: 1000, bytes: 50_000 };
    assert!(fault("x", Count { allocations: 1050, bytes: 50_000 }, before).is_none());
    assert!(fault("x", Count { allocations: 1060, bytes: 50_000 }, before).is_some());
    assert!(fault("x", Count { allocations: 900, bytes: 60_000 }, before).is_some());
}
