//! Fourth stage: who asks, and which region's tables are meant.
//!
//! What must stay true: `Gate::Keys` lets nothing through whose signature was not checked against the body as it came.

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Uri;
use stator_api::messages::signature;
use stator_api::{Fault, Prepared};
use stator_iam::Credential;
use stator_iam::sigv4::{Headers, Part, PayloadHash, Presented, Request, ScopeError, SignatureError, Signer, Timestamp};

use super::Shell;
use super::decode::Decoded;
use super::name::TARGET;
use super::receive::Received;

const REGION_BYTES_MAX: usize = 64;
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const PAYLOAD_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Who is let in.
#[derive(Debug)]
pub enum Gate {
    /// Everyone whose request carries a signature, whatever it is worth.
    AnySignature,
    /// Those who sign with one of these keys.
    Keys(Vec<Known>),
}

/// A key that is let in.
#[derive(Debug)]
pub struct Known {
    access_key_id: String,
    signer: Signer,
}

impl Gate {
    /// Lets those in who sign with this credential.
    pub fn of(credential: Credential) -> Gate {
        Gate::Keys(vec![Known { access_key_id: credential.access_key_id, signer: Signer::new(credential.secret) }])
    }

    fn signer(&self, access_key_id: &str) -> Option<&Signer> {
        match self {
            Gate::AnySignature => None,
            Gate::Keys(keys) => keys.iter().find(|key| key.access_key_id == access_key_id).map(|key| &key.signer),
        }
    }
}

/// Input whose sender is known.
pub(super) struct Authenticated<'r> {
    pub(super) prepared: Box<dyn Prepared + 'r>,
    /// The region that the request was signed for.
    pub(super) region: String,
}

/// Authenticates the request.
pub(super) fn authenticate<'r>(
    shell: &Shell,
    decoded: Decoded<'r>,
    head: &Parts,
    received: &Received<'_>,
) -> Result<Authenticated<'r>, Fault> {
    let headers = SignedHeaders { headers: &head.headers, uri: &head.uri };
    let uri = &head.uri;
    let request = Request { method: head.method.as_str(), path: uri.path(), query: uri.query().unwrap_or(""), headers: &headers };
    let presented = Presented::read(&request).map_err(fault)?;
    if let Gate::Keys(_) = &shell.gate {
        let signer = shell.gate.signer(&presented.scope.access_key_id).ok_or_else(|| fault(SignatureError::UnknownKey))?;
        let now = i64::try_from(shell.engine.now_ms() / 1000).unwrap_or(i64::MAX);
        presented.verify(&request, || PayloadHash::of(received.wire()), signer, Timestamp(now)).map_err(fault)?;
    }
    let region = presented.scope.region;
    if !is_region(&region) {
        return Err(signature::wrong_region(&region));
    }
    Ok(Authenticated { prepared: decoded.prepared, region })
}

/// Any name that can stand in an ARN and in a host name.
fn is_region(text: &str) -> bool {
    text.len() <= REGION_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

struct SignedHeaders<'r> {
    headers: &'r HeaderMap,
    uri: &'r Uri,
}

impl SignedHeaders<'_> {
    /// Those that every request is asked for have their names ready: to parse one takes longer than to find it.
    fn get(&self, name: &str) -> Option<&HeaderValue> {
        match name {
            "authorization" => self.headers.get(AUTHORIZATION),
            "x-amz-date" => self.headers.get(DATE),
            "x-amz-target" => self.headers.get(TARGET),
            "x-amz-security-token" => self.headers.get(TOKEN),
            "x-amz-content-sha256" => self.headers.get(PAYLOAD_HASH),
            other => self.headers.get(other),
        }
    }

    /// HTTP/2 has the host in the request's authority.
    fn authority(&self, name: &str) -> Option<&str> {
        let is_host = name == "host" && !self.headers.contains_key(HOST);
        (is_host || name == ":authority").then(|| self.uri.authority().map(hyper::http::uri::Authority::as_str)).flatten()
    }
}

impl Headers for SignedHeaders<'_> {
    fn each(&self, name: &str, visit: &mut dyn FnMut(&[u8])) {
        match self.authority(name) {
            Some(authority) => visit(authority.as_bytes()),
            None if name.is_empty() || name.starts_with(':') => {}
            None => self.headers.get_all(name).iter().for_each(|value| visit(value.as_bytes())),
        }
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.authority(name).or_else(|| self.get(name)?.to_str().ok())
    }
}

fn fault(error: SignatureError) -> Fault {
    match error {
        SignatureError::MissingToken => signature::missing_token(),
        SignatureError::Incomplete(incomplete) => match &incomplete.authorization {
            Some(authorization) => {
                let lacks_date = incomplete.lacking.contains(&Part::Date);
                let fields: Vec<_> = incomplete.lacking.iter().filter_map(|part| field(*part)).collect();
                signature::incomplete_header(&fields, lacks_date, authorization)
            }
            None => signature::incomplete_query(&incomplete.lacking.iter().map(|part| parameter(*part)).collect::<Vec<_>>()),
        },
        SignatureError::Algorithm(algorithm) => signature::unknown_algorithm(&algorithm),
        SignatureError::TwoForms => signature::two_forms(),
        SignatureError::Scope(ScopeError::Parts(text)) => signature::malformed_credential(&text),
        SignatureError::Scope(ScopeError::Terminator(text)) => signature::wrong_terminator(&text),
        SignatureError::Scope(ScopeError::Service(_)) => signature::wrong_service(),
        SignatureError::Scope(ScopeError::Date { scope, signed_at }) => signature::wrong_date(&scope, &signed_at.date(), signed_at),
        SignatureError::UnsignedHeader(name) => signature::unsigned_header(name),
        SignatureError::UnknownKey => signature::unknown_key(),
        SignatureError::Expired { signed_at, now, window_seconds } => {
            signature::expired(signed_at, Timestamp(now.0 - window_seconds), now, window_seconds / 60)
        }
        SignatureError::NotYetCurrent { signed_at, now, window_seconds } => {
            signature::not_yet_current(signed_at, Timestamp(now.0 + window_seconds), now, window_seconds / 60)
        }
        SignatureError::Mismatch => signature::mismatch(),
    }
}

/// The date has a sentence of its own, and the algorithm can not lack in the header form.
fn field(part: Part) -> Option<&'static str> {
    match part {
        Part::Credential => Some("Credential"),
        Part::Signature => Some("Signature"),
        Part::SignedHeaders => Some("SignedHeaders"),
        Part::Algorithm | Part::Date => None,
    }
}

fn parameter(part: Part) -> &'static str {
    match part {
        Part::Algorithm => "X-Amz-Algorithm",
        Part::Credential => "X-Amz-Credential",
        Part::Signature => "X-Amz-Signature",
        Part::SignedHeaders => "X-Amz-SignedHeaders",
        Part::Date => "X-Amz-Date",
    }
}
