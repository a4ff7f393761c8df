//! What DynamoDB talks about: values, numbers, items, paths, keys, table definitions and the published limits.
//!
//! Every other crate shares these words. What must stay true: this crate is pure. It performs no I/O, reads no
//! clock, draws no randomness and knows no serialization format but its own canonical encoding (`encoded`).
#![deny(clippy::float_arithmetic)]

pub mod arn;
pub mod encoded;
pub mod item;
pub mod key;
pub mod limits;
pub mod name;
pub mod number;
pub mod path;
pub mod stream;
pub mod table;
pub mod value;

pub use encoded::{Encoder, ListRef, MapRef, NumberRef, RawValue, SetRef, ValueRef, ValueType};
pub use item::Item;
pub use number::Number;
pub use path::{Path, PathStep};
pub use value::Value;
