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

mod keyword;
mod lex;
mod literal;
mod parse;
mod split;
mod statement;

use stator_model::ValueType;
use stator_model::number::NumberError;

pub use parse::parse;
pub use split::{Split, SplitError};
pub use statement::{Body, Columns, Returning, Source, Statement};

/// How deeply conditions may nest.
pub const DEPTH_MAX: usize = 64;

/// What stands where an operand had to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// A word that is no name.
    Keyword,
    /// An operator.
    Operator,
    /// Anything else, or nothing.
    Other,
}

/// Why a text is no statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementError {
    /// It does nothing: neither reads nor writes, or is an UPDATE without SET and REMOVE.
    NoOperation,
    /// A character that begins nothing, or a quote without its end.
    Character,
    /// An operand is missing.
    Operand(Misfit),
    /// An operator has nothing behind it.
    RightSide,
    /// This token had to stand there.
    Token(&'static str),
    /// This keyword had to stand there.
    Keyword(&'static str),
    /// `FROM` had to stand behind this.
    From(&'static str),
    /// The `=` of an assignment is missing.
    Assignment,
    /// What is written to has to be a name, or a path of names and positions.
    Target,
    /// Not a step of a path.
    PathStep,
    /// Neither `NULL` nor `MISSING` behind `IS`.
    TypeName,
    /// The text goes on behind the statement.
    Trailing,
    /// A table or column is given another name.
    Alias,
    /// A clause that the language has, but not here.
    Clause(&'static str),
    /// A write that says nothing of the key.
    NoCondition,
    /// More or fewer `?` than parameters.
    ParameterCount {
        /// How many the statement has.
        wanted: usize,
        /// How many were given.
        given: usize,
    },
    /// Not a number that can be stored.
    Number {
        /// Why.
        error: NumberError,
        /// As written.
        text: String,
    },
    /// A set without elements, or of elements that sets do not have.
    Set,
    /// A set with equal elements; all of them as they would be shown.
    Duplicates(ValueType, Vec<String>),
    /// `set_add` or `set_delete` of another path than the one that is written to.
    SetPath,
    /// `set_add` or `set_delete` of something that is no set.
    SetOperand,
    /// The new item is not a tuple.
    NoTuple,
    /// One name twice.
    RepeatedName(String),
    /// Nested too deeply.
    TooDeep,
    /// No such function here.
    Function(String),
}
