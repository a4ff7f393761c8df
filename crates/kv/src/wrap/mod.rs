//! Stores around stores, for tests: one that compares two, one that writes down what is written, one that fails on order,
//! one in front of which something happens.
//!
//! What must stay true: each keeps the contract as far as what it wraps does, unless it was ordered to break it.

mod faulty;
mod interposed;
mod mirror;
mod trace;

pub use faulty::{Call, Fault, Faulty};
pub use interposed::Interposed;
pub use mirror::Mirror;
pub use trace::{Trace, Traced};
