//! One blocking connection, for what is not measured: making tables, loading, asking for status.
//!
//! What must stay true: an answer other than success is an error with the server's own words in it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::{Failure, failed};
use crate::reply::{Incoming, Reply};
use crate::request::Caller;

const TIMEOUT: Duration = Duration::from_secs(60);
const STATUS_INTERVAL: Duration = Duration::from_millis(20);

/// A connection for single calls.
pub struct Client {
    stream: TcpStream,
    caller: Caller,
    buffer: Vec<u8>,
}

impl Client {
    /// Opens a connection.
    pub fn connect(address: SocketAddr) -> Result<Client, Failure> {
        let stream = TcpStream::connect(address).map_err(|error| failed(format!("{address}: {error}")))?;
        stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(TIMEOUT))).map_err(|error| failed(error.to_string()))?;
        Ok(Client { stream, caller: Caller::to(address), buffer: vec![0; 64 << 10] })
    }

    /// Calls an operation; the answer as bytes.
    pub fn call_raw(&mut self, operation: &str, body: &str) -> Result<Vec<u8>, Failure> {
        let reply = self.exchange(operation, body)?;
        if reply.status == 200 {
            return Ok(reply.body);
        }
        Err(failed(format!("{operation} answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body))))
    }

    /// Calls an operation.
    pub fn call(&mut self, operation: &str, body: &str) -> Result<Value, Failure> {
        let answer = self.call_raw(operation, body)?;
        serde_json::from_slice(&answer).map_err(|error| failed(format!("{operation} answered what is not JSON: {error}")))
    }

    /// Waits until a table and all its indexes are ACTIVE.
    pub fn await_active(&mut self, table: &str, patience: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        loop {
            let described = self.call("DescribeTable", &format!(r#"{{"TableName":"{table}"}}"#))?;
            let table_is_active = described["Table"]["TableStatus"] == "ACTIVE";
            let mut indexes = described["Table"]["GlobalSecondaryIndexes"].as_array().into_iter().flatten();
            if table_is_active && indexes.all(|index| index["IndexStatus"] == "ACTIVE") {
                return Ok(());
            }
            if start.elapsed() > patience {
                return Err(failed(format!("table {table} is not ACTIVE after {patience:?}")));
            }
            std::thread::sleep(STATUS_INTERVAL);
        }
    }

    /// Calls an operation; any answer is one. An error means that the connection broke, and nobody knows what was done.
    pub fn exchange(&mut self, operation: &str, body: &str) -> Result<Reply, Failure> {
        let broke = |error: std::io::Error| failed(format!("{operation}: the connection broke: {error}"));
        let mut request = Vec::new();
        self.caller.write(operation, body.as_bytes(), &mut request);
        self.stream.write_all(&request).map_err(broke)?;
        let mut incoming = Incoming::keeping();
        loop {
            let read = self.stream.read(&mut self.buffer).map_err(broke)?;
            if read == 0 {
                return Err(failed(format!("{operation}: the server closed the connection")));
            }
            let fed = incoming.feed(&self.buffer[..read]).map_err(|malformed| failed(format!("{operation}: {}", malformed.0)))?;
            if let Some(reply) = fed {
                return Ok(reply);
            }
        }
    }
}
