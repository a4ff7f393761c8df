//! Every sentence that the service says, grouped by concern.
//!
//! What must stay true: no other module spells one, and each is made of typed facts, never of another text.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod exception;
pub mod expression;
pub mod item;
pub mod read;
pub mod serialization;
pub mod signature;
pub mod statement;
pub mod stream;
pub mod table;
pub mod tag;
pub mod transaction;
pub mod ttl;
pub mod value;
pub mod vector;
