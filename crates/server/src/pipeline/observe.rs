//! Last stage: one log line for a failure, one for a slow request, none for the rest.
//!
//! What must stay true: nothing of a body, a key or a signature gets into a line.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use stator_api::{Class, OperationInfo};

use super::encode::{Reply, exception};
use crate::guard::Panicked;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
const LENGTH: usize = 52;

/// What names one request in a log line and to its client: 52 letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; LENGTH]);

impl RequestId {
    /// A new one. Ids need to differ, not to be secret, so each thread counts from a random start.
    pub fn next() -> RequestId {
        thread_local! {
            static STATE: Cell<u64> = Cell::new(seed());
        }
        let mut text = [0; LENGTH];
        STATE.with(|state| {
            // 12 characters of 5 bits from each number.
            for chunk in text.chunks_mut(12) {
                let mut bits = splitmix(state);
                for byte in chunk {
                    *byte = ALPHABET[usize::try_from(bits & 31).expect("five bits")];
                    bits >>= 5;
                }
            }
        });
        RequestId(text)
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }

    /// As a header.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("the alphabet is ASCII")
    }
}

fn seed() -> u64 {
    getrandom::u64().expect("the kernel has randomness")
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
fn splitmix(state: &Cell<u64>) -> u64 {
    state.set(state.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
    let mut bits = state.get();
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// What is known of a request while it is being answered.
pub(super) struct Observation {
    pub(super) request_id: RequestId,
    pub(super) operation: Option<&'static OperationInfo>,
    pub(super) panic: Option<Panicked>,
    client: SocketAddr,
    started: Instant,
}

impl Observation {
    #[expect(clippy::disallowed_methods, reason = "latency is taken at the shell")]
    pub(super) fn start(client: SocketAddr) -> Observation {
        Observation { request_id: RequestId::next(), operation: None, panic: None, client, started: Instant::now() }
    }

    /// How long it has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether what was done cannot be taken back by answering that it was not.
    pub(super) fn is_of_write(&self) -> bool {
        self.operation.is_some_and(|operation| operation.class != Class::Read)
    }

    fn name(&self) -> &'static str {
        self.operation.map_or("-", |operation| operation.name)
    }

    /// Writes the lines that this request deserves.
    pub(super) fn finish(&self, reply: &Reply, slow: Duration) {
        let elapsed = self.started.elapsed();
        if let Some(exception) = exception(reply) {
            self.log_failure(reply, &exception, elapsed);
        }
        if !slow.is_zero() && elapsed > slow {
            tracing::warn!(
                operation = self.name(),
                status = reply.status().as_u16(),
                request_id = self.request_id.as_str(),
                latency_us = micros(elapsed),
                client = %self.client,
                "slow request"
            );
        }
    }

    fn log_failure(&self, reply: &Reply, exception: &str, elapsed: Duration) {
        let (operation, status) = (self.name(), reply.status().as_u16());
        let (request_id, latency_us, client) = (self.request_id.as_str(), micros(elapsed), self.client);
        if let Some(panic) = &self.panic {
            let Panicked { text, count } = panic;
            tracing::error!(operation, status, exception, request_id, latency_us, %client, panic = text, panics = count, "request panicked");
        } else if status >= 500 {
            let cause = if let Reply::Fault(fault) = reply { fault.cause.as_deref() } else { None };
            tracing::error!(operation, status, exception, request_id, latency_us, %client, cause, "request failed");
        } else {
            tracing::info!(operation, status, exception, request_id, latency_us, %client, "request refused");
        }
    }
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn request_ids_are_52_upper_case_letters_and_digits_and_differ() {
        let (one, other) = (RequestId::next(), RequestId::next());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), 52);
        assert!(one.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    }
}
