//! Stores around stores, for tests: one that compares two, one that writes down what is written, one that fails on order.
//!
//! What must stay true: each keeps the contract as far as what it wraps does, unless it was ordered to break it.

mod faulty;
mod mirror;
mod trace;

pub use faulty::{Call, Fault, Faulty};
pub use mirror::Mirror;
pub use trace::{Trace, Traced};
