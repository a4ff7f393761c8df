//! The f32 nearest to a decimal number.
//!
//! A vector has hundreds of numbers, and every write of its item needs them all. Most have few digits: a whole number below
//! 2^53, multiplied or divided by a power of ten that an f64 holds exactly, is the nearest f64 after one rounding. What must
//! stay true: the outcome is that of parsing the digits; where a second rounding, to f32, could err (the f64 lies in the
//! middle between two), or the f32 would be subnormal, the digits are parsed.

use stator_model::NumberRef;

/// Whole numbers up to here are f64s.
const EXACT_MAX: u64 = 1 << 53;

/// Powers of ten that are f64s.
const POWERS: [f64; 23] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22];

/// The bits of an f64 that an f32 does not have, and what they are in the middle between two f32s.
const LOST_BITS: u64 = (1 << 29) - 1;
const MIDDLE: u64 = 1 << 28;

/// The f32 nearest to a number, if there is a finite one; `digits` is a buffer to work in.
pub(super) fn nearest(number: NumberRef<'_>, digits: &mut Vec<u8>) -> Option<f32> {
    let nearest = quick(number).map_or_else(|| parsed(number, digits), Some)?;
    nearest.is_finite().then_some(nearest)
}

#[allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "one rounding each, to f64 and to f32; the head of the file says why that is right"
)]
fn quick(number: NumberRef<'_>) -> Option<f32> {
    let (is_negative, whole, exponent) = number.scientific()?;
    let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
    if whole > EXACT_MAX {
        return None;
    }
    let wide = if exponent < 0 { whole as f64 / power } else { whole as f64 * power };
    let is_certain = wide.to_bits() & LOST_BITS != MIDDLE && (whole == 0 || wide >= f64::from(f32::MIN_POSITIVE));
    is_certain.then_some(if is_negative { -(wide as f32) } else { wide as f32 })
}

fn parsed(number: NumberRef<'_>, digits: &mut Vec<u8>) -> Option<f32> {
    digits.clear();
    number.write_canonical(digits);
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stator_model::Number;

    use super::*;

    fn check(text: &str) {
        let number = Number::parse(text).unwrap();
        let expected: f32 = number.to_string().parse().unwrap();
        let found = nearest(NumberRef(number.as_bytes()), &mut Vec::new());
        assert_eq!(found.map(f32::to_bits), expected.is_finite().then_some(expected.to_bits()), "{text}");
    }

    #[test]
    fn hard_cases_are_rounded_once() {
        for text in [
            "0",
            "-1",
            "0.1",
            "16777217",
            "16777219",
            "33554435",
            "9007199254740993",
            "9007199791611904",
            "9007199791611905",
            "340282346638528859811704183484516925440",
            "3.4028235677973366E38",
            "3.4028235677973365E38",
            "1E39",
            "-1E39",
            "1E-45",
            "7E-46",
            "1.17549435E-38",
            "1.1754942E-38",
            "1E22",
            "1E23",
            "0.00000000000000000000001",
            "123456789012345678901234567890",
            // Just above and below the middle between 1 and the f32 after it.
            "1.000000059604644775390625",
            "1.00000005960464477539062500000000001",
            "1.0000000596046447753906249999999999",
            "1.00000005960464477539",
            "1.00000005960464478",
        ] {
            check(text);
        }
    }

    proptest! {
        #[test]
        fn every_number_becomes_what_parsing_makes_of_it(whole in any::<i64>(), exponent in -60_i32..40) {
            check(&format!("{whole}e{exponent}"));
        }

        #[test]
        fn numbers_of_few_digits_too(whole in -99_999_999_i64..99_999_999, exponent in -12_i32..3) {
            check(&format!("{whole}e{exponent}"));
        }

        #[test]
        fn an_f32_becomes_itself(bits in any::<u32>()) {
            let given = f32::from_bits(bits);
            prop_assume!(given.is_finite() && given != 0.0);
            let number = Number::parse(&given.to_string()).unwrap();
            prop_assert_eq!(nearest(NumberRef(number.as_bytes()), &mut Vec::new()), Some(given));
        }
    }
}
