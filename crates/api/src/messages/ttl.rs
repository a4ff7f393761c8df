//! What the service says about time to live.
//!
//! What must stay true: a table is named as it was given.

use stator_engine::ttl::TtlError;
use stator_model::table::TableStatus;

use super::{item, table};
use crate::fault::Fault;

/// Why TTL was not changed.
pub fn refuse(error: TtlError, name: &str) -> Fault {
    match error {
        TtlError::NotFound => table::not_found(name),
        TtlError::InUse(status) => {
            let state = if status == TableStatus::Creating { "created" } else { "deleted" };
            Fault::client(
                "ResourceInUseException",
                format!("Attempt to change a resource which is still in use: Table is being {state}: {name}"),
            )
        }
        TtlError::AlreadyEnabled => Fault::validation("TimeToLive is already enabled"),
        TtlError::AlreadyDisabled => Fault::validation("TimeToLive is already disabled"),
        TtlError::OtherAttribute(attribute) => {
            Fault::validation(format!("TimeToLive is active on a different AttributeName: current AttributeName is {attribute}"))
        }
        TtlError::Store(error) => item::store(&error),
    }
}
