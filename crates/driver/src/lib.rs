//! Drives the built binary from outside, as whoever uses it does: starts and ends its process, signs requests, reads answers.
//!
//! The bench and the proof stand on it. What must stay true: of the product it links only the signing of requests, so that
//! what is measured and proven is the binary; every process that it starts ends with the program that started it.
#![allow(clippy::disallowed_methods, reason = "processes are started, waited for and signed for in real time")]

pub mod client;
pub mod failure;
pub mod reply;
pub mod request;
pub mod scratch;
pub mod server;
pub mod usage;
