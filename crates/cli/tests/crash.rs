//! Kills the real process under load, starts it again, and compares with what was acknowledged.
//!
//! Each of several clients owns some keys of a table with a local, a global and a vector index, and knows what the last
//! acknowledged write of each key was and which write was under way when the process died. After the restart every key
//! shows the one or the other, whole, a search finds it, and `stator check` finds entries, counters and stream records in
//! step. What must stay true: the kill is SIGKILL, at a moment that the process does not choose.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const ROUNDS: u64 = 20;
const CLIENTS: u64 = 8;
const KEYS_PER_CLIENT: u64 = 20;

/// A key's value as a client knows it; `None` for no item.
type State = Option<u64>;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stator"))
            .args(["dev", "--listen", "127.0.0.1:0", "--memory", "64MiB", "--stream-shard-hours", "0.0003", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on ") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
        }
        let address = line.trim().rsplit('/').next().unwrap().to_owned();
        Server { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// One connection that speaks just enough HTTP.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: &str) -> Client {
        Client { stream: BufReader::new(TcpStream::connect(address).unwrap()) }
    }

    /// Status and body; an error once the process is gone.
    fn call(&mut self, operation: &str, body: &str) -> std::io::Result<(u16, String)> {
        let is_of_streams = ["DescribeStream", "GetShardIterator", "GetRecords"].contains(&operation);
        let prefix = if is_of_streams { "DynamoDBStreams" } else { "DynamoDB" };
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: {prefix}_20120810.{operation}\r\n\
             X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=dev/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={}\r\nContent-Length: {}\r\n\r\n{body}",
            "0".repeat(64),
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut status_line = String::new();
        if self.stream.read_line(&mut status_line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            if self.stream.read_line(&mut header)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(|_| std::io::ErrorKind::InvalidData)?;
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

/// Repeatable choices (xorshift).
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What a client knows of its keys, and the write that was under way.
#[derive(Default)]
struct Knowledge {
    acknowledged: HashMap<u64, State>,
    under_way: Option<(u64, State)>,
}

fn create_table(client: &mut Client) {
    let key = |sort: &str| format!(r#"[{{"AttributeName":"owner","KeyType":"HASH"}},{{"AttributeName":"{sort}","KeyType":"RANGE"}}]"#);
    let body = format!(
        r#"{{"TableName":"Crash","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[
        {{"AttributeName":"owner","AttributeType":"S"}},{{"AttributeName":"number","AttributeType":"N"}},
        {{"AttributeName":"value","AttributeType":"N"}},{{"AttributeName":"kind","AttributeType":"S"}}],
        "KeySchema":{},"LocalSecondaryIndexes":[{{"IndexName":"by-value","KeySchema":{},"Projection":{{"ProjectionType":"ALL"}}}}],
        "GlobalSecondaryIndexes":[{{"IndexName":"by-kind","KeySchema":[{{"AttributeName":"kind","KeyType":"HASH"}},
        {{"AttributeName":"value","KeyType":"RANGE"}}],"Projection":{{"ProjectionType":"KEYS_ONLY"}}}}],
        "VectorIndexes":[{{"IndexName":"by-spot","VectorAttribute":{{"AttributeName":"spot"}},"Dimensions":3,
        "DistanceFunction":"EUCLIDEAN","SearchSchema":[{{"AttributeName":"kind","SearchSchemaElementType":"HASH"}}],
        "Projection":{{"ProjectionType":"ALL"}}}}],
        "StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}}}"#,
        key("number"),
        key("value")
    );
    let (status, answer) = client.call("CreateTable", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
}

fn key_json(owner: u64, number: u64) -> String {
    format!(r#""owner":{{"S":"client {owner}"}},"number":{{"N":"{number}"}}"#)
}

/// Three numbers that an f32 holds exactly, and no other write has.
fn spot(owner: u64, value: u64) -> String {
    format!(r#"{{"N":"{}"}},{{"N":"{}"}},{{"N":"{owner}"}}"#, value / 1000, value % 1000)
}

/// One write chosen at random: the request, and what the key shows once it took effect.
fn request(owner: u64, number: u64, value: u64, choices: &mut Choices) -> (&'static str, String, State) {
    let key = key_json(owner, number);
    let kind = value % 5;
    let spot = format!(r#"{{"L":[{}]}}"#, spot(owner, value));
    match choices.below(5) {
        0 => ("DeleteItem", format!(r#"{{"TableName":"Crash","Key":{{{key}}}}}"#), None),
        1 | 2 => (
            "UpdateItem",
            format!(
                r##"{{"TableName":"Crash","Key":{{{key}}},"UpdateExpression":"SET #v = :v, kind = :k, spot = :s","ExpressionAttributeNames":{{"#v":"value"}},
                "ExpressionAttributeValues":{{":v":{{"N":"{value}"}},":k":{{"S":"kind {kind}"}},":s":{spot}}}}}"##
            ),
            Some(value),
        ),
        _ => (
            "PutItem",
            format!(r#"{{"TableName":"Crash","Item":{{{key},"value":{{"N":"{value}"}},"kind":{{"S":"kind {kind}"}},"spot":{spot}}}}}"#),
            Some(value),
        ),
    }
}

/// Writes until the process is gone.
fn write_until_killed(address: &str, owner: u64, round: u64, mut knowledge: Knowledge, progress: &mpsc::Sender<()>) -> Knowledge {
    let mut client = Client::connect(address);
    let mut choices = Choices((round + 1) * 1_000_003 + owner * 7919 + 1);
    for step in 0.. {
        let number = choices.below(KEYS_PER_CLIENT);
        let (operation, body, state) = request(owner, number, round * 1_000_000 + step, &mut choices);
        knowledge.under_way = Some((number, state));
        let Ok((status, answer)) = client.call(operation, &body) else { break };
        assert_eq!(status, 200, "{answer}");
        knowledge.acknowledged.insert(number, state);
        knowledge.under_way = None;
        // The receiver is gone once it has heard enough.
        let _ = progress.send(());
    }
    knowledge
}

fn stored(client: &mut Client, owner: u64, number: u64) -> State {
    let body = format!(r#"{{"TableName":"Crash","ConsistentRead":true,"Key":{{{}}}}}"#, key_json(owner, number));
    let (status, answer) = client.call("GetItem", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
    let (_, value) = answer.split_once(r#""value":{"N":""#)?;
    let value: u64 = value.split('"').next().unwrap().parse().unwrap();
    assert!(answer.contains(&format!(r#""kind":{{"S":"kind {}"}}"#, value % 5)), "a write came apart: {answer}");
    Some(value)
}

/// Compares every key with what its client knows; what is found is what the client knows from now on.
fn compare(address: &str, owner: u64, knowledge: &mut Knowledge) {
    let mut client = Client::connect(address);
    for number in 0..KEYS_PER_CLIENT {
        let found = stored(&mut client, owner, number);
        let acknowledged = knowledge.acknowledged.get(&number).copied().flatten();
        let under_way = knowledge.under_way.filter(|(key, _)| *key == number).map(|(_, state)| state);
        assert!(
            found == acknowledged || under_way == Some(found),
            "client {owner}, key {number}: found {found:?}, acknowledged {acknowledged:?}, under way {under_way:?}"
        );
        knowledge.acknowledged.insert(number, found);
    }
    knowledge.under_way = None;
    // Of the spot that only the last write of a key has, that key is the nearest.
    if let Some((number, value)) = knowledge.acknowledged.iter().find_map(|(number, state)| state.map(|value| (number, value))) {
        let body = format!(
            r#"{{"TableName":"Crash","IndexName":"by-spot","TopK":1,"SearchVector":[{}],
            "SearchConditionExpression":"kind = :k","ExpressionAttributeValues":{{":k":{{"S":"kind {}"}}}}}}"#,
            spot(owner, value),
            value % 5
        );
        let (status, answer) = client.call("SearchVectors", &body).unwrap();
        assert_eq!(status, 200, "{answer}");
        let expected = [r#""Score":0.0"#.to_owned(), format!(r#""S":"client {owner}"#), format!(r#""number":{{"N":"{number}"}}"#)];
        assert!(expected.iter().all(|part| answer.contains(part)), "client {owner}, key {number}: {answer}");
    }
}

fn check(data: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_stator")).args(["check", "--data"]).arg(data).output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_acknowledged_write_survives_twenty_kills() {
    let folder = tempfile::tempdir().unwrap();
    let mut known: Vec<Knowledge> = (0..CLIENTS).map(|_| Knowledge::default()).collect();
    let mut choices = Choices(20_261_124);
    for round in 0..ROUNDS {
        let server = Server::start(folder.path());
        if round == 0 {
            create_table(&mut Client::connect(&server.address));
        }
        for (owner, knowledge) in known.iter_mut().enumerate() {
            compare(&server.address, owner as u64, knowledge);
        }
        let (progress, heard) = mpsc::channel();
        let address = server.address.clone();
        known = std::thread::scope(|scope| {
            let clients: Vec<_> = known
                .drain(..)
                .enumerate()
                .map(|(owner, knowledge)| {
                    let (address, progress) = (&address, progress.clone());
                    scope.spawn(move || write_until_killed(address, owner as u64, round, knowledge, &progress))
                })
                .collect();
            for _ in 0..50 + choices.below(400) {
                heard.recv().unwrap();
            }
            server.kill();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        check(folder.path());
    }
    let server = Server::start(folder.path());
    for (owner, knowledge) in known.iter_mut().enumerate() {
        compare(&server.address, owner as u64, knowledge);
    }
    server.kill();
}

/// A transaction that counts one up in two items, under a token of its own.
fn count_up(owner: u64, step: u64) -> String {
    let action = |number: u64| {
        format!(
            r#"{{"Update":{{"TableName":"Crash","Key":{{{}}},"UpdateExpression":"ADD ups :one","ExpressionAttributeValues":{{":one":{{"N":"1"}}}}}}}}"#,
            key_json(owner, number)
        )
    };
    format!(r#"{{"ClientRequestToken":"{owner}-{step}","TransactItems":[{},{}]}}"#, action(1), action(2))
}

fn total(client: &mut Client, owner: u64, number: u64) -> u64 {
    let body = format!(r#"{{"TableName":"Crash","ConsistentRead":true,"Key":{{{}}}}}"#, key_json(owner, number));
    let (_, answer) = client.call("GetItem", &body).unwrap();
    answer.split_once(r#""ups":{"N":""#).map_or(0, |(_, rest)| rest.split('"').next().unwrap().parse().unwrap())
}

#[test]
fn a_transaction_sent_again_after_a_kill_has_happened_once() {
    const TOKEN_ROUNDS: u64 = 8;
    let folder = tempfile::tempdir().unwrap();
    let mut choices = Choices(7);
    // The step that each client sends next; it has been sent already when the process died under it.
    let mut steps = [0_u64; 4];
    for round in 0..=TOKEN_ROUNDS {
        let server = Server::start(folder.path());
        if round == 0 {
            create_table(&mut Client::connect(&server.address));
        }
        for (owner, step) in steps.iter_mut().enumerate() {
            let mut client = Client::connect(&server.address);
            let (status, answer) = client.call("TransactWriteItems", &count_up(owner as u64, *step)).unwrap();
            assert_eq!(status, 200, "{answer}");
            *step += 1;
            assert_eq!([1, 2].map(|number| total(&mut client, owner as u64, number)), [*step; 2], "client {owner}");
        }
        if round == TOKEN_ROUNDS {
            server.kill();
            break;
        }
        let (progress, heard) = mpsc::channel();
        let address = server.address.clone();
        std::thread::scope(|scope| {
            for (owner, step) in steps.iter_mut().enumerate() {
                let (address, progress) = (&address, progress.clone());
                scope.spawn(move || {
                    let mut client = Client::connect(address);
                    while let Ok((status, answer)) = client.call("TransactWriteItems", &count_up(owner as u64, *step)) {
                        assert_eq!(status, 200, "{answer}");
                        *step += 1;
                        let _ = progress.send(());
                    }
                });
            }
            for _ in 0..20 + choices.below(200) {
                heard.recv().unwrap();
            }
            server.kill();
        });
        check(folder.path());
    }
}

/// The text of a member, the first time it appears.
fn member<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = answer.split_once(&format!(r#""{name}":""#))?;
    rest.split('"').next()
}

/// A consumer as the service's own are: it walks shards from parents to children and notes how far it came in each.
#[derive(Default)]
struct Poller {
    arn: String,
    /// The last sequence number met in a shard.
    noted: HashMap<String, String>,
    ended: HashSet<String>,
    /// The last step met of an item.
    steps: HashMap<u64, u64>,
}

impl Poller {
    /// Reads what there is; an error once the process is gone.
    fn poll(&mut self, client: &mut Client) -> std::io::Result<()> {
        let mut after = String::new();
        loop {
            let (_, answer) = client.call("DescribeStream", &format!(r#"{{"StreamArn":"{}"{after}}}"#, self.arn))?;
            let shards: Vec<(String, Option<String>)> = answer
                .split(r#"{"ShardId":"#)
                .skip(1)
                .map(|shard| (shard.split('"').nth(1).unwrap().to_owned(), member(shard, "ParentShardId").map(str::to_owned)))
                .collect();
            for (shard, parent) in shards {
                let is_due = parent.is_none_or(|parent| self.ended.contains(&parent));
                if is_due && !self.ended.contains(&shard) {
                    self.read(client, &shard)?;
                }
            }
            let Some(last) = member(&answer, "LastEvaluatedShardId") else { return Ok(()) };
            after = format!(r#","ExclusiveStartShardId":"{last}""#);
        }
    }

    fn read(&mut self, client: &mut Client, shard: &str) -> std::io::Result<()> {
        let start = match self.noted.get(shard) {
            Some(number) => format!(r#""ShardIteratorType":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"{number}""#),
            None => r#""ShardIteratorType":"TRIM_HORIZON""#.to_owned(),
        };
        let (_, answer) = client.call("GetShardIterator", &format!(r#"{{"StreamArn":"{}","ShardId":"{shard}",{start}}}"#, self.arn))?;
        let mut iterator = member(&answer, "ShardIterator").unwrap_or_else(|| panic!("{answer}")).to_owned();
        loop {
            let (status, answer) = client.call("GetRecords", &format!(r#"{{"ShardIterator":"{iterator}","Limit":100}}"#))?;
            assert_eq!(status, 200, "{answer}");
            let records: Vec<&str> = answer.split(r#"{"eventID":"#).skip(1).collect();
            for record in &records {
                self.meet(shard, record);
            }
            match member(&answer, "NextShardIterator") {
                None => {
                    self.ended.insert(shard.to_owned());
                    return Ok(());
                }
                Some(_) if records.is_empty() => return Ok(()),
                Some(next) => next.clone_into(&mut iterator),
            }
        }
    }

    fn meet(&mut self, shard: &str, record: &str) {
        let number = member(record, "SequenceNumber").unwrap().to_owned();
        assert!(self.noted.get(shard).is_none_or(|noted| *noted < number), "sequence numbers ascend");
        let owner: u64 = record.split_once("client ").unwrap().1.split('"').next().unwrap().parse().unwrap();
        let image = record.split_once(r#""NewImage""#).unwrap().1;
        let step: u64 = image.split_once(r#""ups":{"N":""#).unwrap().1.split('"').next().unwrap().parse().unwrap();
        let before = self.steps.insert(owner, step).unwrap_or(0);
        assert_eq!(step, before + 1, "client {owner}: a write was skipped or met twice");
        self.noted.insert(shard.to_owned(), number);
    }
}

#[test]
fn a_poller_that_goes_on_after_kills_meets_every_write_once_and_in_order() {
    const POLLED_ROUNDS: u64 = 6;
    let folder = tempfile::tempdir().unwrap();
    let mut choices = Choices(11);
    let mut poller = Poller::default();
    for round in 0..=POLLED_ROUNDS {
        let server = Server::start(folder.path());
        let mut client = Client::connect(&server.address);
        if round == 0 {
            create_table(&mut client);
            let (_, answer) = client.call("DescribeTable", r#"{"TableName":"Crash"}"#).unwrap();
            poller.arn = member(&answer, "LatestStreamArn").unwrap().to_owned();
        }
        if round == POLLED_ROUNDS {
            // Children of children become due one poll after another.
            while {
                let ended = poller.ended.len();
                poller.poll(&mut client).unwrap();
                poller.ended.len() > ended
            } {}
            for owner in 0..CLIENTS {
                assert_eq!(poller.steps.get(&owner).copied().unwrap_or(0), total(&mut client, owner, 1), "client {owner}");
            }
            assert!(poller.ended.len() >= 4, "shards have closed");
            server.kill();
            break;
        }
        let (progress, heard) = mpsc::channel();
        let address = server.address.clone();
        std::thread::scope(|scope| {
            for owner in 0..CLIENTS {
                let (address, progress) = (&address, progress.clone());
                scope.spawn(move || {
                    let mut client = Client::connect(address);
                    let body = format!(
                        r#"{{"TableName":"Crash","Key":{{{}}},"UpdateExpression":"ADD ups :one","ExpressionAttributeValues":{{":one":{{"N":"1"}}}}}}"#,
                        key_json(owner, 1)
                    );
                    while let Ok((status, answer)) = client.call("UpdateItem", &body) {
                        assert_eq!(status, 200, "{answer}");
                        let _ = progress.send(());
                    }
                });
            }
            let poller = &mut poller;
            scope.spawn(move || while poller.poll(&mut client).is_ok() {});
            for _ in 0..2000 + choices.below(2000) {
                heard.recv().unwrap();
            }
            server.kill();
        });
        check(folder.path());
    }
}

/// How many items a scan meets.
fn count(client: &mut Client) -> u64 {
    let (status, answer) = client.call("Scan", r#"{"TableName":"Crash","Select":"COUNT","ConsistentRead":true}"#).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer.split_once(r#""Count":"#).unwrap().1.split([',', '}']).next().unwrap().parse().unwrap()
}

#[test]
fn items_that_are_due_go_in_spite_of_kills_and_no_others() {
    const EXPIRY_ROUNDS: u64 = 6;
    const ITEMS: u64 = 800;
    let folder = tempfile::tempdir().unwrap();
    let mut choices = Choices(13);
    #[expect(clippy::disallowed_methods, reason = "the process under test has the real clock too")]
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for round in 0..=EXPIRY_ROUNDS {
        let server = Server::start(folder.path());
        let mut client = Client::connect(&server.address);
        if round == 0 {
            create_table(&mut client);
            for number in 0..ITEMS {
                let until_s = if number % 2 == 0 { now_s - 1 } else { now_s + 100_000 };
                let (key, attributes) =
                    (key_json(number, 0), format!(r#""value":{{"N":"{number}"}},"kind":{{"S":"k"}},"until":{{"N":"{until_s}"}}"#));
                client.call("PutItem", &format!(r#"{{"TableName":"Crash","Item":{{{key},{attributes}}}}}"#)).unwrap();
            }
            let enable = r#"{"TableName":"Crash","TimeToLiveSpecification":{"Enabled":true,"AttributeName":"until"}}"#;
            let (status, answer) = client.call("UpdateTimeToLive", enable).unwrap();
            assert_eq!(status, 200, "{answer}");
        }
        if round == EXPIRY_ROUNDS {
            #[expect(clippy::disallowed_methods, reason = "the process under test has the real clock too")]
            let start = Instant::now();
            while count(&mut client) > ITEMS / 2 {
                assert!(start.elapsed() < Duration::from_secs(60), "within a minute of their time");
            }
        } else {
            // Requests as a measure of time: the kill comes while deadlines are entered, or items removed.
            for _ in 0..choices.below(60) {
                client.call("GetItem", &format!(r#"{{"TableName":"Crash","Key":{{{}}}}}"#, key_json(1, 0))).unwrap();
            }
        }
        let left = count(&mut client);
        assert!(left >= ITEMS / 2, "{left} are left: one went that was not due");
        server.kill();
        check(folder.path());
    }
}
