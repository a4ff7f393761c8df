//! The canonical request: the one text that the signer and the server must both arrive at.
//!
//! ```text
//! POST
//! /
//! <query, each name and value re-encoded, sorted>
//! content-type:application/x-amz-json-1.0
//! host:localhost:8000
//! x-amz-date:20150830T123600Z
//!
//! content-type;host;x-amz-date
//! <SHA-256 of the body in hex, or UNSIGNED-PAYLOAD>
//! ```
//!
//! What must stay true: the text depends on nothing but the request and the list of signed headers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::Request;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, with the slash left alone.
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The canonical request. `signed_headers` is the list as the client gave it, separated by semicolons.
pub(super) fn canonical_request(request: &Request<'_>, signed_headers: &str, payload_hash: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(request.method.as_bytes());
    text.push(b'\n');
    push_path(&mut text, request.path);
    text.push(b'\n');
    push_query(&mut text, request.query);
    text.push(b'\n');
    for name in signed_headers.split(';') {
        push_header(&mut text, request, name);
    }
    text.push(b'\n');
    text.extend_from_slice(signed_headers.as_bytes());
    text.push(b'\n');
    text.extend_from_slice(payload_hash.as_bytes());
    text
}

/// Empty and dot segments are resolved, then the path is encoded once more than it came.
fn push_path(text: &mut Vec<u8>, path: &str) {
    if path == "/" || path.is_empty() {
        text.push(b'/');
        return;
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    for segment in &segments {
        text.push(b'/');
        text.extend(percent_encode(segment.as_bytes(), RESERVED_IN_PATH).flat_map(str::bytes));
    }
    let ends_in_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
    if segments.is_empty() || ends_in_slash {
        text.push(b'/');
    }
}

/// A pre-signed request is signed over all parameters but the signature itself.
fn push_query(text: &mut Vec<u8>, query: &str) {
    if query.is_empty() {
        return;
    }
    let encoded = |raw: &str| {
        let plain: Vec<u8> = percent_decode_str(raw).collect();
        percent_encode(&plain, RESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            text.push(b'&');
        }
        text.extend_from_slice(name.as_bytes());
        text.push(b'=');
        text.extend_from_slice(value.as_bytes());
    }
}

/// `name:value,value`, each value trimmed and its inner runs of spaces collapsed.
fn push_header(text: &mut Vec<u8>, request: &Request<'_>, name: &str) {
    text.extend_from_slice(name.as_bytes());
    text.push(b':');
    let mut is_first = true;
    request.headers.each(name, &mut |value| {
        if !is_first {
            text.push(b',');
        }
        is_first = false;
        let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    });
    text.push(b'\n');
}
