//! The server over real sockets: everything that is decided before and after an operation.
//!
//! What must stay true: requests are written byte by byte here, so that no client library repairs them on the way.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

mod authentication;
mod harness;
mod hooks;
mod limits;
mod overload;
mod panics;
mod protocol;
mod stop;
mod tls;
