//! Signature Version 4: reading a signature off a request, and checking it.
//!
//! Source: "AWS Signature Version 4 for API requests" in the IAM user guide. A request carries its signature in the
//! `Authorization` header or, pre-signed, in the query string:
//!
//! ```text
//! request -> Presented::read     who says to have signed, when, for which region; no secret is needed for that
//!         -> Presented::verify   canonical request -> string to sign -> signature, compared in constant time
//! ```
//!
//! What must stay true: nothing in `Presented` may be trusted before `verify` agreed, except by a server that was
//! told to accept any signature.

mod canonical;
mod error;
mod present;
mod scope;
mod signer;
mod timestamp;
mod verify;

pub use error::{Incomplete, Part, ScopeError, SignatureError};
pub use present::{Form, Presented};
pub use scope::CredentialScope;
pub use signer::Signer;
pub use timestamp::Timestamp;
pub use verify::{CLOCK_SKEW_SECONDS_MAX, PayloadHash, sign};

/// The headers of a request, by lower-case name. `host` must answer the authority of an HTTP/2 request.
pub trait Headers {
    /// Calls `visit` with every value of the header, in the order of arrival.
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8]));

    /// The first value of the header, when it is text.
    fn first(&self, name: &str) -> Option<&str>;
}

/// The signed parts of a request, borrowed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `POST` and so on.
    pub method: &'a str,
    /// As it stands in the request line, percent-encoding and all.
    pub path: &'a str,
    /// Without the question mark; empty when there is none.
    pub query: &'a str,
    /// All headers.
    pub headers: &'a dyn Headers,
}

#[cfg(test)]
mod tests;
