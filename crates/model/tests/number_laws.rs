//! Numbers against an independent big-decimal library: reading, printing, comparing, adding and measuring.
//!
//! What must stay true: what is expected is worked out by the library alone, from the text that the number is read from.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::str::FromStr;

use bigdecimal::num_bigint::Sign;
use bigdecimal::{BigDecimal, ToPrimitive, Zero};
use proptest::prelude::*;
use stator_model::number::NumberError;
use stator_model::{Number, RawValue, Value};

const DIGITS_MAX: i64 = 38;
const EXPONENT_MAX: i64 = 125;
const EXPONENT_MIN: i64 = -130;

/// Digits without leading and trailing zeros, and how many of them stand behind the point; neither for zero.
fn significant(exact: &BigDecimal) -> Option<(String, i64)> {
    let (digits, scale) = exact.normalized().into_bigint_and_exponent();
    (digits.sign() != Sign::NoSign).then(|| (digits.magnitude().to_string(), scale))
}

/// What the service makes of an exact result.
fn judged(exact: &BigDecimal) -> Result<String, NumberError> {
    let Some((digits, scale)) = significant(exact) else { return Ok("0".to_owned()) };
    let count = i64::try_from(digits.len()).unwrap();
    let exponent = count - scale - 1;
    match () {
        () if exponent > EXPONENT_MAX => Err(NumberError::Overflow),
        () if exponent < EXPONENT_MIN => Err(NumberError::Underflow),
        () if count > DIGITS_MAX => Err(NumberError::TooManyDigits),
        () => Ok(exact.normalized().to_plain_string()),
    }
}

/// What the service makes of a numeral. Even zero may not be written with an exponent above the range.
fn judged_text(text: &str) -> Result<String, NumberError> {
    let value = exact(text);
    let exponent = text.split_once(['e', 'E']).map_or(0, |(_, exponent)| exponent.parse::<i64>().unwrap());
    if value.is_zero() && exponent > EXPONENT_MAX { Err(NumberError::Overflow) } else { judged(&value) }
}

/// A sign, digits around a point, an exponent: digits there must be, all else there may be.
fn is_numeral(text: &str) -> bool {
    let unsigned = |text: &str| text.strip_prefix(['-', '+']).map_or_else(|| text.to_owned(), str::to_owned);
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let mantissa = unsigned(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((&mantissa, ""));
    let exponent = exponent.map(unsigned);
    whole.len() + fraction.len() > 0
        && are_digits(whole)
        && are_digits(fraction)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && are_digits(&exponent))
}

fn exact(text: &str) -> BigDecimal {
    BigDecimal::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Numerals of every shape; many of them at or beyond the bounds.
fn numeral() -> impl Strategy<Value = String> {
    let digits = prop_oneof![
        4 => "[0-9]{1,6}",
        2 => "[0-9]{30,42}",
        1 => "0{0,5}[1-9]0{0,40}",
        1 => "9{37,39}",
        1 => "0{1,3}",
        1 => "10{35,39}1?",
    ];
    let fraction = prop_oneof![3 => Just(String::new()), 2 => "[.][0-9]{1,6}", 1 => "[.]0{0,130}[0-9]{1,40}"];
    let exponent = prop_oneof![
        3 => Just(String::new()),
        2 => (-12i32..12).prop_map(|exponent| format!("e{exponent}")),
        1 => (120i32..130).prop_map(|exponent| format!("E+{exponent}")),
        1 => (-135i32..-85).prop_map(|exponent| format!("E{exponent}")),
    ];
    ("[-+]?", digits, fraction, exponent).prop_map(|(sign, digits, fraction, exponent)| format!("{sign}{digits}{fraction}{exponent}"))
}

/// Numbers in range, often near each other.
fn number() -> impl Strategy<Value = Number> {
    let near = prop_oneof![(-20i64..20).prop_map(Number::from), any::<i64>().prop_map(Number::from)];
    let far = numeral().prop_filter_map("in range", |text| Number::parse(&text).ok());
    let bound = prop_oneof![
        Just("9.9999999999999999999999999999999999999E125"),
        Just("-9.9999999999999999999999999999999999999E125"),
        Just("1E-130"),
        Just("-1E-130"),
        Just("1E125"),
        Just("99999999999999999999999999999999999999"),
        Just("0.00000000000000000000000000000000000001"),
    ];
    prop_oneof![3 => near, 4 => far, 1 => bound.prop_map(|text| Number::parse(text).unwrap())]
}

fn printed(result: Result<Number, NumberError>) -> Result<String, NumberError> {
    result.map(|number| number.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn reading_and_printing_agree_with_exact_decimals(text in numeral()) {
        prop_assert_eq!(printed(Number::parse(&text)), judged_text(&text), "{}", text);
    }

    #[test]
    fn what_is_printed_reads_back(number in number()) {
        prop_assert_eq!(Number::parse(&number.to_string()), Ok(number));
        prop_assert_eq!(Number::from_bytes(number.as_bytes()), Some(number));
    }

    #[test]
    fn sums_and_differences_are_exact_or_refused(left in number(), right in number()) {
        let (one, other) = (exact(&left.to_string()), exact(&right.to_string()));
        prop_assert_eq!(printed(left.checked_add(&right)), judged(&(&one + &other)), "{} + {}", left, right);
        prop_assert_eq!(printed(left.checked_sub(&right)), judged(&(&one - &other)), "{} - {}", left, right);
        prop_assert_eq!(left.negated().to_string(), judged(&-one).unwrap());
    }

    #[test]
    fn sums_of_numbers_of_like_size_carry_and_cancel(digits in "[0-9]{34,38}", shift in -40i32..40, exponent in -120i32..85, negative: bool) {
        let left = format!("{digits}E{exponent}");
        let right = format!("{}{digits}E{}", if negative { "-" } else { "" }, exponent + shift);
        if let (Ok(one), Ok(other)) = (Number::parse(&left), Number::parse(&right)) {
            prop_assert_eq!(printed(one.checked_add(&other)), judged(&(exact(&left) + exact(&right))), "{} + {}", left, right);
        }
    }

    #[test]
    fn order_is_that_of_exact_decimals_and_so_is_that_of_bytes(left in number(), right in number()) {
        let order = exact(&left.to_string()).cmp(&exact(&right.to_string()));
        prop_assert_eq!(left.cmp(&right), order);
        prop_assert_eq!(left.as_bytes().cmp(right.as_bytes()), order);
        let encoded = [left, right].map(|number| Value::N(number).to_encoded());
        prop_assert_eq!(RawValue::new(&encoded[0]).compare(RawValue::new(&encoded[1])), Some(order));
    }

    #[test]
    fn no_encoding_is_the_beginning_of_another(left in number(), right in number()) {
        prop_assert!(left == right || !right.as_bytes().starts_with(left.as_bytes()));
    }

    #[test]
    fn whole_numbers_convert(number in number()) {
        let value = exact(&number.to_string());
        prop_assert_eq!(number.to_i64(), value.is_integer().then(|| value.to_i64()).flatten());
    }

    #[test]
    fn size_counts_pairs_of_digits_on_both_sides_of_the_point(number in number()) {
        let size = significant(&exact(&number.to_string())).map_or(1, |(digits, scale)| {
            let fraction = usize::try_from(scale).unwrap_or(0).min(digits.len());
            1 + (digits.len() - fraction).div_ceil(2) + fraction.div_ceil(2)
        });
        prop_assert_eq!(number.size_bytes(), size);
    }

    #[test]
    fn a_text_is_a_numeral_or_refused(text in "[-+.eE0-9_ x]{0,10}") {
        let number = Number::parse(&text);
        prop_assert_eq!(number != Err(NumberError::Invalid), is_numeral(&text), "{}", text);
        if let (true, Ok(value)) = (is_numeral(&text), BigDecimal::from_str(&text)) {
            prop_assert_eq!(printed(number), judged_text(&text), "{} is {}", text, value);
        }
    }
}

#[test]
fn every_bound_holds_on_both_sides() {
    let nines = "9".repeat(38);
    for (text, expected) in [
        (format!("{}.{}E125", &nines[..1], &nines[1..]), Ok(())),
        (format!("-{}.{}E125", &nines[..1], &nines[1..]), Ok(())),
        ("1E-130".to_owned(), Ok(())),
        ("0.1E-129".to_owned(), Ok(())),
        ("10E124".to_owned(), Ok(())),
        ("10E125".to_owned(), Err(NumberError::Overflow)),
        ("0.1E-130".to_owned(), Err(NumberError::Underflow)),
        (format!("{nines}9"), Err(NumberError::TooManyDigits)),
        (format!("{nines}0"), Ok(())),
        (format!("0.{}1", "0".repeat(37)), Ok(())),
        (format!("1.{}1", "0".repeat(37)), Err(NumberError::TooManyDigits)),
    ] {
        assert_eq!(Number::parse(&text).map(|_| ()), expected, "{text}");
        assert_eq!(judged(&exact(&text)).map(|_| ()), expected, "{text}");
    }
    let number = |text: &str| Number::parse(text).unwrap();
    let largest = number(&format!("{}.{}E125", &nines[..1], &nines[1..]));
    assert_eq!(largest.checked_add(&largest), Err(NumberError::Overflow));
    assert_eq!(largest.checked_sub(&largest), Ok(Number::ZERO));
    assert_eq!(largest.checked_add(&number("1E88")), Err(NumberError::Overflow), "a carry out of all digits");
    let least = number("1.1E-130");
    assert_eq!(least.checked_sub(&number("1E-130")), Err(NumberError::Underflow));
    assert!(BigDecimal::zero() == exact(&Number::ZERO.to_string()));
}
