//! How the values of settings are written and read.
//!
//! What must stay true: `parse` reads what `print` writes, and a refusal says what would have been accepted.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A type that a setting may have.
pub trait Value: Sized {
    /// What to write in the place of a value, in help texts.
    const KIND: &'static str;

    /// Reads a value.
    ///
    /// # Errors
    /// A sentence that says what is accepted.
    fn parse(text: &str) -> Result<Self, String>;

    /// Writes a value; empty when there is none.
    fn print(&self) -> String;
}

impl Value for String {
    const KIND: &'static str = "TEXT";

    fn parse(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    fn print(&self) -> String {
        self.clone()
    }
}

impl Value for bool {
    const KIND: &'static str = "true|false";

    fn parse(text: &str) -> Result<bool, String> {
        text.parse().map_err(|_| "expected true or false".to_owned())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for u32 {
    const KIND: &'static str = "NUMBER";

    fn parse(text: &str) -> Result<u32, String> {
        text.parse().map_err(|_| format!("expected a number from 0 to {}", u32::MAX))
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// A time in hours, with decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours(pub Duration);

impl Value for Hours {
    const KIND: &'static str = "HOURS";

    fn parse(text: &str) -> Result<Hours, String> {
        let hours = text.parse::<f64>().ok().filter(|hours| *hours > 0.0 && *hours <= 24.0);
        let hours = hours.ok_or("expected hours above 0 and up to 24, such as 4 or 0.01")?;
        Ok(Hours(Duration::from_secs_f64(hours * 3600.0)))
    }

    fn print(&self) -> String {
        (self.0.as_secs_f64() / 3600.0).to_string()
    }
}

impl Value for SocketAddr {
    const KIND: &'static str = "ADDRESS:PORT";

    fn parse(text: &str) -> Result<SocketAddr, String> {
        let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse().map_err(|_| "expected an address and a port, such as 127.0.0.1:8000 or [::1]:8000".to_owned())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "PATH";

    fn parse(text: &str) -> Result<PathBuf, String> {
        if text.is_empty() { Err("expected a path".to_owned()) } else { Ok(PathBuf::from(text)) }
    }

    fn print(&self) -> String {
        self.display().to_string()
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: &'static str = T::KIND;

    fn parse(text: &str) -> Result<Option<T>, String> {
        T::parse(text).map(Some)
    }

    fn print(&self) -> String {
        self.as_ref().map(T::print).unwrap_or_default()
    }
}

/// A number of bytes, written with a binary unit: `512MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Value for Size {
    const KIND: &'static str = "SIZE";

    fn parse(text: &str) -> Result<Size, String> {
        let expected = || "expected a size, such as 512MiB or 4GiB".to_owned();
        let digits_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits_end);
        let unit = unit.trim();
        let factor = match unit {
            "" => 1,
            unit => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, factor)| *factor).ok_or_else(expected)?,
        };
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).map(Size).ok_or_else(expected)
    }

    fn print(&self) -> String {
        let (name, factor) = UNITS.iter().find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor)).unwrap_or(&("B", 1));
        format!("{}{name}", self.0 / factor)
    }
}

/// A time span, written with a unit: `500ms`, `30s`, `2min`.
impl Value for Duration {
    const KIND: &'static str = "TIME";

    fn parse(text: &str) -> Result<Duration, String> {
        let expected = || "expected a time, such as 500ms, 30s or 2min".to_owned();
        let digits_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits_end);
        let factor = match unit.trim() {
            "ms" => 1,
            "s" => 1000,
            "min" => 60_000,
            _ => return Err(expected()),
        };
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).map(Duration::from_millis).ok_or_else(expected)
    }

    fn print(&self) -> String {
        match self.as_millis() {
            0 => "0s".to_owned(),
            ms if ms % 60_000 == 0 => format!("{}min", ms / 60_000),
            ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
            ms => format!("{ms}ms"),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Value for LogFormat {
    const KIND: &'static str = "text|json";

    fn parse(text: &str) -> Result<LogFormat, String> {
        match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err("expected text or json".to_owned()),
        }
    }

    fn print(&self) -> String {
        match self {
            LogFormat::Text => "text".to_owned(),
            LogFormat::Json => "json".to_owned(),
        }
    }
}

/// Which log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Failures of the server.
    Error,
    /// And what an operator should look at.
    Warn,
    /// And every failed request.
    Info,
    /// And what the server does.
    Debug,
}

impl Value for LogLevel {
    const KIND: &'static str = "error|warn|info|debug";

    fn parse(text: &str) -> Result<LogLevel, String> {
        match text {
            "error" => Ok(LogLevel::Error),
            "warn" => Ok(LogLevel::Warn),
            "info" => Ok(LogLevel::Info),
            "debug" => Ok(LogLevel::Debug),
            _ => Err("expected error, warn, info or debug".to_owned()),
        }
    }

    fn print(&self) -> String {
        format!("{self:?}").to_ascii_lowercase()
    }
}

/// An account: twelve digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountId(pub String);

impl Value for AccountId {
    const KIND: &'static str = "DIGITS";

    fn parse(text: &str) -> Result<AccountId, String> {
        let is_valid = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_valid { Ok(AccountId(text.to_owned())) } else { Err("expected twelve digits".to_owned()) }
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// A secret that help texts and samples never show.
impl Value for stator_iam::Secret {
    const KIND: &'static str = "SECRET";

    fn parse(text: &str) -> Result<stator_iam::Secret, String> {
        Ok(stator_iam::Secret::new(text.to_owned()))
    }

    fn print(&self) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back<T: Value>(text: &str) -> String {
        T::parse(text).map_or_else(|error| error, |value| value.print())
    }

    #[test]
    fn sizes_and_times_are_written_in_their_largest_unit() {
        assert_eq!(read_back::<Size>("1024"), "1KiB");
        assert_eq!(read_back::<Size>("4gib"), "4GiB");
        assert_eq!(read_back::<Size>("1000"), "1000B");
        assert_eq!(read_back::<Duration>("60s"), "1min");
        assert_eq!(read_back::<Duration>("1500ms"), "1500ms");
    }

    #[test]
    fn refusals_say_what_is_accepted() {
        assert!(Size::parse("lots").unwrap_err().contains("512MiB"));
        assert!(Size::parse("99999999999GiB").is_err());
        assert!(Duration::parse("30").unwrap_err().contains("30s"));
        assert!(SocketAddr::parse("8000").unwrap_err().contains("127.0.0.1:8000"));
        assert!(AccountId::parse("1").unwrap_err().contains("twelve"));
    }

    #[test]
    fn localhost_is_an_address() {
        assert_eq!(read_back::<SocketAddr>("localhost:0"), "127.0.0.1:0");
    }
}
