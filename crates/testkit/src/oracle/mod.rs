//! A naive DynamoDB: a map of items, and the plainest reading of what each operation does to it.
//!
//! ```text
//!   Operation ──┬── request ──► JSON, for the real thing
//!               └── Oracle::perform ──► what it has to answer
//! ```
//!
//! Expressions are trees here from the beginning: they are written out for the real thing, and walked by the oracle. What
//! must stay true: nothing but `stator_model` is shared with the product, no evaluator, no parser and no encoding; and
//! where plainness and speed differ, this is plain.

mod capacity;
mod condition;
mod expiry;
mod legacy;
mod request;
mod statement;
mod table;
mod tree;
mod update;
mod wire;

pub use capacity::read as read_halves;
pub use expiry::{STEP_S, UNTIL, said_at};
pub use legacy::is_legacy;
pub use request::{key, request};
pub use statement::{can_be_said, is_short};
pub use table::{Answer, Change, Oracle, Rows, TABLE};
pub use tree::{
    Action, Assigned, Comparator, Condition, Find, Id, Member, Operand, Operation, Path, Returned, Statement, Step, Term, Update, View,
};
pub use wire::{item, json_of};

use std::collections::BTreeMap;

use stator_model::Value;

/// The attributes of an item.
pub type Attributes = BTreeMap<String, Value>;
