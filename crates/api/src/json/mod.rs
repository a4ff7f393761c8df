//! JSON in and out, without a tree in between.
//!
//! [`Reader`] pulls a body apart into typed input that borrows from it; [`attribute`] turns attribute values into the
//! encoded form on the way. [`Writer`] prints answers, attribute values straight from their encoded bytes. What must stay
//! true: reading costs time linear in the body and bounded depth, and no input makes it panic.

pub mod attribute;
mod reader;
mod writer;

pub use attribute::{AttributeValue, Attributes, ValueFault};
pub use reader::{JsonFault, Mismatch, Reader};
pub use writer::Writer;
