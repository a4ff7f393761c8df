//! What an operation is to the shell that runs it, so that the shell needs no branch on an operation's name.
//!
//! A request is decoded into a [`Prepared`] that borrows the body, then validated, then performed. What must stay
//! true: decoding and validation touch no storage, so that their errors win over those that need a table.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use stator_engine::Engine;
use stator_engine::receipt::Receipt;
use stator_model::Item;
use stator_model::arn::Scope;

use crate::fault::Fault;
use crate::ledger::Ledger;

/// A boxed future that may be polled on any thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The two services that share this endpoint; each has its own prefix in `X-Amz-Target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// `DynamoDB_20120810`
    DynamoDb,
    /// `DynamoDBStreams_20120810`
    Streams,
}

/// What an operation costs, for throttling and for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Reads items or records.
    Read,
    /// Writes items.
    Write,
    /// Everything about tables and settings.
    Control,
}

/// How much of the service's behaviour an operation has here; the support matrix is derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Answers as the service does.
    Complete,
    /// Answers, except for what the text names.
    Partial(&'static str),
    /// Known by name and refused.
    Refused,
}

/// The facts about an operation from which names, labels, permissions and documents are derived.
#[derive(Debug, Clone, Copy)]
pub struct OperationInfo {
    /// The name as it stands in `X-Amz-Target`, after the dot.
    pub name: &'static str,
    /// Which of the two services has it.
    pub service: Service,
    /// What it costs.
    pub class: Class,
    /// How much of it works.
    pub status: Status,
    /// Whether one request may work through a large part of a table, and so must not stand in front of short ones.
    pub is_bulk: bool,
}

/// An operation as the registry holds it, with its input and output types erased.
pub trait ErasedOperation: Send + Sync {
    /// The facts about this operation.
    fn info(&self) -> &OperationInfo;

    /// Reads the body into typed input that borrows from it.
    ///
    /// # Errors
    /// A `SerializationException` when the body is not JSON of the expected types.
    fn decode<'a>(&self, body: &'a [u8]) -> Result<Box<dyn Prepared + 'a>, Fault>;
}

/// A decoded request that waits to be validated and performed.
pub trait Prepared: Send {
    /// Checks everything that can be said without looking at a table. Comes once, before [`Prepared::perform`]; what it works
    /// out on the way, the input may keep.
    ///
    /// # Errors
    /// A `ValidationException`.
    fn validate(&mut self) -> Result<(), Fault>;

    /// Leaves those members of a batch undone for which `choose` says so, given their table as the request names it and
    /// their key or item: the answer gives them back as unprocessed. Comes after [`Prepared::validate`]; whatever has no
    /// such answer does not ask.
    fn withhold(&mut self, choose: &mut dyn FnMut(&str, &Item) -> bool) {
        let _ = choose;
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// The service's exception for whatever stood in the way.
    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's;
}

/// What an operation may use and know beside its body.
#[derive(Clone)]
pub struct Context {
    /// Tables and items.
    pub engine: Arc<Engine>,
    /// Account and region, from the credential scope of the signature.
    pub scope: Scope,
    /// The `Host` header, for the answers that name an endpoint.
    pub host: String,
    /// Where consumed capacity is noted, if somebody keeps account.
    pub ledger: Option<Arc<Ledger>>,
}

impl Context {
    /// Notes what the request has consumed of a table.
    pub fn consumed(&self, table: &str, receipt: &Receipt) {
        if let Some(ledger) = &self.ledger {
            ledger.note(table, receipt);
        }
    }
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// JSON in UTF-8; empty for the few operations that answer no body.
    pub body: Vec<u8>,
}

/// An operation as its file declares it: the facts, and how a body becomes input.
pub struct Entry {
    info: OperationInfo,
    decode: Decode,
}

/// Reads a body into prepared input.
type Decode = for<'a> fn(&'a [u8]) -> Result<Box<dyn Prepared + 'a>, Fault>;

impl Entry {
    /// Declares an operation of the DynamoDB service that answers as the service does.
    pub const fn new(name: &'static str, class: Class, decode: Decode) -> Entry {
        Entry { info: OperationInfo { name, service: Service::DynamoDb, class, status: Status::Complete, is_bulk: false }, decode }
    }

    /// Declares an operation of the streams service that answers as the service does.
    pub const fn of_streams(name: &'static str, class: Class, decode: Decode) -> Entry {
        Entry { info: OperationInfo { name, service: Service::Streams, class, status: Status::Complete, is_bulk: false }, decode }
    }

    /// The same operation, known to work through a large part of a table at a time.
    #[must_use]
    pub const fn in_bulk(mut self) -> Entry {
        self.info.is_bulk = true;
        self
    }
}

impl ErasedOperation for Entry {
    fn info(&self) -> &OperationInfo {
        &self.info
    }

    fn decode<'a>(&self, body: &'a [u8]) -> Result<Box<dyn Prepared + 'a>, Fault> {
        (self.decode)(body)
    }
}
