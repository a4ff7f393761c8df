//! What the service says about tables, their definitions and their changes. Wordings from observed answers and public
//! reports; `assumed` where none was found.

use stator_engine::catalog::{ChangeError, CreateError, DeleteError};
use stator_model::limits::{NAME_BYTES_MAX, NAME_BYTES_MIN};
use stator_model::table::TableStatus;

use super::{item, stream, vector};
use crate::constraint::{Constraints, Style};
use crate::fault::Fault;

/// A name that no table can have.
pub fn invalid_name(name: &str) -> Fault {
    if name.starts_with("arn:") {
        return Fault::validation(format!("Invalid table ARN: {name}"));
    }
    let mut constraints = Constraints::new(Style::Current);
    constraints.name_pattern("TableName", Some(name));
    constraints.length("TableName", Some(name), NAME_BYTES_MIN, NAME_BYTES_MAX);
    constraints.finish().err().unwrap_or_else(Fault::internal)
}

/// The name of a new table is too short or too long.
pub fn name_length() -> Fault {
    Fault::validation("TableName must be at least 3 characters long and at most 255 characters long")
}

/// No table of that name, for operations on tables.
pub fn not_found(name: &str) -> Fault {
    Fault::client("ResourceNotFoundException", format!("Requested resource not found: Table: {name} not found"))
}

/// A value is refused, for a reason.
pub fn invalid(reason: impl AsRef<str>) -> Fault {
    Fault::validation(format!("One or more parameter values were invalid: {}", reason.as_ref()))
}

/// A member that this server does not honour yet.
pub fn unsupported(member: &str) -> Fault {
    invalid(format!("{member} is not supported by this server yet"))
}

/// UpdateTable without any change.
pub fn no_change() -> Fault {
    Fault::validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required",
    )
}

/// Provisioned capacity beyond what any quota could be.
pub fn out_of_bounds(member: &str, value: i64) -> Fault {
    Fault::validation(format!("Given value {value} for {member} is out of bounds"))
}

/// Provisioned capacity is missing.
pub fn throughput_missing() -> Fault {
    invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
}

/// Provisioned capacity is given on demand.
pub fn throughput_on_demand() -> Fault {
    invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
}

/// Provisioned capacity of an index is missing.
pub fn index_throughput_missing(index: &str) -> Fault {
    invalid(format!("ProvisionedThroughput is not specified for index: {index}"))
}

/// Provisioned capacity of an index is given on demand.
pub fn index_throughput_on_demand(index: &str) -> Fault {
    invalid(format!("ProvisionedThroughput should not be specified for index: {index} when BillingMode is PAY_PER_REQUEST"))
}

/// On-demand bounds where capacity is provisioned. The two operations word it differently.
pub fn on_demand_when_provisioned(member: &str, is_update: bool) -> Fault {
    let (table, end) = if is_update { ("the table", "") } else { ("table", ".") };
    invalid(format!("{member} for OnDemandThroughput cannot be specified when {table} BillingMode is PROVISIONED{end}"))
}

/// An on-demand bound that is none.
pub fn on_demand_out_of_range(member: &str) -> Fault {
    invalid(format!("Requested {member} for OnDemandThroughput for table is outside of valid range"))
}

/// No attribute of a key has a definition.
pub fn undefined_key(key: &[&str], defined: &[&str]) -> Fault {
    invalid(format!(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
        key.join(", "),
        defined.join(", "),
    ))
}

/// A definition gives an attribute of the table another type.
pub fn redefined() -> Fault {
    invalid("Attributes cannot be redefined. Please check that your attribute has the same type as previously defined.")
}

/// UpdateTable gives an index provisioned capacity on demand.
pub fn index_units_on_demand(index: &str) -> Fault {
    invalid(format!(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {index} when BillingMode is PAY_PER_REQUEST"
    ))
}

/// Some attributes of a key have a definition, and some have none.
pub fn partly_undefined_key() -> Fault {
    Fault::validation("Invalid KeySchema: Some index key attribute have no definition")
}

/// Why a table was not made.
pub fn refuse_create(error: CreateError, name: &str) -> Fault {
    match error {
        CreateError::Exists => in_use(format!("Table already exists: {name}")),
        CreateError::TooManyTables => limit("Subscriber limit exceeded: The number of tables in an account and region may not exceed 2500"),
        CreateError::Store(error) => item::store(&error),
    }
}

/// Why a table was not dropped.
pub fn refuse_delete(error: DeleteError, name: &str) -> Fault {
    match error {
        DeleteError::NotFound => not_found(name),
        DeleteError::InUse(status) => busy(status, name),
        DeleteError::Protected(_) => Fault::validation(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
        ),
        DeleteError::Store(error) => item::store(&error),
    }
}

/// Why a table was not changed.
pub fn refuse_change(error: ChangeError, name: &str) -> Fault {
    match error {
        ChangeError::NotFound => not_found(name),
        ChangeError::InUse(status) => busy(status, name),
        ChangeError::IndexNotFound(_) => Fault::client("ResourceNotFoundException", "Requested resource not found"),
        ChangeError::IndexExists(_) => Fault::validation("Attempting to create an index which already exists"),
        ChangeError::IndexInUse(index) => {
            in_use(format!("Attempting to update an index which is still in use: Index is being deleted: {index}"))
        }
        ChangeError::SeveralIndexChanges => {
            limit("Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
        }
        ChangeError::TooManyIndexes => limit("Subscriber limit exceeded: Number of GlobalSecondaryIndexes exceeds per-table limit of 20"),
        ChangeError::TooManyVectorIndexes => limit(vector::TOO_MANY_ON_UPDATE),
        ChangeError::VectorsProvisioned => vector::provisioned(),
        ChangeError::VectorDimensions { attribute } => vector::dimensions_differ(&attribute),
        ChangeError::VectorInKey { attribute, is_partition, dimensions } => vector::in_key(&attribute, is_partition, dimensions),
        ChangeError::ThroughputUnchanged { index, current } => {
            let of = index.map_or("table".to_owned(), |index| format!("index {index}"));
            let (read, write) = (current.read_units, current.write_units);
            let kind = if of == "table" { "table" } else { "index" };
            Fault::validation(format!(
                "The provisioned throughput for the {of} will not change. The requested value equals the current value. \
                 Current ReadCapacityUnits provisioned for the {kind}: {read}. Requested ReadCapacityUnits: {read}. \
                 Current WriteCapacityUnits provisioned for the {kind}: {write}. Requested WriteCapacityUnits: {write}. \
                 Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
            ))
        }
        ChangeError::ThroughputOnDemand => throughput_on_demand(),
        ChangeError::ThroughputMissing { indexes } if indexes.is_empty() => throughput_missing(),
        // assumed
        ChangeError::ThroughputMissing { indexes } => {
            invalid(format!("ProvisionedThroughput must be specified for index: {}", indexes.join(", ")))
        }
        // The end is recorded, the beginning is assumed.
        ChangeError::WarmDecrease { current, requested } => {
            let member = if requested.read_units < current.read_units { "ReadUnitsPerSecond" } else { "WriteUnitsPerSecond" };
            invalid(format!(
                "Requested {member} for WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported"
            ))
        }
        ChangeError::StreamEnabled => stream::enabled(name),
        ChangeError::StreamDisabled => stream::disabled(name),
        ChangeError::Store(error) => item::store(&error),
    }
}

fn busy(status: TableStatus, name: &str) -> Fault {
    let state = match status {
        TableStatus::Creating => "created",
        TableStatus::Deleting => "deleted",
        TableStatus::Updating | TableStatus::Active => "updated",
    };
    in_use(format!("Attempt to change a resource which is still in use: Table is being {state}: {name}"))
}

fn in_use(sentence: String) -> Fault {
    Fault::client("ResourceInUseException", sentence)
}

fn limit(sentence: &str) -> Fault {
    Fault::client("LimitExceededException", sentence)
}
