//! Fifth stage: everything that can be said of the input without looking at a table.
//!
//! What must stay true: it comes before the work, so that a bad request is refused even where its table is missing.

use stator_api::{Fault, Prepared};

use super::authenticate::Authenticated;

/// Input that is ready to be performed.
pub(super) struct Validated<'r> {
    pub(super) prepared: Box<dyn Prepared + 'r>,
    pub(super) region: String,
}

/// Validates the input.
pub(super) fn validate(mut authenticated: Authenticated<'_>) -> Result<Validated<'_>, Fault> {
    authenticated.prepared.validate()?;
    Ok(Validated { prepared: authenticated.prepared, region: authenticated.region })
}
