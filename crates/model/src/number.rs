//! The service's number: up to 38 significant decimal digits, magnitude 1E-130 to 9.99…E+125, exact.
//!
//! A number is kept as bytes whose unsigned lexicographic order is the numeric order and whose equality is numeric
//! equality, so the same bytes serve as value, as set member and as sort key. No floating point is involved anywhere.
//!
//! ```text
//!   zero        80
//!   positive    C0  e+129  p1 p2 … pk  00        value = 0.d1d2d3… x 10^e, d1 != 0, last digit != 0
//!   negative    40  ^(e+129)  ^p1 … ^pk  FF      every byte complemented, so a larger magnitude sorts first
//!
//!   pi = 10*d(2i-1) + d(2i) + 1    two digits a byte, 1..=100; an odd last digit is padded with 0
//! ```
//!
//! 129 is the bias that maps e in -129..=126 onto one byte. `1` is 0.1 x 10^1: `C0 82 0B 00`. `-15` is `40 7C EF FF`:
//! 0.15 x 10^2, so e+129 = 131 = 83 and p1 = 16 = 10, both complemented.
//!
//! What must stay true: one number has exactly one encoding; `encode` after `decode` is the identity; order of bytes is
//! order of numbers. The bytes are part of the stored format (`docs/format.md`).

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "counts of digits are at most 40 and exponents within ±170, as every constructor checks"
)]

use std::cmp::Ordering;
use std::fmt;

use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_EXPONENT_MAX, NUMBER_EXPONENT_MIN};

/// The most bytes an encoded number takes: tag, exponent, 19 digit pairs, terminator.
pub const NUMBER_ENCODED_BYTES_MAX: usize = 22;

const TAG_NEGATIVE: u8 = 0x40;
const TAG_ZERO: u8 = 0x80;
const TAG_POSITIVE: u8 = 0xC0;
/// Biased so that the smallest exponent of the `0.d1d2…` form becomes byte 0.
const EXPONENT_BIAS: i32 = 1 - NUMBER_EXPONENT_MIN - 2;

const _: () = assert!(NUMBER_EXPONENT_MIN + 1 + EXPONENT_BIAS == 0);
const _: () = assert!(NUMBER_EXPONENT_MAX + 1 + EXPONENT_BIAS == 255);

/// Why a text or a result is not a number of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    /// Not a decimal numeral at all.
    Invalid,
    /// More than 38 significant digits.
    TooManyDigits,
    /// Magnitude above 9.99…E+125.
    Overflow,
    /// Magnitude below 1E-130, yet not zero.
    Underflow,
}

/// An exact decimal. Copying it is copying 23 bytes; comparing it is comparing bytes.
#[derive(Clone, Copy)]
pub struct Number {
    len: u8,
    bytes: [u8; NUMBER_ENCODED_BYTES_MAX],
}

impl Number {
    /// Zero.
    pub const ZERO: Number = {
        let mut bytes = [0; NUMBER_ENCODED_BYTES_MAX];
        bytes[0] = TAG_ZERO;
        Number { len: 1, bytes }
    };

    /// Parses a decimal numeral: sign, digits with an optional point, optional exponent. Time is linear in the text,
    /// whatever the exponent says.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        Decimal::parse(text.as_bytes())?.encode()
    }

    /// The order-preserving bytes described at the head of this module.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Takes bytes made by [`Number::as_bytes`]; `None` if they are not a canonical encoding.
    pub fn from_bytes(bytes: &[u8]) -> Option<Number> {
        let decimal = Decimal::decode(bytes)?;
        let number = decimal.encode().ok()?;
        (number.as_bytes() == bytes).then_some(number)
    }

    /// Exact sum. An inexact result is an error, as the service answers it, never a rounded number.
    pub fn checked_add(&self, other: &Number) -> Result<Number, NumberError> {
        add(&self.decimal(), &other.decimal())
    }

    /// Exact difference.
    pub fn checked_sub(&self, other: &Number) -> Result<Number, NumberError> {
        self.checked_add(&other.negated())
    }

    /// The same magnitude with the other sign.
    #[must_use]
    pub fn negated(&self) -> Number {
        let mut decimal = self.decimal();
        decimal.negative = !decimal.negative && decimal.len > 0;
        decimal.encode().expect("a negated number stays in range")
    }

    /// Bytes that the service counts for this number (`behaviours.md` 24; zero is assumed to count one).
    pub fn size_bytes(&self) -> usize {
        size_bytes(self.as_bytes())
    }

    /// The value as an integer, if it is one and fits.
    pub fn to_i64(&self) -> Option<i64> {
        let decimal = self.decimal();
        let len = i32::from(decimal.len);
        if len == 0 {
            return Some(0);
        }
        if decimal.exponent < len || decimal.exponent > 19 {
            return None;
        }
        let mut magnitude: i128 = 0;
        for position in 0..decimal.exponent {
            let digit = if position < len { decimal.digits[position as usize] } else { 0 };
            magnitude = magnitude * 10 + i128::from(digit);
        }
        i64::try_from(if decimal.negative { -magnitude } else { magnitude }).ok()
    }

    fn decimal(&self) -> Decimal {
        Decimal::decode(self.as_bytes()).expect("a Number holds a canonical encoding")
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number::parse(&value.to_string()).expect("an i64 has at most 19 digits")
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Number {}

impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Number {
    /// The service's canonical form: plain digits without exponent, leading or trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(48);
        write_canonical(self.as_bytes(), &mut text);
        f.write_str(std::str::from_utf8(&text).expect("digits are ASCII"))
    }
}

/// Appends the canonical form of an encoded number (ASCII, at most 258 bytes) without building anything in between.
pub fn write_canonical(encoded: &[u8], out: &mut Vec<u8>) {
    let decimal = Decimal::decode(encoded).expect("a stored number is a canonical encoding");
    let (len, exponent) = (i32::from(decimal.len), decimal.exponent);
    let text = decimal.digits.map(|digit| b'0' + digit);
    let digits = &text[..usize::from(decimal.len)];
    if decimal.negative {
        out.push(b'-');
    }
    if len == 0 {
        out.push(b'0');
    } else if exponent <= 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + exponent.unsigned_abs() as usize, b'0');
        out.extend_from_slice(digits);
    } else if exponent < len {
        let (whole, fraction) = digits.split_at(exponent as usize);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    } else {
        out.extend_from_slice(digits);
        out.resize(out.len() + (exponent - len) as usize, b'0');
    }
}

/// Sign (true if negative), a whole number, and the power of ten that it is multiplied by; `None` above 18 digits.
pub fn scientific(encoded: &[u8]) -> Option<(bool, u64, i32)> {
    const PAIRS_MAX: usize = 9;
    let (is_negative, flip) = match encoded {
        [TAG_ZERO] => return Some((false, 0, 0)),
        [TAG_POSITIVE, ..] => (false, 0),
        _ => (true, 0xFF),
    };
    let [_, exponent, pairs @ .., _] = encoded else { return None };
    if pairs.len() > PAIRS_MAX {
        return None;
    }
    let whole = pairs.iter().fold(0, |whole, pair| 100 * whole + u64::from((pair ^ flip) - 1));
    let digits = 2 * i32::try_from(pairs.len()).ok()?;
    Some((is_negative, whole, i32::from(exponent ^ flip) - EXPONENT_BIAS - digits))
}

/// [`Number::size_bytes`] over encoded bytes, of which only the ends are looked at.
pub fn size_bytes(encoded: &[u8]) -> usize {
    let flip = if encoded[0] == TAG_NEGATIVE { 0xFF } else { 0 };
    let [_, exponent, pairs @ .., _] = encoded else { return 1 };
    let last = pairs.last().expect("a number that is not zero has digits") ^ flip;
    // Pairs are stored one higher, and only the last may be padded.
    let is_padded = last % 10 == 1;
    let len = (2 * pairs.len() - usize::from(is_padded)) as i32;
    let integer_digits = (i32::from(exponent ^ flip) - EXPONENT_BIAS).clamp(0, len);
    let fraction_digits = len - integer_digits;
    1 + (integer_digits as usize).div_ceil(2) + (fraction_digits as usize).div_ceil(2)
}

/// The unpacked form that parsing, printing and arithmetic use: `0.d1d2…dn x 10^exponent`, no leading or trailing zero.
#[derive(Clone, Copy)]
struct Decimal {
    negative: bool,
    exponent: i32,
    len: u8,
    digits: [u8; NUMBER_DIGITS_MAX + 2],
}

impl Decimal {
    const ZERO: Decimal = Decimal { negative: false, exponent: 0, len: 0, digits: [0; NUMBER_DIGITS_MAX + 2] };

    fn parse(text: &[u8]) -> Result<Decimal, NumberError> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let mantissa_end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
        let written_exponent = match text.get(mantissa_end + 1..) {
            Some(exponent) => parse_exponent(exponent)?,
            None => 0,
        };
        let (digits, point) = significant_digits(&text[..mantissa_end])?;
        let decimal = from_digits(negative, digits, point + written_exponent)?;
        // Even zero may not be written with an exponent above the range (a public report of 2025: 0e1000 is refused).
        if decimal.len == 0 && written_exponent > NUMBER_EXPONENT_MAX { Err(NumberError::Overflow) } else { Ok(decimal) }
    }

    fn encode(&self) -> Result<Number, NumberError> {
        if self.len == 0 {
            return Ok(Number::ZERO);
        }
        if self.exponent > NUMBER_EXPONENT_MAX + 1 {
            return Err(NumberError::Overflow);
        }
        if self.exponent < NUMBER_EXPONENT_MIN + 1 {
            return Err(NumberError::Underflow);
        }
        let pairs = usize::from(self.len).div_ceil(2);
        let mut bytes = [0; NUMBER_ENCODED_BYTES_MAX];
        bytes[0] = TAG_POSITIVE;
        bytes[1] = (self.exponent + EXPONENT_BIAS) as u8;
        for pair in 0..pairs {
            bytes[2 + pair] = self.digits[2 * pair] * 10 + self.digits[2 * pair + 1] + 1;
        }
        let len = pairs + 3;
        if self.negative {
            bytes[1..len].iter_mut().for_each(|byte| *byte = !*byte);
            bytes[0] = TAG_NEGATIVE;
        }
        Ok(Number { len: len as u8, bytes })
    }

    fn decode(bytes: &[u8]) -> Option<Decimal> {
        let (&tag, rest) = bytes.split_first()?;
        let flip = match tag {
            TAG_ZERO => return rest.is_empty().then_some(Decimal::ZERO),
            TAG_POSITIVE => 0,
            TAG_NEGATIVE => 0xFF,
            _ => return None,
        };
        let (&terminator, rest) = rest.split_last()?;
        let (&exponent, pairs) = rest.split_first()?;
        if terminator ^ flip != 0 || pairs.is_empty() || pairs.len() > NUMBER_DIGITS_MAX / 2 {
            return None;
        }
        let mut decimal = Decimal { negative: flip != 0, exponent: i32::from(exponent ^ flip) - EXPONENT_BIAS, ..Decimal::ZERO };
        for (index, pair) in pairs.iter().enumerate() {
            let pair = (pair ^ flip).checked_sub(1).filter(|pair| *pair < 100)?;
            decimal.digits[2 * index] = pair / 10;
            decimal.digits[2 * index + 1] = pair % 10;
        }
        let len = 2 * pairs.len();
        decimal.len = (len - usize::from(decimal.digits[len - 1] == 0)) as u8;
        // Zeros at either end would be a second encoding of a number that has one.
        let has_ends = decimal.digits[0] != 0 && decimal.digits[usize::from(decimal.len) - 1] != 0;
        has_ends.then_some(decimal)
    }
}

/// A written exponent, saturated far outside the range so that no text can overflow the arithmetic on it.
fn parse_exponent(text: &[u8]) -> Result<i32, NumberError> {
    const FAR: i32 = 100_000_000;
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Invalid);
    }
    let magnitude = digits.iter().fold(0i32, |sum, digit| (sum.saturating_mul(10).saturating_add(i32::from(digit - b'0'))).min(FAR));
    Ok(if negative { -magnitude } else { magnitude })
}

/// The digits of a mantissa without leading and trailing zeros (as an iterator-friendly pair of slices around the point)
/// and the exponent of its `0.d1d2…` form.
fn significant_digits(mantissa: &[u8]) -> Result<(impl Iterator<Item = u8> + use<'_>, i32), NumberError> {
    let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
    let fraction = mantissa.get(point + 1..).unwrap_or(&[]);
    let integer = &mantissa[..point];
    if integer.len() + fraction.len() == 0 || !integer.iter().chain(fraction).all(u8::is_ascii_digit) {
        return Err(NumberError::Invalid);
    }
    let leading = integer.iter().chain(fraction).take_while(|digit| **digit == b'0').count();
    let exponent =
        i32::try_from(integer.len()).map_err(|_| NumberError::Overflow)? - i32::try_from(leading).map_err(|_| NumberError::Underflow)?;
    Ok((integer.iter().chain(fraction).skip(leading).map(|digit| digit - b'0'), exponent))
}

/// Gathers digits (most significant first, the first one not zero) into a decimal, dropping trailing zeros.
fn from_digits(negative: bool, digits: impl Iterator<Item = u8>, exponent: i32) -> Result<Decimal, NumberError> {
    let mut decimal = Decimal { negative, exponent, ..Decimal::ZERO };
    let mut too_many = false;
    for (position, digit) in digits.enumerate() {
        if digit == 0 {
            continue;
        }
        if position >= NUMBER_DIGITS_MAX {
            too_many = true;
            break;
        }
        decimal.digits[position] = digit;
        decimal.len = (position + 1) as u8;
    }
    if decimal.len == 0 {
        return Ok(Decimal::ZERO);
    }
    // Range errors win over precision errors when both apply (assumed).
    decimal.encode()?;
    if too_many { Err(NumberError::TooManyDigits) } else { Ok(decimal) }
}

fn add(left: &Decimal, right: &Decimal) -> Result<Number, NumberError> {
    /// Two 38-digit numbers whose digits span more than this cannot sum to 38 digits, however they cancel.
    const SPAN_MAX: i32 = 3 * NUMBER_DIGITS_MAX as i32;
    if left.len == 0 {
        return right.encode();
    }
    if right.len == 0 {
        return left.encode();
    }
    let top = left.exponent.max(right.exponent);
    let bottom = (left.exponent - i32::from(left.len)).min(right.exponent - i32::from(right.len));
    if top - bottom > SPAN_MAX {
        return Err(NumberError::TooManyDigits);
    }
    // One extra column at the top takes the carry.
    let mut columns = [0i16; SPAN_MAX as usize + 1];
    let width = (top - bottom) as usize + 1;
    for term in [left, right] {
        let offset = (top - term.exponent) as usize + 1;
        let sign = if term.negative { -1 } else { 1 };
        for position in 0..usize::from(term.len) {
            columns[offset + position] += sign * i16::from(term.digits[position]);
        }
    }
    let negative = columns[..width].iter().find(|column| **column != 0).is_some_and(|column| *column < 0);
    if negative {
        columns[..width].iter_mut().for_each(|column| *column = -*column);
    }
    for position in (1..width).rev() {
        let carry = columns[position].div_euclid(10);
        columns[position] -= carry * 10;
        columns[position - 1] += carry;
    }
    let Some(first) = columns[..width].iter().position(|column| *column != 0) else {
        return Ok(Number::ZERO);
    };
    let digits = columns[first..width].iter().map(|column| *column as u8);
    from_digits(negative, digits, top + 1 - first as i32)?.encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        let printed = match Number::parse(input) {
            Ok(number) => {
                assert_eq!(Number::from_bytes(number.as_bytes()), Some(number));
                number.to_string()
            }
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(printed, expected, "{input}");
    }

    #[test]
    fn parses_to_canonical_form() {
        check("0", "0");
        check("-0.00", "0");
        check("007", "7");
        check("1.0", "1");
        check("-1.50", "-1.5");
        check("1E2", "100");
        check("1e-3", "0.001");
        check("+.5", "0.5");
        check("5.", "5");
        check("1E125", &format!("1{}", "0".repeat(125)));
        check("1E-130", &format!("0.{}1", "0".repeat(129)));
        check(&format!("1{}", "0".repeat(125)), &format!("1{}", "0".repeat(125)));
        check(&"9".repeat(38), &"9".repeat(38));
    }

    #[test]
    fn bytes_that_no_number_is_encoded_as_are_refused() {
        assert_eq!(Number::from_bytes(&[0xC0, 0x82, 0x0B, 0x00]), Some(Number::from(1)));
        // 0.046 x 10^-129 and 0.10 00 x 10^1: zeros in front and behind. The others lack an end, a tag, or are too long.
        let refused: [&[u8]; 6] = [
            &[0xC0, 0x00, 0x05, 0x45, 0x00],
            &[0xC0, 0x82, 0x0B, 0x01, 0x00],
            &[0xC0, 0x82, 0x0B],
            &[0xC0, 0x82, 0x00],
            &[0x41, 0x82, 0x0B, 0x00],
            &[0x80, 0x00],
        ];
        for bytes in refused {
            assert_eq!(Number::from_bytes(bytes), None, "{bytes:?}");
        }
        let too_long = [&[0xC0, 0x82][..], &[0x0C; 20], &[0x00]].concat();
        assert_eq!(Number::from_bytes(&too_long), None);
    }

    #[test]
    fn refuses_what_the_service_refuses() {
        for text in ["", "-", ".", "abc", "1a", "1e", "1e+", "NaN", "Infinity", " 1", "1 ", "0x10", "1.2.3", "--1"] {
            check(text, "Invalid");
        }
        check(&"9".repeat(39), "TooManyDigits");
        check("1E126", "Overflow");
        check("-1E126", "Overflow");
        check("1E999999999999999999999", "Overflow");
        check("1E-131", "Underflow");
        check("0E125", "0");
        check("0E999999", "Overflow");
    }

    #[test]
    fn short_numbers_are_a_whole_number_and_a_power_of_ten() {
        let of = |text: &str| scientific(Number::parse(text).unwrap().as_bytes());
        for (text, expected) in [
            ("0", Some((false, 0, 0))),
            ("1", Some((false, 10, -1))),
            ("-12.5", Some((true, 1250, -2))),
            ("1200", Some((false, 12, 2))),
            ("0.00012", Some((false, 12, -5))),
            ("-123456789012345678", Some((true, 123_456_789_012_345_678, 0))),
            ("1234567890123456789", None),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[track_caller]
    fn check_add(left: &str, right: &str, expected: &str) {
        let (left, right) = (Number::parse(left).unwrap(), Number::parse(right).unwrap());
        let sum = left.checked_add(&right).map_or_else(|error| format!("{error:?}"), |sum| sum.to_string());
        assert_eq!(sum, expected);
    }

    #[test]
    fn adds_exactly_or_not_at_all() {
        check_add("1", "2", "3");
        check_add("0.1", "0.2", "0.3");
        check_add("1", "-1", "0");
        check_add("-5", "3", "-2");
        check_add("99", "1", "100");
        check_add("1000", "-0.001", "999.999");
        check_add("1E38", "1", "TooManyDigits");
        check_add("1E125", "1E-130", "TooManyDigits");
        check_add(&"9".repeat(38), "1", &format!("1{}", "0".repeat(38)));
        check_add("9.9E125", "1E125", "Overflow");
    }

    #[test]
    fn order_of_bytes_is_order_of_numbers() {
        let ordered = [
            "-1E125", "-100", "-99.5", "-99", "-1.5", "-1", "-0.1", "-1E-130", "0", "1E-130", "0.1", "1", "1.05", "1.5", "2", "10", "99",
            "100", "1E125",
        ];
        let numbers: Vec<Number> = ordered.iter().map(|text| Number::parse(text).unwrap()).collect();
        assert!(numbers.is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn counts_size_by_digit_pairs() {
        for (text, size) in [("1", 2), ("12", 2), ("123", 3), ("1000", 2), ("0.001", 2), ("123.456", 5), ("-1", 2)] {
            assert_eq!(Number::parse(text).unwrap().size_bytes(), size, "{text}");
        }
    }

    #[test]
    fn converts_integers() {
        for value in [0, 1, -1, 100, 1_732_000_000, i64::MAX, i64::MIN] {
            assert_eq!(Number::from(value).to_i64(), Some(value));
        }
        assert_eq!(Number::parse("1.5").unwrap().to_i64(), None);
        assert_eq!(Number::parse("1E30").unwrap().to_i64(), None);
    }
}
