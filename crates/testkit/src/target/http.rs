//! A client that sends exactly what it is given over HTTP/1.1 and keeps its connection.
//!
//! What must stay true: it shares no code with the server, so that both cannot be wrong in the same way.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::{Call, Reply, Target, target_of};

/// A connection to a server.
#[derive(Debug)]
pub struct HttpTarget {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl HttpTarget {
    /// A client of the server at an address; it connects when it is first used.
    pub fn new(address: SocketAddr) -> HttpTarget {
        HttpTarget { address, stream: None }
    }

    /// Makes a call.
    ///
    /// # Errors
    /// The connection broke; whether the call took effect is not known then.
    pub fn try_call(&mut self, call: &Call) -> io::Result<Reply> {
        self.exchange(&request(call))
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            BufReader::new(stream)
        };
        stream.get_mut().write_all(request)?;
        let (reply, keeps) = read_reply(&mut stream)?;
        if keeps {
            self.stream = Some(stream);
        }
        Ok(reply)
    }
}

impl Target for HttpTarget {
    fn call(&mut self, call: &Call) -> Reply {
        self.try_call(call)
            .unwrap_or_else(|error| Reply { body: format!("the connection broke: {error}").into_bytes(), ..Reply::default() })
    }

    /// Only a server for tests lets its clock be set.
    fn set_clock(&mut self, now_ms: u64) -> bool {
        let body = format!("{{\"now_ms\":{now_ms},\"frozen\":true}}");
        let head = format!("PUT /_stator/clock HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: {}\r\n\r\n", body.len());
        self.exchange(format!("{head}{body}").as_bytes()).is_ok_and(|reply| reply.status == 200)
    }

    fn is_http(&self) -> bool {
        true
    }
}

fn request(call: &Call) -> Vec<u8> {
    let is_get = call.operation.starts_with('/');
    let mut headers = vec![
        ("Host".to_owned(), "localhost:8000".to_owned()),
        (
            "Authorization".to_owned(),
            format!(
                "AWS4-HMAC-SHA256 Credential=key/20261124/{}/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature={}",
                call.region,
                "0".repeat(64)
            ),
        ),
        ("X-Amz-Date".to_owned(), "20261124T040506Z".to_owned()),
    ];
    if !is_get {
        headers.push(("X-Amz-Target".to_owned(), target_of(&call.operation)));
        headers.push(("Content-Type".to_owned(), "application/x-amz-json-1.0".to_owned()));
        headers.push(("Content-Length".to_owned(), call.body.len().to_string()));
    }
    for (name, value) in &call.headers {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.extend(value.iter().map(|value| (name.clone(), value.clone())));
    }
    let mut bytes = if is_get { format!("GET {} HTTP/1.1\r\n", call.operation) } else { "POST / HTTP/1.1\r\n".to_owned() }.into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&call.body);
    bytes
}

fn read_reply(stream: &mut BufReader<TcpStream>) -> io::Result<(Reply, bool)> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
    let mut reply = Reply { status, ..Reply::default() };
    let mut length = 0;
    let mut keeps = true;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "content-length" => length = value.parse().map_err(|_| malformed())?,
            "connection" => keeps = !value.eq_ignore_ascii_case("close"),
            "transfer-encoding" => return Err(malformed()),
            _ => {}
        }
        reply.headers.push((name, value.to_owned()));
    }
    reply.body = vec![0; length];
    stream.read_exact(&mut reply.body)?;
    Ok((reply, keeps))
}
