//! What a command is.
//!
//! What must stay true: its help says what it does and what must hold, so that a figure can be judged without the source.

use stator_planted::Fault;

use crate::run::Run;
use crate::verdict::Violation;

/// A way to put the product through something.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// One line, for the list.
    pub(crate) about: &'static str,
    /// What it does, and what must hold.
    pub(crate) help: &'static str,
    /// What can be set beside the common options.
    pub(crate) options: &'static [Choice],
    /// Planted faults that it has to find.
    pub(crate) faults: &'static [Fault],
    /// Does it. The figures are one line.
    pub(crate) perform: fn(&mut Run) -> Result<String, Violation>,
}

/// An option with a value: `--rounds 200`.
pub(crate) struct Choice {
    pub(crate) name: &'static str,
    /// What it is when it is not given.
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
}
