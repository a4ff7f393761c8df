//! Why a measurement could not be made, in words for whoever runs it.

use std::fmt;

/// A reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A failure with these words.
pub fn failed(words: impl Into<String>) -> Failure {
    Failure(words.into())
}
