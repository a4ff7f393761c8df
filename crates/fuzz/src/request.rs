//! Bodies of requests, keys to start a page from, and short histories, through decoding, validation and a small engine with two
//! tables.
//!
//! What must stay true: no request breaks on our side (status 500); an answer is JSON; whatever was done, the store verifies.

use std::sync::Arc;

use stator_engine::{Engine, EngineOptions};
use stator_kv::{MemoryStore, Store};
use stator_testkit::json::Json;
use stator_testkit::target::{Call, InProcess, Reply, SetClock, Target as _, TestClock, block_on};

use crate::{Target, text};

pub(crate) const TARGET: Target = Target {
    name: "request",
    words: &[
        r#""TableName":"Tab","#,
        r#""Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"#,
        r#""Item":{"#,
        r#"{"S":"x"}"#,
        r#"{"N":"1"}"#,
        r#"{"B":"AA=="}"#,
        r#"{"L":["#,
        r#"{"M":{"#,
        r#"{"SS":["a"]}"#,
        r#"{"NULL":true}"#,
        r#"{"BOOL":false}"#,
        r#""ReturnValues":"ALL_OLD","#,
        r#""ConditionExpression":""#,
        r#""UpdateExpression":"SET "#,
        r#""KeyConditionExpression":"pk = :p","#,
        r#""ExpressionAttributeValues":{":p":{"S":"a"}},"#,
        r#""IndexName":"gsi","#,
        r#""Limit":1,"#,
        r#""ScanIndexForward":false,"#,
        r#""Select":"COUNT","#,
        r#""RequestItems":{"Tab":["#,
        r#""TransactItems":["#,
        r#""Statement":"SELECT * FROM Tab","#,
        r#""ReturnConsumedCapacity":"INDEXES","#,
        r#""ExclusiveStartKey":"#,
        r#""ShardIterator":""#,
        r#""Segment":0,"TotalSegments":2,"#,
        "null",
        "1e400",
        "-1",
        "\\u0000",
        "\\ud800",
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
    ],
    run,
};

pub(crate) const PAGE_TARGET: Target = Target {
    name: "page",
    words: &[
        r#"{"pk":{"S":"a"},"sk":{"N":"1"}"#,
        r#","kind":{"S":"x"}"#,
        r#","rank":{"N":"1"}"#,
        r#"{"S":""}"#,
        r#"{"N":"1e125"}"#,
        r#"{"B":""}"#,
        "{",
        "}",
        ",",
    ],
    run: run_page,
};

pub(crate) const HISTORY_TARGET: Target = Target {
    name: "history",
    words: &[
        "\n\nPutItem\n",
        "\n\nUpdateItem\n",
        "\n\nDeleteItem\n",
        "\n\nTransactWriteItems\n",
        "\n\nUpdateTable\n",
        "\n\nDeleteTable\n{\"TableName\":\"Tab\"}",
        "\n\nGetRecords\n",
        "\n\nQuery\n",
        "\n\nclock\n90",
        "\n\nclock\n1500",
        "\n\nrestart",
        "\"IndexName\":\"new\"",
        "\"IndexName\":\"gsi\"",
        "\"pk\":{\"S\":\"a\"}",
        "\"sk\":{\"N\":\"2\"}",
        "\"kind\":{\"S\":\"y\"}",
        "\"rank\":{\"N\":\"3\"}",
        "\"until\":{\"N\":\"1795500600\"}",
    ],
    run: run_history,
};

/// A table with a local and a global index and a stream, one with a key of one part; some items.
const BEGINNING: [(&str, &str); 5] = [
    (
        "CreateTable",
        r#"{"TableName":"Tab","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},
        {"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"kind","AttributeType":"S"},{"AttributeName":"rank","AttributeType":"N"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
        "LocalSecondaryIndexes":[{"IndexName":"lsi","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},
        {"AttributeName":"rank","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}],
        "GlobalSecondaryIndexes":[{"IndexName":"gsi","KeySchema":[{"AttributeName":"kind","KeyType":"HASH"},
        {"AttributeName":"rank","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#,
    ),
    (
        "CreateTable",
        r#"{"TableName":"Other","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"B"}],
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#,
    ),
    ("PutItem", r#"{"TableName":"Tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"kind":{"S":"x"},"rank":{"N":"5"},"list":{"L":[{"N":"1"}]}}}"#),
    ("PutItem", r#"{"TableName":"Tab","Item":{"pk":{"S":"a"},"sk":{"N":"2"},"kind":{"S":"x"},"set":{"SS":["u","v"]}}}"#),
    ("PutItem", r#"{"TableName":"Other","Item":{"id":{"B":"AAA="},"map":{"M":{"k":{"NULL":true}}}}}"#),
];

/// An engine over memory that has just begun.
struct World {
    store: Arc<dyn Store>,
    calls: InProcess,
}

/// When histories begin, in ms since the epoch: 2026-11-24, early.
const BEGIN_MS: u64 = 1_795_500_000_000;
const MINUTE_MS: u64 = 60_000;
/// A step of the clock at most, and steps of a history.
const MINUTES_MAX: u64 = 60 * 24 * 40;
const STEPS_MAX: usize = 8;
/// So much is told of each step.
const WAY_LENGTH: usize = 40;

impl World {
    fn new() -> World {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let opening = Engine::open(Arc::clone(&store), Arc::new(TestClock::default()), EngineOptions::default());
        World::over(store, InProcess::over(block_on(opening).expect("an empty store opens")))
    }

    /// One whose clock stands still until it is moved.
    fn with(clock: &Arc<SetClock>) -> World {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        World::over(Arc::clone(&store), InProcess::open_with(store, Arc::clone(clock)))
    }

    fn over(store: Arc<dyn Store>, calls: InProcess) -> World {
        let mut world = World { store, calls };
        for (operation, body) in BEGINNING {
            let reply = world.call(operation, body.as_bytes());
            assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
        }
        world
    }

    fn call(&mut self, operation: &str, body: &[u8]) -> Reply {
        self.calls.call(&Call { region: "us-east-1".into(), operation: operation.into(), body: body.to_vec(), headers: Vec::new() })
    }

    /// Calls, and looks at what came of it; the way it took.
    fn judge(&mut self, operation: &str, body: &[u8]) -> String {
        let reply = self.call(operation, body);
        let text = String::from_utf8(reply.body).expect("an answer is text");
        assert_ne!(reply.status, 500, "{operation}: {text}");
        let answer = if text.is_empty() { Json::Null } else { Json::parse(text.as_bytes()).expect("an answer is JSON") };
        if reply.status == 200 {
            self.calls.settle();
            self.verify(operation);
            return format!("{operation} 200");
        }
        let member = |name: &str| answer.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let said: String = member("message").chars().filter(char::is_ascii_alphabetic).take(40).collect();
        format!("{operation} {} {said}", member("__type"))
    }

    fn verify(&self, after: &str) {
        let report = block_on(stator_engine::check::check(self.store.as_ref())).expect("the store can be verified");
        assert_eq!(report.faults, Vec::<String>::new(), "after {after}");
    }
}

/// The first line names an operation; the rest is its body. What would be refused unseen needs no engine.
fn run(input: &[u8]) -> String {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return String::new() };
    let (chosen, body) = (&input[..end], &input[end + 1..]);
    let known = stator_api::registry().iter().find(|operation| operation.info().name.as_bytes() == chosen);
    let Some(operation) = known else { return String::new() };
    let name = operation.info().name;
    let refused = operation.decode(body).and_then(|mut prepared| prepared.validate());
    match refused {
        Ok(()) => World::new().judge(name, body),
        Err(fault) => {
            assert_ne!(fault.status, 500, "{name}: {:?}", fault.message);
            let said: String = fault.message.unwrap_or_default().chars().filter(char::is_ascii_alphabetic).take(40).collect();
            format!("{name} {} {said}", fault.exception)
        }
    }
}

/// A key to start from, in a table and in each kind of index, in both directions.
fn run_page(input: &[u8]) -> String {
    let Some((kind, key)) = input.split_first() else { return String::new() };
    let key = text(key);
    let of = |rest: &str| format!(r#"{{"TableName":"Tab","ExclusiveStartKey":{key}{rest}}}"#);
    let forward = if kind & 8 == 0 { "true" } else { "false" };
    let query = |index: &str, partition: &str, value: &str| {
        of(&format!(
            r##"{index},"ScanIndexForward":{forward},"KeyConditionExpression":"#p = :p","ExpressionAttributeNames":{{"#p":"{partition}"}},"ExpressionAttributeValues":{{":p":{{"S":"{value}"}}}}"##
        ))
    };
    let (operation, body) = match kind % 6 {
        0 => ("Scan", of("")),
        1 => ("Scan", of(r#","IndexName":"gsi""#)),
        2 => ("Scan", of(r#","IndexName":"lsi","Segment":0,"TotalSegments":2"#)),
        3 => ("Query", query("", "pk", "a")),
        4 => ("Query", query(r#","IndexName":"gsi""#, "kind", "x")),
        _ => ("Query", query(r#","IndexName":"lsi""#, "pk", "a")),
    };
    World::new().judge(operation, body.as_bytes())
}

/// Requests with an empty line between them; also `clock` with minutes, and `restart`.
fn run_history(input: &[u8]) -> String {
    let (text, clock, mut way) = (text(input), Arc::new(SetClock::at(BEGIN_MS)), String::new());
    let mut world = World::with(&clock);
    for step in text.split("\n\n").take(STEPS_MAX) {
        let (chosen, body) = step.split_once('\n').unwrap_or((step, ""));
        let took = match chosen {
            "clock" => {
                clock.advance(body.trim().parse::<u64>().unwrap_or(1).min(MINUTES_MAX) * MINUTE_MS);
                world.calls.settle();
                world.verify(chosen);
                "clock".to_owned()
            }
            "restart" => {
                world.calls = InProcess::open_with(Arc::clone(&world.store), Arc::clone(&clock));
                world.calls.settle();
                world.verify(chosen);
                "restart".to_owned()
            }
            _ if stator_api::registry().iter().any(|operation| operation.info().name == chosen) => world.judge(chosen, body.as_bytes()),
            _ => continue,
        };
        way.push_str(took.get(..WAY_LENGTH).unwrap_or(&took));
        way.push(';');
    }
    way
}
