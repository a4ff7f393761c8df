//! Seventh stage: the response, with the headers that the SDKs check.
//!
//! What must stay true: `x-amz-crc32` is computed over the bytes as they go out, compressed or not: that is what the
//! SDKs compare it with. A response is compressed when the client asked, never otherwise.

use std::borrow::Cow;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, CONTENT_ENCODING, CONTENT_TYPE,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, SERVER,
};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use stator_api::{Answer, Fault};

use super::Shell;
use super::budget::Leaving;
use super::observe::RequestId;
use crate::hooks;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const CRC32: HeaderName = HeaderName::from_static("x-amz-crc32");
const JSON_10: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain");
const ANY: HeaderValue = HeaderValue::from_static("*");
/// What the service answers to a content type that it does not take, byte for byte.
const NOT_AN_API: &[u8] = b"<UnknownOperationException/>\n";
/// Answers are often small and asked for often, so speed wins over size.
const LEVEL: Compression = Compression::fast();

/// What is to be said.
pub(super) enum Reply {
    /// An operation succeeded.
    Answer(Answer),
    /// Something went wrong.
    Fault(Fault),
    /// The server is there.
    Health,
    /// A browser asks whether it may ask.
    Preflight,
    /// Not a request of this API at all.
    NotAnApi,
    /// What a test asked of the server.
    Hook(hooks::Answer),
    /// Nothing: a test wants the connection dropped.
    Dropped,
}

impl Reply {
    /// The status of the response.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Reply::Answer(_) | Reply::Health | Reply::Preflight => StatusCode::OK,
            Reply::Fault(fault) => StatusCode::from_u16(fault.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Reply::NotAnApi => StatusCode::NOT_FOUND,
            Reply::Hook(answer) => StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Reply::Dropped => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The size of what an operation answers.
    pub(super) fn answer_bytes(&self) -> usize {
        if let Reply::Answer(answer) = self { answer.body.len() } else { 0 }
    }

    fn body(&mut self, shell: &Shell) -> Vec<u8> {
        match self {
            // The body goes out as it is; nobody reads it here again.
            Reply::Answer(answer) => std::mem::take(&mut answer.body),
            Reply::Fault(fault) => fault.body(),
            Reply::Health => format!("healthy: dynamodb.{}.amazonaws.com ", shell.region).into_bytes(),
            Reply::Preflight | Reply::Dropped => Vec::new(),
            Reply::Hook(answer) => std::mem::take(&mut answer.body),
            Reply::NotAnApi => NOT_AN_API.to_vec(),
        }
    }
}

/// Writes the response. What it leaves with goes when its body has been sent.
pub(super) fn encode(
    shell: &Shell,
    reply: &mut Reply,
    head: &Parts,
    request_id: RequestId,
    leaving: Option<Leaving>,
) -> Response<Full<Bytes>> {
    let mut body = reply.body(shell);
    let mut response = Response::new(Full::default());
    *response.status_mut() = reply.status();
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(SERVER, HeaderValue::from_static("Server"));
    headers.insert(REQUEST_ID, request_id.header());
    match reply {
        Reply::Answer(_) | Reply::Fault(_) => {
            let is_plain = head.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
            headers.insert(CONTENT_TYPE, if is_plain { JSON } else { JSON_10 });
        }
        Reply::Health => {
            headers.insert(CONTENT_TYPE, TEXT);
        }
        Reply::Preflight => allow_all(headers, head),
        Reply::Hook(answer) => {
            headers.insert(CONTENT_TYPE, JSON);
            if let Some(Ok(allow)) = answer.allow.as_deref().map(HeaderValue::from_str) {
                headers.insert(ALLOW, allow);
            }
        }
        Reply::NotAnApi | Reply::Dropped => {}
    }
    if head.headers.contains_key(ORIGIN) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-amzn-RequestId,x-amz-crc32,Date"));
    }
    if !body.is_empty() && accepts_gzip(&head.headers) {
        body = gzip(&body);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(CRC32, HeaderValue::from(crc32fast::hash(&body)));
    *response.body_mut() = Full::new(match leaving {
        None => Bytes::from(body),
        Some(leaving) => leaving.carry(body),
    });
    response
}

/// A request proves itself by its signature, never by the page that it comes from, so every page may ask.
fn allow_all(headers: &mut HeaderMap, head: &Parts) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.unwrap_or(ANY));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("172800"));
}

/// Whether `Accept-Encoding` names gzip with a weight above zero.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let is_refused = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty());
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 2), LEVEL);
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("writing to memory does not fail")
}

/// What a log line calls the exception of a reply.
pub(super) fn exception(reply: &Reply) -> Option<Cow<'static, str>> {
    match reply {
        Reply::Fault(fault) => Some(Cow::from(fault.exception)),
        Reply::NotAnApi => Some(Cow::Borrowed("UnknownOperationException")),
        Reply::Answer(_) | Reply::Health | Reply::Preflight | Reply::Hook(_) | Reply::Dropped => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_where_it_is_asked_for() {
        let accepts = |value: &'static str| accepts_gzip(&HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]));
        assert!(accepts("gzip"));
        assert!(accepts("deflate, GZIP;q=0.5"));
        for refused in ["identity", "gzip;q=0", "gzip; q=0.0", "br", "*", ""] {
            assert!(!accepts(refused), "{refused}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
