//! Numerals, and bytes that may be the encoding of a number.
//!
//! What must stay true: a number is printed as it is read; the order of its bytes is the order of the numbers.

use stator_model::Number;
use stator_model::number::write_canonical;

use crate::{Target, text, way};

pub(crate) const TARGET: Target = Target {
    name: "number",
    words: &["E", "e-", "E+125", "E-130", ".", "-", "+", "0", "99999999999999999999999999999999999999", "1", "\0", " "],
    run,
};

fn printed(number: &Number) -> String {
    let mut out = Vec::new();
    write_canonical(number.as_bytes(), &mut out);
    String::from_utf8(out).expect("digits are text")
}

fn run(input: &[u8]) -> String {
    if let Some(number) = Number::from_bytes(input) {
        assert_eq!(number.as_bytes(), input, "an encoding is canonical");
        check(&number);
    }
    // Two numerals, so that something can be added and compared.
    let text = text(input);
    let (left, right) = text.split_once(',').unwrap_or((&text, "1"));
    let (left, right) = match (Number::parse(left), Number::parse(right)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(error), _) | (_, Err(error)) => return way(&error),
    };
    check(&left);
    check(&right);
    let sum = left.checked_add(&right);
    assert_eq!(sum, right.checked_add(&left), "sums do not depend on their order");
    if let Ok(sum) = &sum {
        check(sum);
        assert_eq!(sum.checked_sub(&right).as_ref(), Ok(&left), "what was added can be taken away: {text}");
    }
    if let Ok(difference) = left.checked_sub(&right) {
        let order = difference.as_bytes().cmp(Number::ZERO.as_bytes());
        assert_eq!(order, left.as_bytes().cmp(right.as_bytes()), "the order of bytes is that of numbers: {text}");
    }
    format!("{} {}", way(&sum.map(|_| ())), left.size_bytes())
}

fn check(number: &Number) {
    let text = printed(number);
    assert_eq!(Number::parse(&text).as_ref(), Ok(number), "{text}");
    assert_eq!(Number::from_bytes(number.as_bytes()).as_ref(), Some(number), "{text}");
    assert_eq!(number.negated().negated(), *number, "{text}");
}
