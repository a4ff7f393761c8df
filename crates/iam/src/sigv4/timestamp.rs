//! Points in time as signatures write them: `20150830T123600Z`.
//!
//! What must stay true: whole seconds, UTC, and printing gives back what was parsed.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

const SECONDS_PER_DAY: i64 = 86_400;

/// Seconds since 1970-01-01T00:00:00Z, in a year of four digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Parses the ISO 8601 basic form.
    pub fn parse_basic(text: &str) -> Option<Timestamp> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let number = |from: usize, to: usize| {
            let digits = &bytes[from..to];
            digits.iter().all(u8::is_ascii_digit).then(|| digits.iter().fold(0i64, |sum, digit| sum * 10 + i64::from(digit - b'0')))
        };
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
        if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        if hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        Some(Timestamp(days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second))
    }

    /// Parses a `Date` header, in the HTTP form, in the mail form that botocore writes, or in the basic form.
    pub fn parse_date_header(text: &str) -> Option<Timestamp> {
        Timestamp::parse_basic(text).or_else(|| {
            let in_http_form = text.strip_suffix("-0000").map(|text| format!("{text}GMT"));
            let time = httpdate::parse_http_date(in_http_form.as_deref().unwrap_or(text))
                .ok()?
                .duration_since(UNIX_EPOCH)
                .unwrap_or(Duration::ZERO);
            i64::try_from(time.as_secs()).ok().map(Timestamp)
        })
    }

    /// The ISO 8601 basic form, without going through a formatter: every signature needs it.
    pub fn basic(self) -> [u8; 16] {
        let (year, month, day) = civil_from_days(self.0.div_euclid(SECONDS_PER_DAY));
        let second = self.0.rem_euclid(SECONDS_PER_DAY);
        let mut text = *b"00000000T000000Z";
        let pairs = [(0, year / 100), (2, year), (4, month), (6, day), (9, second / 3600), (11, second / 60 % 60), (13, second % 60)];
        for (at, number) in pairs {
            let digit = |number: i64| b'0' + u8::try_from(number % 10).expect("a digit");
            (text[at], text[at + 1]) = (digit(number / 10), digit(number));
        }
        text
    }

    /// The date alone, `YYYYMMDD`.
    pub fn date(self) -> String {
        String::from_utf8_lossy(&self.basic()[..8]).into_owned()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.basic()))
    }
}

/// Days since 1970-01-01, counting years from March so that the leap day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn prints_what_it_parses() {
        for text in ["19700101T000000Z", "20000229T235959Z", "20150830T123600Z", "20240301T000000Z", "20991231T010203Z"] {
            assert_eq!(Timestamp::parse_basic(text).unwrap().to_string(), text);
        }
        assert_eq!(Timestamp::parse_basic("20150830T123600Z"), Some(Timestamp(1_440_938_160)));
    }

    #[test]
    fn reads_the_date_header_in_both_forms() {
        assert_eq!(Timestamp::parse_date_header("Sun, 30 Aug 2015 12:36:00 GMT"), Some(Timestamp(1_440_938_160)));
        assert_eq!(Timestamp::parse_date_header("20150830T123600Z"), Some(Timestamp(1_440_938_160)));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for text in ["", "20150830T123600", "20151330T123600Z", "2015083xT123600Z", "20150830T253600Z", "+0150830T123600Z"] {
            assert_eq!(Timestamp::parse_basic(text), None, "{text}");
        }
    }
}
