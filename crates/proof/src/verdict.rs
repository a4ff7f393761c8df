//! Why a command did not end well.
//!
//! What must stay true: a violation is the product's, and only it counts as having found a planted fault; a proof that could
//! not be made is never taken for one.

use std::fmt;

use stator_driver::failure::Failure;

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Violation {
    /// The product broke a promise.
    Found(String),
    /// The proof itself could not be made: no disk space, no compiler, no server.
    Broken(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Found(what) => write!(f, "VIOLATION: {what}"),
            Violation::Broken(why) => write!(f, "could not be carried out: {why}"),
        }
    }
}

impl From<Failure> for Violation {
    fn from(failure: Failure) -> Violation {
        Violation::Broken(failure.0)
    }
}

impl From<std::io::Error> for Violation {
    fn from(error: std::io::Error) -> Violation {
        broken(error)
    }
}

/// A promise that does not hold.
pub(crate) fn found(what: impl Into<String>) -> Violation {
    Violation::Found(what.into())
}

/// A proof that could not be made.
pub(crate) fn broken(why: impl fmt::Display) -> Violation {
    Violation::Broken(why.to_string())
}
