//! The rules that a request's members obey by themselves, gathered before anything else is looked at.
//!
//! All violations of a request are reported in one sentence, in the order in which the operation states its rules. The
//! service words them in two ways: operations on tables as it always did, operations on items in the shorter way since
//! June 2026 (`spec/observed`, behaviours). What must stay true: the wording is here alone.

use std::fmt::{self, Display, Formatter};

use crate::fault::Fault;

/// Which of the two wordings an operation speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `Value 'x' at 'tableName' failed …`
    Classic,
    /// `Value at 'TableName' failed …`
    Current,
}

/// The path of a member, spelled only where something is wrong with it.
pub struct Spelled<F>(pub F);

impl<F: Fn(&mut Formatter<'_>) -> fmt::Result> Display for Spelled<F> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        (self.0)(formatter)
    }
}

/// Gathers violations.
#[derive(Debug)]
pub struct Constraints {
    style: Style,
    violations: Vec<String>,
}

impl Constraints {
    /// No violation yet.
    pub fn new(style: Style) -> Constraints {
        Constraints { style, violations: Vec::new() }
    }

    /// Whether nothing was violated so far.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// A member that has to be there.
    pub fn required<T>(&mut self, path: impl Display, value: Option<&T>) {
        if value.is_none() {
            self.violate("null", path, "Member must not be null");
        }
    }

    /// A string's length, in characters as the service counts.
    pub fn length(&mut self, path: impl Display, value: Option<&str>, min: usize, max: usize) {
        let Some(value) = value else { return };
        let length = value.chars().count();
        if length < min {
            self.violate(&format!("'{value}'"), path, &format!("Member must have length greater than or equal to {min}"));
        } else if length > max {
            self.violate(&format!("'{value}'"), path, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// How many members a list or map has; `shown` is how the classic wording prints it.
    pub fn count(&mut self, path: &str, shown: &str, count: usize, min: usize, max: usize) {
        if count < min {
            self.violate(&format!("'{shown}'"), path, &format!("Member must have length greater than or equal to {min}"));
        } else if count > max {
            self.violate(&format!("'{shown}'"), path, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// How many members each of the lists of a map has; said of the map, whichever list it is.
    pub fn map_counts(&mut self, path: &str, counts: impl Iterator<Item = usize>, min: usize, max: usize) {
        let mut counts = counts;
        if counts.any(|count| !(min..=max).contains(&count)) {
            let rules = each_length(min, max);
            self.violate("", path, &format!("Map value must satisfy constraint: {rules}"));
        }
    }

    /// The lengths of a list's strings; said of the list, which `shown` prints for the classic wording.
    pub fn lengths(&mut self, path: &str, values: &[impl AsRef<str>], min: usize, max: usize) {
        if values.iter().any(|value| !(min..=max).contains(&value.as_ref().chars().count())) {
            let shown: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
            let rules = each_length(min, max);
            self.violate(&format!("'[{}]'", shown.join(", ")), path, &format!("Member must satisfy constraint: {rules}"));
        }
    }

    /// A number's range.
    pub fn range(&mut self, path: &str, value: Option<i64>, min: i64, max: i64) {
        let Some(value) = value else { return };
        if value < min {
            self.violate(&format!("'{value}'"), path, &format!("Member must have value greater than or equal to {min}"));
        } else if value > max {
            self.violate(&format!("'{value}'"), path, &format!("Member must have value less than or equal to {max}"));
        }
    }

    /// Names of tables and indexes: the characters that they may have.
    pub fn name_pattern(&mut self, path: &str, value: Option<&str>) {
        let Some(value) = value else { return };
        if !value.is_empty() && !stator_model::name::has_allowed_characters(value) {
            self.violate(&format!("'{value}'"), path, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        }
    }

    /// One of a set of words, listed in the order in which the service prints them.
    pub fn one_of(&mut self, path: impl Display, value: Option<&str>, words: &[&str]) {
        let Some(value) = value else { return };
        if !words.contains(&value) {
            self.violate(&format!("'{value}'"), path, &format!("Member must satisfy enum value set: [{}]", words.join(", ")));
        }
    }

    /// A rule that is told without member and value (behaviours: so the newer validation speaks of ReturnValues).
    pub fn nameless(&mut self, rule: &str) {
        self.violations.push(format!("Failed to satisfy constraint: {rule}"));
    }

    /// Reports what was gathered.
    pub fn finish(self) -> Result<(), Fault> {
        let (count, violations) = (self.violations.len(), self.violations.join("; "));
        match count {
            0 => Ok(()),
            1 => Err(Fault::validation(detected(&violations))),
            _ => Err(Fault::validation(format!("{count} validation errors detected: {violations}"))),
        }
    }

    fn violate(&mut self, value: &str, path: impl Display, rule: &str) {
        self.violations.push(match self.style {
            Style::Classic => format!("Value {value} at '{}' failed to satisfy constraint: {rule}", lower_camel(&path.to_string())),
            Style::Current => format!("Value at '{path}' failed to satisfy constraint: {rule}"),
        });
    }
}

fn each_length(min: usize, max: usize) -> String {
    format!("[Member must have length less than or equal to {max}, Member must have length greater than or equal to {min}]")
}

/// A single violation as the newer validation reports it.
pub fn detected(violation: &str) -> String {
    format!("1 validation error detected: {violation}")
}

/// `GlobalSecondaryIndexes.1.member.IndexName` as `globalSecondaryIndexes.1.member.indexName`.
fn lower_camel(path: &str) -> String {
    let lower = |segment: &str| {
        let mut characters = segment.chars();
        characters.next().map(|first| first.to_ascii_lowercase().to_string() + characters.as_str()).unwrap_or_default()
    };
    path.split('.').map(lower).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_in_both_wordings() {
        let gather = |style| {
            let mut constraints = Constraints::new(style);
            constraints.required::<()>("TableName", None);
            constraints.length("Index.1.IndexName", Some("ab"), 3, 255);
            constraints.range("Limit", Some(5), 1, 10);
            constraints.finish().unwrap_err().message.unwrap()
        };
        assert_eq!(
            gather(Style::Classic),
            "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; \
             Value 'ab' at 'index.1.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"
        );
        assert!(gather(Style::Current).contains("Value at 'TableName' failed"));
    }
}
