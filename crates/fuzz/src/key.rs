//! Bytes of keys: parts of values that are split off, and joined keys of each kind of row.
//!
//! What must stay true: what is put is split off as it was, whatever follows it, and the order of bytes is that of values.

use stator_engine::encoding::scalar;
use stator_engine::keyspace::{counter, deadline, job, sequence, stream, stream_horizon, stream_volume, table, transaction_token};
use stator_model::{RawValue, Value};

use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "key", words: &["\0", "\0\0", "\0\u{7f}", "\u{1}", "\u{2}", "\u{3}", "\u{4}", "\u{5}", "\u{6}", "\u{7}"], run };

fn put(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(scalar::put(&mut out, RawValue::new(&value.to_encoded())), "a scalar has an encoding");
    out
}

fn run(input: &[u8]) -> String {
    let mut way = String::new();
    for is_number in [true, false] {
        if let Some((value, rest)) = scalar::split(input, is_number) {
            assert_eq!([value, rest].concat(), input, "what is split is put together again");
            way.push(if is_number { 'n' } else { 's' });
        }
    }
    let (left, right) = input.split_at(input.len() / 2);
    let (one, other) = (put(&Value::B(left.to_vec())), put(&Value::B(right.to_vec())));
    assert_eq!(one.cmp(&other), left.cmp(right), "the order of bytes is that of values");
    let joined = [one.as_slice(), input].concat();
    assert_eq!(scalar::split(&joined, false), Some((one.as_slice(), input)), "what follows does not matter");
    let known = [
        table::parse(input).is_some(),
        counter::parse(input).is_some(),
        counter::decode(input).is_some(),
        job::parse(input).is_some(),
        sequence::is_key(input),
        sequence::decode(input).is_some(),
        stream::parse(input).is_some(),
        stream_volume::parse(input).is_some(),
        stream_horizon::decode(input).is_some(),
        deadline::parse(input).is_some(),
        transaction_token::is_key(input),
        transaction_token::decode(input).is_some(),
    ];
    way.extend(known.iter().map(|known| if *known { '1' } else { '0' }));
    way
}
