//! What tests of the whole are made of: golden scripts and their runner, targets to run them on, and a reference model.
//!
//! What must stay true: no product code depends on this, and the model in [`oracle`] shares no evaluator with the product.
#![allow(clippy::print_stdout, reason = "test binaries report on standard output")]

pub mod definition;
pub mod history;
pub mod json;
pub mod oracle;
pub mod script;
pub mod target;
