//! Whether a signature holds: the right secret, this request, and not too long ago.
//!
//! What must stay true: the comparison takes the same time wherever the signatures differ, and the headers that decide
//! what a request does are part of what was signed.

use sha2::{Digest, Sha256};
use stator_planted::Fault;
use subtle::ConstantTimeEq;

use super::Request;
use super::canonical::canonical_request;
use super::error::{ScopeError, SignatureError};
use super::present::{Form, Presented};
use super::scope::CredentialScope;
use super::signer::Signer;
use super::timestamp::Timestamp;
use crate::secret::Secret;

/// How far the clocks of client and server may differ, and how long a signature is good for.
pub const CLOCK_SKEW_SECONDS_MAX: i64 = 15 * 60;

/// The only way to sign that is taken.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "dynamodb";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const PAYLOAD_HASH_HEADER: &str = "x-amz-content-sha256";

/// A large body is hashed in pieces, and others may have the core between two.
const PIECE_BYTES: usize = 128 << 10;

/// The SHA-256 of the body as it came over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadHash([u8; 32]);

impl PayloadHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> PayloadHash {
        let mut hash = Sha256::new();
        for (number, piece) in body.chunks(PIECE_BYTES).enumerate() {
            if number > 0 {
                std::thread::yield_now();
            }
            hash.update(piece);
        }
        PayloadHash(hash.finalize().into())
    }
}

impl Presented<'_> {
    /// Checks the signature of a request against the key that it names.
    ///
    /// `payload` is asked for the hash only when the signature covers the body.
    ///
    /// # Errors
    /// Anything of [`SignatureError`] that is not about reading it.
    pub fn verify(
        &self,
        request: &Request<'_>,
        payload: impl FnOnce() -> PayloadHash,
        signer: &Signer,
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        self.check_scope()?;
        self.check_signed_headers(request)?;
        self.check_time(now)?;
        let declared = request.headers.first(PAYLOAD_HASH_HEADER);
        if declared == Some(UNSIGNED_PAYLOAD) {
            return self.check_signature(request, UNSIGNED_PAYLOAD, signer);
        }
        let mut hex = [0u8; 64];
        let actual = write_hex(&payload().0, &mut hex);
        if declared.is_some_and(|declared| !declared.eq_ignore_ascii_case(actual)) {
            return Err(SignatureError::Mismatch);
        }
        self.check_signature(request, declared.unwrap_or(actual), signer)
    }

    fn check_scope(&self) -> Result<(), SignatureError> {
        if self.algorithm != ALGORITHM {
            return Err(SignatureError::Algorithm(self.algorithm.clone().into_owned()));
        }
        if self.scope.service != SERVICE {
            return Err(SignatureError::Scope(ScopeError::Service(self.scope.service.clone())));
        }
        if self.scope.date.as_bytes() != &self.signed_at.basic()[..8] {
            let scope = self.scope.date.clone();
            return Err(SignatureError::Scope(ScopeError::Date { scope, signed_at: self.signed_at }));
        }
        Ok(())
    }

    /// Without the host a signature could be replayed elsewhere; without the target it would be good for any operation.
    fn check_signed_headers(&self, request: &Request<'_>) -> Result<(), SignatureError> {
        let is_signed = |wanted: &str| self.signed_headers.split(';').any(|name| name == wanted);
        if !is_signed("host") && !is_signed(":authority") {
            return Err(SignatureError::UnsignedHeader("host"));
        }
        for name in ["x-amz-target", "x-amz-security-token"] {
            if request.headers.first(name).is_some() && !is_signed(name) {
                return Err(SignatureError::UnsignedHeader(name));
            }
        }
        Ok(())
    }

    fn check_time(&self, now: Timestamp) -> Result<(), SignatureError> {
        let window_seconds = match self.form {
            Form::Header => CLOCK_SKEW_SECONDS_MAX,
            Form::Query { expires_seconds } => expires_seconds.unwrap_or(CLOCK_SKEW_SECONDS_MAX),
        };
        let signed_at = self.signed_at;
        if signed_at.0 < now.0 - window_seconds {
            return Err(SignatureError::Expired { signed_at, now, window_seconds });
        }
        if signed_at.0 > now.0 + CLOCK_SKEW_SECONDS_MAX {
            return Err(SignatureError::NotYetCurrent { signed_at, now, window_seconds: CLOCK_SKEW_SECONDS_MAX });
        }
        Ok(())
    }

    fn check_signature(&self, request: &Request<'_>, payload_hash: &str, signer: &Signer) -> Result<(), SignatureError> {
        let expected = signature(request, &self.signed_headers, payload_hash, &self.scope, self.signed_at, signer);
        let is_equal = expected.as_slice().ct_eq(self.signature.as_bytes());
        if bool::from(is_equal) || Fault::SkipSignature.is_planted() { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// The signature of a request: 64 lower-case hexadecimal digits. For clients; a server keeps a [`Signer`].
pub fn sign(
    request: &Request<'_>,
    signed_headers: &str,
    payload_hash: &str,
    scope: &CredentialScope,
    signed_at: Timestamp,
    secret: &Secret,
) -> [u8; 64] {
    signature(request, signed_headers, payload_hash, scope, signed_at, &Signer::new(secret.clone()))
}

fn signature(
    request: &Request<'_>,
    signed_headers: &str,
    payload_hash: &str,
    scope: &CredentialScope,
    signed_at: Timestamp,
    signer: &Signer,
) -> [u8; 64] {
    let mut hex = [0u8; 64];
    let canonical = Sha256::digest(canonical_request(request, signed_headers, payload_hash));
    let CredentialScope { date, region, service, .. } = scope;
    let signed_at = signed_at.basic();
    let parts: [&[u8]; 11] = [
        ALGORITHM.as_bytes(),
        b"\n",
        &signed_at,
        b"\n",
        date.as_bytes(),
        b"/",
        region.as_bytes(),
        b"/",
        service.as_bytes(),
        b"/aws4_request\n",
        write_hex(&canonical.into(), &mut hex).as_bytes(),
    ];
    let text = parts.concat();
    write_hex(&signer.sign(scope, &text), &mut hex);
    hex
}

fn write_hex<'h>(bytes: &[u8; 32], out: &'h mut [u8; 64]) -> &'h str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    std::str::from_utf8(out).expect("hexadecimal digits are ASCII")
}
