//! Structures that several operations share, as they are on the wire.
//!
//! What must stay true: shapes are read, checked and converted here, and never stored or computed with.

#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod capacity;
pub(crate) mod expressions;
pub(crate) mod legacy;
pub(crate) mod page;
pub(crate) mod statement;
pub(crate) mod stream;
pub(crate) mod table;
pub(crate) mod table_description;
pub(crate) mod table_name;
pub(crate) mod tag;
pub(crate) mod transaction;
pub(crate) mod unsupported;
pub(crate) mod vector;
pub(crate) mod write;
