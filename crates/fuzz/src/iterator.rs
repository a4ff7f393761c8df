//! Sequence numbers and the bytes of shard iterators.
//!
//! What must stay true: a position is the one that its bytes were made of, and nothing else passes for one.

use stator_engine::stream::{Position, sequence_number, stamp_of};

use crate::{Target, text};

pub(crate) const TARGET: Target =
    Target { name: "iterator", words: &["100000000000000000000", "340282366920938463463374607431768211455", "0", "9"], run };

fn run(input: &[u8]) -> String {
    let mut way = String::new();
    if let Some(stamp) = stamp_of(&text(input)) {
        let number = sequence_number(stamp).to_string();
        assert_eq!(stamp_of(&number), Some(stamp), "{number}");
        way.push_str("stamp");
    }
    if let Some(position) = Position::from_bytes(input) {
        assert_eq!(position.to_bytes(), input, "a position has one form");
        // One bit more or less is none.
        let mut bytes = input.to_vec();
        bytes[0] ^= 1;
        assert_eq!(Position::from_bytes(&bytes), None, "a position is guarded by a checksum");
        way.push_str("position");
    }
    way
}
