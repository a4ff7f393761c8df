//! The bytes of a request as an SDK sends it, signed by Signature Version 4 in the header form.
//!
//! Floors, products and peers get the same bytes; who does not check the signature ignores it. What must stay true: a
//! request is signed when it is written, and no measurement keeps requests longer than the quarter of an hour for which
//! a signature is good.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};
use stator_iam::sigv4::{CredentialScope, Headers, Request, Timestamp, sign};
use stator_iam::{Credential, Secret};

/// The key of every server that a measurement starts.
pub const ACCESS_KEY: &str = "AKIABENCHBENCHBENCH0";
/// Its secret, which guards nothing.
pub const SECRET: &str = "bench/bench/bench/bench/bench/bench/benc";
const REGION: &str = "us-east-1";
const SIGNED: &str = "content-type;host;x-amz-date;x-amz-target";
const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Writes requests to one server.
#[derive(Debug, Clone)]
pub struct Caller {
    host: String,
    credential: Credential,
}

impl Caller {
    /// Writes requests to a server at an address.
    pub fn to(address: SocketAddr) -> Caller {
        let credential = Credential { access_key_id: ACCESS_KEY.to_owned(), secret: Secret::new(SECRET.to_owned()) };
        Caller { host: address.to_string(), credential }
    }

    /// Appends the request.
    pub fn write(&self, operation: &str, body: &[u8], out: &mut Vec<u8>) {
        let service = if is_of_streams(operation) { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
        let target = format!("{service}.{operation}");
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let at = Timestamp(i64::try_from(seconds).unwrap_or(i64::MAX));
        let (date, day) = (at.to_string(), at.date());
        let scope = CredentialScope {
            access_key_id: self.credential.access_key_id.clone(),
            date: day.clone(),
            region: REGION.to_owned(),
            service: "dynamodb".to_owned(),
        };
        let headers = Signed([("content-type", CONTENT_TYPE), ("host", &self.host), ("x-amz-date", &date), ("x-amz-target", &target)]);
        let parts = Request { method: "POST", path: "/", query: "", headers: &headers };
        let signature = sign(&parts, SIGNED, &hash(body), &scope, at, &self.credential.secret);
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nX-Amz-Target: {target}\r\nContent-Type: {CONTENT_TYPE}\r\nX-Amz-Date: {date}\r\n\
             User-Agent: stator-driver\r\nAuthorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{day}/{REGION}/dynamodb/aws4_request, \
             SignedHeaders={SIGNED}, Signature={}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            String::from_utf8_lossy(&signature),
            body.len()
        );
        out.extend_from_slice(head.as_bytes());
        out.extend_from_slice(body);
    }
}

fn is_of_streams(operation: &str) -> bool {
    matches!(operation, "DescribeStream" | "GetRecords" | "GetShardIterator" | "ListStreams")
}

fn hash(body: &[u8]) -> String {
    let mut hex = Vec::with_capacity(64);
    for byte in Sha256::digest(body) {
        let _ = write!(hex, "{byte:02x}");
    }
    String::from_utf8(hex).unwrap_or_default()
}

struct Signed<'a>([(&'static str, &'a str); 4]);

impl Headers for Signed<'_> {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        if let Some(value) = self.first(name) {
            visit(value.as_bytes());
        }
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_what_an_sdk_sends_and_its_length() {
        let mut bytes = Vec::new();
        Caller::to("127.0.0.1:8000".parse().unwrap()).write("GetItem", b"{}", &mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("POST / HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n"), "{text}");
        assert!(text.ends_with("Content-Length: 2\r\n\r\n{}"), "{text}");
        assert_eq!(hash(b"{}"), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
