//! One connection of the load generator: at most one request at a time, never blocking.
//!
//! What must stay true: the time that a request should have started is kept with it until its answer is whole.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use stator_driver::failure::{Failure, failed};
use stator_driver::reply::{Incoming, Reply};

const BUFFER_BYTES: usize = 64 << 10;

/// What reading brought.
pub(super) enum Progress {
    Pending,
    Answered(Reply),
}

pub(super) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    sent: usize,
    /// Whether the poll was told that there is something left to send.
    is_sending: bool,
    intended: Instant,
    incoming: Incoming,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Result<Connection, Failure> {
        let prepared = TcpStream::connect(address).and_then(|stream| {
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            Ok(stream)
        });
        let stream = prepared.map_err(|error| failed(format!("{address}: {error}")))?;
        Ok(Connection {
            stream,
            request: Vec::new(),
            sent: 0,
            is_sending: false,
            intended: Instant::now(),
            incoming: Incoming::default(),
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Where the next request is written.
    pub(super) fn request(&mut self) -> &mut Vec<u8> {
        self.request.clear();
        &mut self.request
    }

    pub(super) fn start(&mut self, intended: Instant) {
        self.intended = intended;
        self.sent = 0;
    }

    pub(super) fn intended(&self) -> Instant {
        self.intended
    }

    pub(super) fn is_sending(&self) -> bool {
        self.is_sending
    }

    pub(super) fn set_sending(&mut self, is_sending: bool) {
        self.is_sending = is_sending;
    }

    /// Sends as much as the socket takes; whether that was all.
    pub(super) fn send(&mut self) -> Result<bool, Failure> {
        while self.sent < self.request.len() {
            match self.stream.write(&self.request[self.sent..]) {
                Ok(0) => return Err(failed("the server closed a connection")),
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(format!("a connection broke: {error}"))),
            }
        }
        Ok(true)
    }

    /// Reads once.
    pub(super) fn receive(&mut self) -> Result<Progress, Failure> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => Err(failed("the server closed a connection")),
            Ok(read) => match self.incoming.feed(&self.buffer[..read]) {
                Ok(Some(reply)) => Ok(Progress::Answered(reply)),
                Ok(None) => Ok(Progress::Pending),
                Err(malformed) => Err(failed(format!("an answer is broken: {}", malformed.0))),
            },
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(Progress::Pending),
            Err(error) => Err(failed(format!("a connection broke: {error}"))),
        }
    }
}
