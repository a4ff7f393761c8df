//! Bytes that rows are made of: order-preserving key values, and the versioned envelope of stored items.
//!
//! What must stay true: order of encoded key values is the service's order; no encoded value is a prefix of another of the
//! same type, so values can stand one after the other in a key; stored rows say which format they are in.

pub mod scalar;
pub mod stored;
