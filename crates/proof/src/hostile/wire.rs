//! Requests as bytes, and answers to them, for clients that do not play by the rules.
//!
//! What must stay true: nothing here repairs what is sent; a connection that is closed without an answer is an outcome like any
//! other.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use stator_driver::reply::{Incoming, Reply};
use stator_driver::request::Caller;

/// How long an answer may take before it counts as none.
const TIMEOUT: Duration = Duration::from_secs(20);
const PIECE_BYTES: usize = 64 << 10;

/// A well-formed request with a good signature.
pub(super) fn signed(address: SocketAddr, operation: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Caller::to(address).write(operation, body, &mut bytes);
    bytes
}

/// The same with further header lines, which are not signed.
pub(super) fn signed_with(address: SocketAddr, operation: &str, body: &[u8], lines: &str) -> Vec<u8> {
    let mut bytes = signed(address, operation, body);
    let at = bytes.windows(2).position(|pair| pair == b"\r\n").map_or(0, |at| at + 2);
    bytes.splice(at..at, lines.bytes());
    bytes
}

/// A connection on which anything may be sent.
pub(super) struct Raw {
    stream: TcpStream,
}

impl Raw {
    pub(super) fn connect(address: SocketAddr) -> std::io::Result<Raw> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Raw { stream })
    }

    /// Sends; a server that has closed may refuse to take it. It rests as long as each piece took: a machine elsewhere would not take
    /// the server's cores for it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> bool {
        bytes.chunks(PIECE_BYTES).all(|piece| {
            let begin = Instant::now();
            let is_sent = self.stream.write_all(piece).is_ok();
            std::thread::sleep(begin.elapsed());
            is_sent
        })
    }

    /// Sends what the kernel takes without waiting; answers whether the connection still stands.
    pub(super) fn trickle(&mut self, bytes: &[u8]) -> bool {
        let _ = self.stream.set_nonblocking(true);
        let sent = self.stream.write(bytes);
        let _ = self.stream.set_nonblocking(false);
        !matches!(sent, Err(error) if error.kind() != ErrorKind::WouldBlock)
    }

    /// The next answer; nothing when the connection was closed or nothing came.
    pub(super) fn receive(&mut self) -> Option<Reply> {
        let mut incoming = Incoming::keeping();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = self.stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
            if let Some(reply) = incoming.feed(&buffer[..read]).ok()? {
                return Some(reply);
            }
        }
    }

    /// Whether the server closes the connection within a time, whatever it says before.
    pub(super) fn is_closed_within(&mut self, patience: Duration) -> bool {
        let _ = self.stream.set_read_timeout(Some(patience));
        let begin = std::time::Instant::now();
        let mut buffer = vec![0; 64 << 10];
        while begin.elapsed() < patience {
            match self.stream.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            }
        }
        false
    }
}

/// Sends one request on a connection of its own.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> Option<Reply> {
    let mut raw = Raw::connect(address).ok()?;
    // The answer may have come before all was sent.
    raw.send(bytes);
    raw.receive()
}

/// The exception of an answer, without what stands before it.
pub(super) fn exception(reply: &Reply) -> String {
    let text = String::from_utf8_lossy(&reply.body);
    let body: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    body["__type"].as_str().and_then(|name| name.rsplit('#').next()).unwrap_or_default().to_owned()
}
