//! What can be wrong with a signature, as data.
//!
//! What must stay true: no variant carries a secret or the expected signature, so that all of it may be logged.

use super::timestamp::Timestamp;

/// Why a request is not authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureError {
    /// The request carries no signature at all.
    MissingToken,
    /// The request carries a signature with parts missing.
    Incomplete(Incomplete),
    /// The header and the query string both carry a signature.
    TwoForms,
    /// The signature is of a kind that nobody here makes.
    Algorithm(String),
    /// The credential scope is not one that this request can have.
    Scope(ScopeError),
    /// A header that decides what is done was left out of the signature.
    UnsignedHeader(&'static str),
    /// No such access key.
    UnknownKey,
    /// Signed too long ago.
    Expired {
        /// When it was signed.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// How long a signature is good for.
        window_seconds: i64,
    },
    /// Signed in the future.
    NotYetCurrent {
        /// When it says it was signed.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
        /// How far a clock may be ahead.
        window_seconds: i64,
    },
    /// Another secret, or another request, was signed.
    Mismatch,
}

/// A signature with parts missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The `Authorization` header as it came; `None` for the query form.
    pub authorization: Option<String>,
    /// The missing parts, in the order in which the service lists them.
    pub lacking: Vec<Part>,
}

/// The parts of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `X-Amz-Algorithm` (query form).
    Algorithm,
    /// `Credential`.
    Credential,
    /// `Signature`.
    Signature,
    /// `SignedHeaders`.
    SignedHeaders,
    /// `X-Amz-Date`, or the `Date` header.
    Date,
}

/// What is wrong with a credential scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeError {
    /// It has not five parts; the text as it came.
    Parts(String),
    /// It ends in something else than `aws4_request`; what it ends in.
    Terminator(String),
    /// It is for another service; which one.
    Service(String),
    /// Its date is not the date of the request.
    Date {
        /// The date in the scope.
        scope: String,
        /// When the request says it was signed.
        signed_at: Timestamp,
    },
}
