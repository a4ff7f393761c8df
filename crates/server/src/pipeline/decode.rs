//! Third stage: the body as typed input of its operation.
//!
//! What must stay true: the input borrows from the body, which is not copied.

use stator_api::{ErasedOperation, Fault, Prepared};

use super::receive::Received;

/// Typed input of a request whose sender is not known yet.
pub(super) struct Decoded<'r> {
    pub(super) prepared: Box<dyn Prepared + 'r>,
}

/// Decodes the body.
pub(super) fn decode<'r>(operation: &'static dyn ErasedOperation, received: &'r Received<'_>) -> Result<Decoded<'r>, Fault> {
    Ok(Decoded { prepared: operation.decode(received.plain())? })
}
