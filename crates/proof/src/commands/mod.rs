//! The list of commands: one file each, one line here.
//!
//! What must stay true: nothing but this list knows which there are; `cargo xtask` passes on whatever it does not know.

use crate::command::Command;

mod clock;
mod corrupt;
mod crash;
mod faults;
mod format;
mod fuzz;
mod histories;
mod hostile;
mod model;
mod overload;
mod panics;
mod powercut;
mod soak;

/// All commands, as the help lists them.
pub(crate) const COMMANDS: &[&Command] = &[
    &crash::COMMAND,
    &powercut::COMMAND,
    &faults::COMMAND,
    &corrupt::COMMAND,
    &model::COMMAND,
    &histories::COMMAND,
    &hostile::COMMAND,
    &overload::COMMAND,
    &panics::COMMAND,
    &clock::COMMAND,
    &fuzz::COMMAND,
    &soak::COMMAND,
    &format::COMMAND,
];
