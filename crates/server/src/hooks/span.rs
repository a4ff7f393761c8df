//! How calls write spans of time and moments.
//!
//! What must stay true: what is printed can be read.

use jiff::Timestamp;

use super::problem::Problem;

/// Units, largest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
/// The end of the year 9998, so that a time to wait for can lie behind any moment.
const MOMENT_MS_MAX: u64 = 253_370_764_799_999;

/// A span such as `250ms`, `25h` or `1d 30s`, in ms.
pub(super) fn parse(text: &str) -> Result<u64, Problem> {
    let refuse =
        || Problem::invalid(format!("{text:?} is no span of time"), "spans look like 250ms, 30s, 15min, 25h, 2d, or several: 1d 30s");
    let mut sum = 0_u64;
    for part in text.split_whitespace() {
        let digits_end = part.find(|character: char| !character.is_ascii_digit()).unwrap_or(part.len());
        let (number, unit) = part.split_at(digits_end);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, ms)| *ms).ok_or_else(refuse)?;
        let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(refuse)?;
        sum = sum.checked_add(ms).filter(|sum| *sum <= MOMENT_MS_MAX).ok_or_else(refuse)?;
    }
    if text.trim().is_empty() { Err(refuse()) } else { Ok(sum) }
}

/// A span in its largest whole unit.
pub(super) fn print(ms: u64) -> String {
    let (unit, factor) = UNITS.iter().find(|(_, factor)| ms > 0 && ms.is_multiple_of(*factor)).unwrap_or(&("s", 1000));
    format!("{}{unit}", ms / factor)
}

/// A moment such as `2030-01-31T12:00:00Z`, in ms since the epoch.
pub(super) fn parse_moment(text: &str) -> Result<u64, Problem> {
    let moment = text.parse::<Timestamp>().ok().and_then(|moment| u64::try_from(moment.as_millisecond()).ok());
    moment.ok_or_else(|| {
        Problem::invalid(format!("{text:?} is no moment"), "moments look like 2030-01-31T12:00:00Z, or are given in ms as now_ms")
    })
}

/// Refuses moments that do not leave room for what comes later.
pub(super) fn check_moment(ms: u64) -> Result<u64, Problem> {
    if ms <= MOMENT_MS_MAX { Ok(ms) } else { Err(Problem::invalid("the moment lies behind the year 9998", "take an earlier one")) }
}

/// A moment as text.
pub(super) fn print_moment(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_moments_come_back() {
        for (text, ms) in [("250ms", 250), ("25h", 90_000_000), ("2d", 172_800_000), ("90s", 90_000), ("0s", 0), ("15min", 900_000)] {
            assert_eq!(parse(text).ok(), Some(ms), "{text}");
            assert_eq!(parse(&print(ms)).ok(), Some(ms), "{text}");
        }
        assert_eq!(parse("1d 30s").ok(), Some(86_430_000));
        for text in ["", "5", "s", "-1s", "1.5h", "5 s", "99999999999d"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse_moment("2030-01-31T12:00:00Z").ok(), Some(1_896_091_200_000));
        assert_eq!(print_moment(1_896_091_200_000), "2030-01-31T12:00:00.000Z");
        assert!(parse_moment("tomorrow").is_err() && parse_moment("1960-01-01T00:00:00Z").is_err());
    }
}
