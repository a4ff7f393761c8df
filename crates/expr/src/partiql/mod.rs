//! PartiQL: statements, lowered to the trees of the expressions.
//!
//! ```text
//!   text + parameters ── lex, parse ──► Statement ── bind ──► Condition | Projection | Update | Item
//!                                           └── split by a key ──► KeyPlans and the rest as a filter
//! ```
//!
//! What must stay true: every name and every literal of a statement becomes a substitution, so that the one binder checks
//! statements as it checks expressions and a statement means what the expression of the same words means. Nothing recurses
//! deeper than [`DEPTH_MAX`].

mod lex;
mod literal;
mod parse;
mod split;
mod statement;

pub use parse::parse;
pub use split::{Split, SplitError};
pub use statement::{Body, Columns, Returning, Source, Statement};

/// How deeply conditions and literals may nest.
pub const DEPTH_MAX: usize = 64;

/// Why a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementError {
    /// None of SELECT, INSERT, UPDATE, DELETE and EXISTS.
    NoStatement,
    /// Something else had to stand where this token stands; empty at the end of the text.
    Expected {
        /// What had to stand there.
        wanted: &'static str,
        /// What stands there.
        found: String,
    },
    /// More or fewer `?` than parameters.
    ParameterCount {
        /// How many the statement has.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// A quote without its end.
    Unterminated,
    /// Not a number that can be stored.
    Number(String),
    /// A set without elements, with several types, or with equal elements.
    Set,
    /// One name twice.
    RepeatedName(String),
    /// Nested too deeply.
    TooDeep,
    /// No such function here.
    Function(String),
}
