//! Who may do what: who signed a request, and whether the signature holds.
//!
//! What must stay true: this crate knows no operation, no HTTP framework and no clock. It is given borrowed parts of a
//! request, the hash of its body and the present time, and answers with a typed cause; the sentences are `api`'s.

#![deny(clippy::wildcard_enum_match_arm)]

pub mod root;
pub mod secret;
pub mod sigv4;

pub use root::{Credential, RootCredential};
pub use secret::Secret;
