//! First stage: which operation the headers ask for, or which answer needs none.
//!
//! What must stay true: only headers are looked at, so that nothing is read for a request that can not be served.

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use hyper::http::request::Parts;
use stator_api::{ErasedOperation, Fault};

use super::Shell;
use super::encode::Reply;

pub(super) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// What a request asks for.
pub(super) enum Named {
    /// An operation.
    Operation(&'static dyn ErasedOperation),
    /// Something that is answered at once.
    Reply(Reply),
}

impl Named {
    /// Whether it may take long.
    pub(super) fn is_bulk(&self) -> bool {
        matches!(self, Named::Operation(operation) if operation.info().is_bulk)
    }
}

/// Names the request.
pub(super) fn name(shell: &Shell, head: &Parts) -> Result<Named, Fault> {
    if header_bytes(&head.headers) > shell.header_bytes_max {
        return Err(too_many_headers(shell.header_bytes_max));
    }
    match head.method {
        Method::GET | Method::HEAD if head.uri.path() == "/" => Ok(Named::Reply(Reply::Health)),
        Method::OPTIONS => Ok(Named::Reply(Reply::Preflight)),
        Method::POST if is_json(&head.headers) => {
            let target = head.headers.get(TARGET).and_then(|value| value.to_str().ok()).unwrap_or_default();
            (shell.find)(target).map(Named::Operation)
        }
        _ => Ok(Named::Reply(Reply::NotAnApi)),
    }
}

/// The two content types that the service takes, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-amz-json-1.0") || essence.eq_ignore_ascii_case("application/json")
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn too_many_headers(limit: usize) -> Fault {
    Fault { status: 431, ..Fault::client("RequestHeaderTooLargeException", format!("Request headers exceed {limit} bytes")) }
}
