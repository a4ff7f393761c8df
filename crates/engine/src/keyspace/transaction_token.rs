//! Tokens of transactions: who has sent one twice gets the first outcome again.
//!
//! ```text
//!   part   05 | period (8, big-endian): when it was used, in units of ten minutes
//!   sort   xxh3-128 of account 00 region 00 token (16, big-endian)
//!   value  fingerprint of the request (16, big-endian) | when it was used, in ms since the epoch (8, big-endian)
//! ```
//!
//! What must stay true: a token that still counts lies in the current period or in the one before, so a lookup is two point
//! reads, and whole periods are forgotten at once without looking into them.

use std::ops::Bound;

use stator_kv::{Direction, Key, Range};
use stator_model::arn::Scope;
use stator_model::limits::TRANSACTION_TOKEN_MS;
use xxhash_rust::xxh3::xxh3_128;

use super::{PART_TRANSACTION_TOKEN, SMALL};

/// The row key of a token used in a period.
pub fn key(scope: &Scope, token: &str, period: u64) -> Key {
    let name = [scope.account.as_str(), scope.region.as_str(), token].join("\0");
    Key::new(SMALL, &period_prefix(period), &xxh3_128(name.as_bytes()).to_be_bytes())
}

/// The period of a moment.
pub fn period(at_ms: u64) -> u64 {
    at_ms / TRANSACTION_TOKEN_MS
}

/// What the joined keys of all tokens of a period begin with.
pub fn period_prefix(period: u64) -> Vec<u8> {
    let mut prefix = vec![PART_TRANSACTION_TOKEN];
    prefix.extend_from_slice(&period.to_be_bytes());
    prefix
}

/// All tokens, those of the newest period first.
pub fn newest() -> Range {
    let (from, to) = (vec![PART_TRANSACTION_TOKEN], vec![PART_TRANSACTION_TOKEN + 1]);
    Range::Across { space: SMALL, from: Bound::Included(from), to: Bound::Excluded(to), direction: Direction::Backward }
}

/// Whether a joined key is a token's.
pub fn is_key(joined: &[u8]) -> bool {
    joined.first() == Some(&PART_TRANSACTION_TOKEN) && joined.len() == 1 + 8 + 16
}

/// The value of a token used for a request.
pub fn encode(fingerprint: u128, at_ms: u64) -> Vec<u8> {
    [fingerprint.to_be_bytes().as_slice(), &at_ms.to_be_bytes()].concat()
}

/// Fingerprint and time of a value.
pub fn decode(value: &[u8]) -> Option<(u128, u64)> {
    let (fingerprint, at_ms) = value.split_first_chunk::<16>()?;
    Some((u128::from_be_bytes(*fingerprint), u64::from_be_bytes(at_ms.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn values_come_back() {
        assert_eq!(decode(&encode(7, 9)), Some((7, 9)));
        assert_eq!(decode(&encode(7, 9)[1..]), None);
    }
}
