//! Key values as bytes whose order is the service's order.
//!
//! ```text
//!   N      the bytes of model::number, which end themselves
//!   S, B   every 00 becomes 00 FF, then 00 00 ends the value
//!
//!   "a"        61 00 00
//!   "a\0b"     61 00 FF 62 00 00        above "a", because FF > 00
//! ```
//!
//! What must stay true: comparing encodings of one type byte by byte compares the values; none is a prefix of another.

use stator_model::{RawValue, ValueRef};

/// Appends the encoding of a scalar; `false` (and nothing appended) for other types.
pub fn put(out: &mut Vec<u8>, value: RawValue<'_>) -> bool {
    match value.view() {
        ValueRef::S(bytes) | ValueRef::B(bytes) => {
            put_escaped(out, bytes);
            out.extend_from_slice(&[0, 0]);
        }
        ValueRef::N(number) => out.extend_from_slice(number.0),
        _ => return false,
    }
    true
}

/// Appends what the encodings of all strings or binaries that begin with this one begin with.
pub fn put_prefix(out: &mut Vec<u8>, value: RawValue<'_>) -> bool {
    match value.view() {
        ValueRef::S(bytes) | ValueRef::B(bytes) => put_escaped(out, bytes),
        _ => return false,
    }
    true
}

fn put_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
        out.extend_from_slice(&rest[..=zero]);
        out.push(0xFF);
        rest = &rest[zero + 1..];
    }
    out.extend_from_slice(rest);
}

/// Splits one encoded value off the front, whatever its type; `None` if there is no whole one. The type must be told
/// because numbers and strings end differently.
pub fn split(bytes: &[u8], is_number: bool) -> Option<(&[u8], &[u8])> {
    let len = if is_number { number_len(bytes)? } else { string_len(bytes)? };
    bytes.split_at_checked(len)
}

fn number_len(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        0x80 => Some(1),
        0xC0 => Some(bytes.iter().skip(2).position(|byte| *byte == 0)? + 3),
        0x40 => Some(bytes.iter().skip(2).position(|byte| *byte == 0xFF)? + 3),
        _ => None,
    }
}

fn string_len(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
        match bytes.get(at + 1)? {
            0 => return Some(at + 2),
            0xFF => at += 2,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stator_model::{Number, Value};

    use super::*;

    fn encoded(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(put(&mut out, RawValue::new(&value.to_encoded())));
        out
    }

    /// Short runs of the bytes that the encoding treats in a special way, and of their neighbours.
    fn scalar_bytes() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(proptest::sample::select(vec![0, 1, 2, 0xFE, 0xFF]), 0..5)
    }

    fn number() -> impl Strategy<Value = Number> {
        let text = ("-?", "[0-9]{1,20}", -140i32..130).prop_map(|(sign, digits, exponent)| format!("{sign}{digits}E{exponent}"));
        prop_oneof![text.prop_filter_map("in range", |text| Number::parse(&text).ok()), (-300i64..300).prop_map(Number::from)]
    }

    proptest! {
        #[test]
        fn order_of_bytes_is_order_of_binaries(left: Vec<u8>, right: Vec<u8>) {
            prop_assert_eq!(encoded(&Value::B(left.clone())).cmp(&encoded(&Value::B(right.clone()))), left.cmp(&right));
        }

        #[test]
        fn order_of_bytes_is_order_of_strings_with_zeros(left in "[\0a\u{ff}]{0,4}", right in "[\0a\u{ff}]{0,4}") {
            let order = left.as_bytes().cmp(right.as_bytes());
            prop_assert_eq!(encoded(&Value::S(left)).cmp(&encoded(&Value::S(right))), order);
        }

        #[test]
        fn order_of_bytes_is_order_of_numbers(left in number(), right in number()) {
            prop_assert_eq!(encoded(&Value::N(left)).cmp(&encoded(&Value::N(right))), left.cmp(&right));
        }

        /// Several attributes make one key: the first that differs decides.
        #[test]
        fn order_of_joined_values_is_order_of_tuples(left in (scalar_bytes(), number(), scalar_bytes()), right in (scalar_bytes(), number(), scalar_bytes())) {
            let joined = |(first, number, last): &(Vec<u8>, Number, Vec<u8>)| {
                [Value::B(first.clone()), Value::N(*number), Value::B(last.clone())].iter().flat_map(encoded).collect::<Vec<u8>>()
            };
            prop_assert_eq!(joined(&left).cmp(&joined(&right)), left.cmp(&right));
        }

        #[test]
        fn no_value_is_the_beginning_of_another(left in scalar_bytes(), right in scalar_bytes(), one in number(), other in number()) {
            prop_assert!(left == right || !encoded(&Value::B(right)).starts_with(&encoded(&Value::B(left))));
            prop_assert!(one == other || !encoded(&Value::N(other)).starts_with(&encoded(&Value::N(one))));
        }

        #[test]
        fn strings_that_begin_alike_lie_together(prefix in scalar_bytes(), value in scalar_bytes()) {
            let mut begins = Vec::new();
            put_prefix(&mut begins, RawValue::new(&Value::B(prefix.clone()).to_encoded()));
            prop_assert_eq!(encoded(&Value::B(value.clone())).starts_with(&begins), value.starts_with(&prefix));
        }

        #[test]
        fn values_split_where_they_end(first: Vec<u8>, number: i64, rest: Vec<u8>) {
            let mut joined = encoded(&Value::B(first.clone()));
            let first_len = joined.len();
            joined.extend(encoded(&Value::N(Number::from(number))));
            joined.extend(&rest);
            let (head, tail) = split(&joined, false).unwrap();
            prop_assert_eq!(head.len(), first_len);
            let (_, tail) = split(tail, true).unwrap();
            prop_assert_eq!(tail, &rest[..]);
        }
    }

    #[test]
    fn strings_with_a_prefix_lie_in_one_run() {
        let mut prefix = Vec::new();
        put_prefix(&mut prefix, RawValue::new(&Value::S("ab".into()).to_encoded()));
        for (text, begins) in [("ab", true), ("ab\0", true), ("abc", true), ("aa", false), ("ac", false), ("a", false)] {
            assert_eq!(encoded(&Value::S(text.into())).starts_with(&prefix), begins, "{text:?}");
        }
    }
}
