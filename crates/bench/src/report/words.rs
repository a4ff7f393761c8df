//! Numbers in words: as many digits as mean something.

use crate::bar::{Limit, Part};
use crate::figures::{Figures, Spread};

/// A number with three significant digits.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 10_000.0 => thousands(value),
        medium if medium >= 100.0 => format!("{value:.0}"),
        small if small >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 && digit.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A median and its spread: `1.83 x (1.79 to 1.90)`.
pub(super) fn spread(spread: &Spread, unit: &str) -> String {
    let Spread { least, median, most } = *spread;
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    if (least - most).abs() < f64::EPSILON {
        return format!("{}{unit}", number(median));
    }
    format!("{}{unit} ({} to {})", number(median), number(least), number(most))
}

/// `at most 2.00 x`.
pub(super) fn limit(part: &Part) -> String {
    match part.limit {
        Limit::AtMost(most) => format!("at most {} {}", number(most), part.unit),
        Limit::AtLeast(least) => format!("at least {} {}", number(least), part.unit),
    }
}

/// A part with its numbers: `get p50: 1.02 x (0.99 to 1.10), at most 1.30 x: holds`.
pub(super) fn part(part: &Part, figures: &Figures) -> String {
    let judged = part.judge(figures);
    let label = if part.label.is_empty() { String::new() } else { format!("{}: ", part.label) };
    let measured = judged.spread.map_or_else(|| "not measured".to_owned(), |numbers| spread(&numbers, part.unit));
    format!("{label}{measured}, {}: {}", limit(part), judged.verdict.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_mean_something() {
        assert_eq!(number(1.234), "1.23");
        assert_eq!(number(56.78), "56.8");
        assert_eq!(number(789.4), "789");
        assert_eq!(number(1_234_567.0), "1,234,567");
        assert_eq!(number(12_345.6), "12,346");
    }

    #[test]
    fn a_spread_of_one_value_has_no_extremes() {
        assert_eq!(spread(&Spread { least: 2.0, median: 2.0, most: 2.0 }, "x"), "2.00 x");
        assert_eq!(spread(&Spread { least: 1.0, median: 2.0, most: 3.0 }, "x"), "2.00 x (1.00 to 3.00)");
    }
}
