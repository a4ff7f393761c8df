//! A server on a free port with a few operations of its own, and a client that sends exactly what it is given.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::Value;
use stator_api::{Answer, BoxFuture, Class, Context, ErasedOperation, Fault, OperationInfo, Prepared, Service, Status};
use stator_engine::index::LaggingStore;
use stator_engine::{Clock, Engine, EngineOptions, Rewind};
use stator_kv::{MemoryStore, Store};
use stator_server::listen::Tls;
use stator_server::pipeline::Budget;
use stator_server::pipeline::Find;
use stator_server::{Bound, BulkThreads, Gate, Hooks, Limits, SettableClock, Shell, jobs};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

/// 2026-11-24T04:05:06Z, the moment of all test requests.
pub(crate) const NOW_SECONDS: u64 = 1_795_493_106;
/// Any well-formed signature.
pub(crate) const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=key/20261124/eu-north-7/dynamodb/aws4_request, SignedHeaders=host, Signature=0";

pub(crate) struct FixedClock;

impl Clock for FixedClock {
    fn now_ms(&self) -> u64 {
        NOW_SECONDS * 1000
    }

    fn random(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

/// What the operations of the test do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// Answers its own body.
    Echo,
    /// Answers where it was asked.
    Where,
    Panic,
    /// Answers when `RELEASE` lets it.
    Wait,
    /// Never answers.
    Hang,
    /// Answers whether it was decoded, and performed, on the threads of long work.
    Threads,
}

struct TestOperation(OperationInfo, Deed);

/// Requests that wait take a permit from here.
pub(crate) static RELEASE: Semaphore = Semaphore::const_new(0);
/// Requests that wait put a permit here when they begin.
pub(crate) static BEGUN: Semaphore = Semaphore::const_new(0);

/// Requests that hang put a permit here when they begin; the length of the body says where, so that tests do not meet.
pub(crate) static HANGING: [Semaphore; 8] = [const { Semaphore::const_new(0) }; 8];

const fn operation(name: &'static str, deed: Deed) -> TestOperation {
    TestOperation(OperationInfo { name, service: Service::DynamoDb, class: Class::Read, status: Status::Complete, is_bulk: false }, deed)
}

static ECHO: TestOperation = operation("Echo", Deed::Echo);
static WHERE: TestOperation = operation("Where", Deed::Where);
static PANIC: TestOperation = operation("Panic", Deed::Panic);
static WAIT: TestOperation = operation("Wait", Deed::Wait);
static HANG: TestOperation = operation("Hang", Deed::Hang);
static THREADS: TestOperation = operation("Threads", Deed::Threads);

/// Those of all servers of the tests. Never dropped, because that is not allowed where a test ends.
static BULK_THREADS: LazyLock<BulkThreads> = LazyLock::new(|| BulkThreads::start().unwrap());

fn is_bulk() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("stator-bulk"))
}

fn find(target: &str) -> Result<&'static dyn ErasedOperation, Fault> {
    match target {
        "DynamoDB_20120810.Echo" => Ok(&ECHO),
        "DynamoDB_20120810.Where" => Ok(&WHERE),
        "DynamoDB_20120810.Panic" => Ok(&PANIC),
        "DynamoDB_20120810.Wait" => Ok(&WAIT),
        "DynamoDB_20120810.Hang" => Ok(&HANG),
        "DynamoDB_20120810.Threads" => Ok(&THREADS),
        _ => Err(Fault::unknown_operation()),
    }
}

impl ErasedOperation for TestOperation {
    fn info(&self) -> &OperationInfo {
        &self.0
    }

    fn decode<'a>(&self, body: &'a [u8]) -> Result<Box<dyn Prepared + 'a>, Fault> {
        if !body.starts_with(b"{") {
            return Err(Fault { message: None, ..Fault::client("SerializationException", "") });
        }
        Ok(Box::new(TestInput(body, self.1, is_bulk())))
    }
}

struct TestInput<'a>(&'a [u8], Deed, bool);

impl Prepared for TestInput<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        if self.0 == b"{\"bad\":1}" { Err(Fault::validation("bad")) } else { Ok(()) }
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let body = match self.1 {
                Deed::Echo => self.0.to_vec(),
                Deed::Where => format!("{{\"at\":\"{} {} {}\"}}", context.scope.account, context.scope.region, context.host).into_bytes(),
                Deed::Threads => format!("[{},{}]", self.2, is_bulk()).into_bytes(),
                Deed::Panic => panic!("this operation breaks"),
                Deed::Hang => {
                    HANGING[self.0.len()].add_permits(1);
                    std::future::pending().await
                }
                Deed::Wait => {
                    BEGUN.add_permits(1);
                    RELEASE.acquire().await.unwrap().forget();
                    b"{}".to_vec()
                }
            };
            Ok(Answer { body })
        })
    }
}

/// What a test changes about its server.
pub(crate) struct Setup {
    pub(crate) gate: Gate,
    pub(crate) limits: Limits,
    pub(crate) body_timeout: Duration,
    pub(crate) request_memory: usize,
    pub(crate) request_wait: Duration,
    pub(crate) tls: Option<Tls>,
}

impl Default for Setup {
    fn default() -> Setup {
        let limits = Limits {
            connections_max: 100,
            header_bytes_max: 4096,
            idle_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
        };
        let (body_timeout, request_wait) = (Duration::from_secs(60), Duration::from_secs(10));
        Setup { gate: Gate::AnySignature, limits, body_timeout, request_memory: 1 << 30, request_wait, tls: None }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) task: JoinHandle<bool>,
}

impl Server {
    /// A server with the operations of the test.
    pub(crate) async fn start(setup: Setup) -> Server {
        let engine = Engine::open(Arc::new(MemoryStore::new()), Arc::new(FixedClock), EngineOptions::default()).await.ok().unwrap();
        Server::run(setup, engine, find, None)
    }

    /// A server with the real operations and with hooks, as `stator dev` has them.
    pub(crate) async fn start_with_hooks() -> Server {
        let rows = Arc::new(MemoryStore::new());
        Server::start_over(Arc::clone(&rows) as Arc<dyn Store>, Some(rows)).await
    }

    /// The same over a store that can not go back.
    pub(crate) async fn start_without_rewind() -> Server {
        Server::start_over(Arc::new(MemoryStore::new()), None).await
    }

    async fn start_over(rows: Arc<dyn Store>, rewind: Option<Arc<dyn Rewind>>) -> Server {
        let clock = Arc::new(SettableClock::default());
        let indexes = Arc::new(LaggingStore::new(rows, Arc::clone(&clock) as Arc<dyn Clock>));
        let opened = Engine::open(Arc::clone(&indexes) as Arc<dyn Store>, Arc::clone(&clock) as Arc<dyn Clock>, EngineOptions::default());
        let engine = opened.await.ok().unwrap();
        tokio::spawn(jobs::drive(Arc::clone(&engine), Arc::default()));
        let hooks = Hooks::new(Arc::clone(&engine), clock, indexes, rewind);
        Server::run(Setup::default(), engine, stator_api::target::find, Some(Arc::new(hooks)))
    }

    fn run(setup: Setup, engine: Arc<Engine>, find: Find, hooks: Option<Arc<Hooks>>) -> Server {
        let shell = Shell {
            engine,
            gate: setup.gate,
            find,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            header_bytes_max: setup.limits.header_bytes_max,
            body_bytes_max: 16 << 20,
            body_timeout: setup.body_timeout,
            slow_request: Duration::ZERO,
            budget: Budget::new(setup.request_memory, setup.request_wait),
            hooks,
            bulk: Some(BULK_THREADS.bulk()),
        };
        let bound = Bound::bind("127.0.0.1:0".parse().unwrap(), setup.tls).unwrap();
        let address = bound.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(bound.run(Arc::new(shell), setup.limits, async { drop(stopped.await) }));
        Server { address, stop, task }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { stream: TcpStream::connect(self.address).await.unwrap(), unread: Vec::new() }
    }

    /// One request on a connection of its own.
    pub(crate) async fn exchange(&self, request: &Request<'_>) -> Response {
        let mut client = self.connect().await;
        client.send(&request.bytes()).await;
        client.receive().await.unwrap()
    }

    /// A request that hangs until its client is dropped; tests that run at the same time give other bodies.
    pub(crate) async fn hang(&self, body: &[u8]) -> Client {
        let mut client = self.connect().await;
        client.send(&Request::of("Hang", body).bytes()).await;
        HANGING[body.len()].acquire().await.unwrap().forget();
        client
    }

    /// A call to a hook; answers status and body.
    pub(crate) async fn hook(&self, line: &str, body: &str) -> (u16, Value) {
        let line = format!("{line} HTTP/1.1");
        let headers = vec![("Host", "localhost".to_owned()), ("Content-Length", body.len().to_string())];
        let response = self.exchange(&Request { line: &line, headers, body: body.as_bytes().to_vec() }).await;
        assert_eq!(response.header("content-type"), "application/json");
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    /// A call to a hook that does what it is asked for.
    #[track_caller]
    pub(crate) fn hooked(&self, line: &str, body: &str) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let (status, value) = self.hook(line, body).await;
            assert!((200..300).contains(&status), "{at}: {status} {value}");
            value
        }
    }

    /// A call to a hook that is refused: status, code, message and hint.
    pub(crate) async fn refused(&self, line: &str, body: &str) -> (u16, String) {
        let (status, value) = self.hook(line, body).await;
        let error = &value["error"];
        assert!(error["code"].is_string() && !error["hint"].as_str().unwrap().is_empty(), "{value}");
        (status, error.to_string())
    }

    /// A request; answers status and body.
    pub(crate) async fn ask(&self, operation: &str, body: Value) -> (u16, Value) {
        let response = self.exchange(&Request::of(operation, body.to_string().as_bytes())).await;
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    /// A request that succeeds.
    #[track_caller]
    pub(crate) fn done(&self, operation: &str, body: Value) -> impl Future<Output = Value> {
        let at = std::panic::Location::caller();
        async move {
            let (status, answer) = self.ask(operation, body).await;
            assert_eq!(status, 200, "{at}: {operation}: {answer}");
            answer
        }
    }
}

/// An operation of the other service is written with its prefix.
fn target(operation: &str) -> String {
    if operation.contains('.') { operation.to_owned() } else { format!("DynamoDB_20120810.{operation}") }
}

/// A request that is right until a test makes it wrong.
#[derive(Clone)]
pub(crate) struct Request<'a> {
    pub(crate) line: &'a str,
    pub(crate) headers: Vec<(&'a str, String)>,
    pub(crate) body: Vec<u8>,
}

impl<'a> Request<'a> {
    pub(crate) fn of(operation: &str, body: &[u8]) -> Request<'a> {
        let headers = vec![
            ("Host", "localhost".to_owned()),
            ("X-Amz-Target", target(operation)),
            ("Content-Type", "application/x-amz-json-1.0".to_owned()),
            ("X-Amz-Date", "20261124T040506Z".to_owned()),
            ("Authorization", AUTHORIZATION.to_owned()),
            ("Content-Length", body.len().to_string()),
        ];
        Request { line: "POST / HTTP/1.1", headers, body: body.to_vec() }
    }

    pub(crate) fn with(mut self, name: &'a str, value: &str) -> Request<'a> {
        self = self.without(name);
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Request<'a> {
        self.headers.retain(|(candidate, _)| *candidate != name);
        self
    }

    pub(crate) fn line(mut self, line: &'a str) -> Request<'a> {
        self.line = line;
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

pub(crate) struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next response; `None` when the server closed the connection without one.
    pub(crate) async fn receive(&mut self) -> Option<Response> {
        let head_end = self.read_until(|bytes| bytes.windows(4).position(|window| window == b"\r\n\r\n")).await?;
        let head = String::from_utf8(self.unread[..head_end].to_vec()).unwrap();
        self.unread.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: BTreeMap<String, String> =
            lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        self.read_until(|bytes| (bytes.len() >= length).then_some(0)).await?;
        Some(Response { status, headers, body: self.unread.drain(..length).collect() })
    }

    /// Whether the server has closed the connection, after waiting for it to.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.read_until(|bytes| (!bytes.is_empty()).then_some(0)).await.is_none()
    }

    async fn read_until(&mut self, is_enough: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        loop {
            if let Some(found) = is_enough(&self.unread) {
                return Some(found);
            }
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Checks that this is the exception, with the status.
    #[track_caller]
    pub(crate) fn is_fault(&self, status: u16, exception: &str) -> &Response {
        assert_eq!(self.status, status, "{}", self.text());
        assert!(self.text().contains(&format!("#{exception}\"")), "{}", self.text());
        self
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        assert!(self.text().contains(text), "{}", self.text());
    }
}
