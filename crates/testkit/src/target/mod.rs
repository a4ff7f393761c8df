//! What scripts and histories are run against: the operations in process, or a server at the other end of a socket.
//!
//! What must stay true: a target hands on what it is given, byte for byte; judging the answer is not its business.

mod http;
mod in_process;

pub use futures_executor::block_on;
pub use http::HttpTarget;
pub use in_process::{InProcess, SetClock, TestClock};

/// `X-Amz-Target` of an operation: streams are a service of their own.
fn target_of(operation: &str) -> String {
    let is_of_streams = ["ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"].contains(&operation);
    format!("{}_20120810.{operation}", if is_of_streams { "DynamoDBStreams" } else { "DynamoDB" })
}

/// A call to the service.
#[derive(Debug, Clone)]
pub struct Call {
    /// Region of the caller.
    pub region: String,
    /// The operation's name; or, with a slash, the path of a GET.
    pub operation: String,
    /// The body.
    pub body: Vec<u8>,
    /// Headers to set, or with no value to leave out.
    pub headers: Vec<(String, Option<String>)>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names; empty in process.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Something that answers calls.
pub trait Target {
    /// Makes a call and waits for its answer.
    fn call(&mut self, call: &Call) -> Reply;

    /// Lets work in the background proceed.
    fn settle(&mut self) {}

    /// Lets it be this time, in ms since the epoch, until it is set again, and does what is due then. Whether that can be.
    fn set_clock(&mut self, now_ms: u64) -> bool {
        let _ = now_ms;
        false
    }

    /// Whether headers and raw bodies mean something here.
    fn is_http(&self) -> bool;
}
