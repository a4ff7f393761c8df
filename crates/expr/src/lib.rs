//! The languages of DynamoDB: the five expressions, the legacy parameters and PartiQL, lowered to the same forms.
//!
//! ```text
//!   text  --parse-->  ast (names and values unresolved)  --Binder-->  Condition | Projection | Update | KeyCondition
//!   legacy parameters  -------------------------------------------->  the same
//! ```
//!
//! A request makes one [`Binder`] of its substitutions, binds its expressions and asks [`Binder::finish`] what was left
//! unused. What must stay true: this crate is pure and always terminates; every input costs time linear in its size; errors
//! are typed facts ([`ExprError`]) that the wire turns into sentences.
#![deny(clippy::float_arithmetic)]

pub mod ast;
mod bind;
mod condition;
mod error;
mod eval;
mod key_condition;
pub mod legacy;
pub mod lex;
mod literal;
pub mod parse;
pub mod partiql;
mod print;
mod projection;
mod reserved;
mod update;

pub use bind::{Binder, Names};
pub use condition::{Comparator, Condition};
pub use error::{
    ExprError, ExpressionKind, KeyConditionError, KeyShapeError, LegacyError, OperandType, PathClash, SearchShapeError, Substitution,
    UpdateError,
};
pub use key_condition::{KeyCondition, KeyPlan, KeyRange};
pub use literal::Literal;
pub use projection::Projection;
pub use reserved::is_reserved;
pub use update::Update;

/// Parses and binds a ConditionExpression or FilterExpression.
pub fn condition(text: &str, binder: &mut Binder<'_>) -> Result<Condition, ExprError> {
    binder.condition(&parse::condition(text)?)
}

/// Parses and binds a ProjectionExpression.
pub fn projection(text: &str, binder: &mut Binder<'_>) -> Result<Projection, ExprError> {
    binder.projection(&parse::projection(text)?)
}

/// Parses and binds an UpdateExpression.
pub fn update(text: &str, binder: &mut Binder<'_>) -> Result<Update, ExprError> {
    binder.update(&parse::update(text)?)
}

/// Parses and binds a KeyConditionExpression.
pub fn key_condition(text: &str, binder: &mut Binder<'_>) -> Result<KeyCondition, ExprError> {
    binder.key_condition(&parse::condition(text)?)
}

/// Parses and binds a SearchConditionExpression: attributes, and what each has to equal.
pub fn search_condition(text: &str, binder: &mut Binder<'_>) -> Result<Vec<(String, Literal)>, ExprError> {
    binder.search_condition(&parse::condition(text)?)
}
