//! What the service says about items and keys that it does not take.

use stator_engine::StoreError;
use stator_engine::keyspace::KeyFault;
use stator_engine::write::{KeyError, WriteError};
use stator_model::ValueType;
use stator_model::limits::ITEM_SIZE_BYTES_MAX;

use super::exception::COLLECTION_TOO_LARGE;
use super::{expression, transaction, value, vector};
use crate::fault::Fault;
use crate::json::{Attributes, ValueFault};

/// Which kind of write a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// PutItem.
    Put,
    /// A put of a batch: a key that does not fit is worded as one that is given alone (observed).
    BatchPut,
    /// UpdateItem.
    Update,
    /// DeleteItem and the deletes of batches.
    Delete,
}

/// No table of that name, for operations on items.
pub fn table_not_found() -> Fault {
    Fault::client("ResourceNotFoundException", "Requested resource not found")
}

/// A key lacks attributes, has others, or has them of other types.
const SCHEMA_MISMATCH: &str = "The provided key element does not match the schema";

/// A list of keys names one twice.
pub const DUPLICATE_KEYS: &str = "Provided list of item keys contains duplicates";

/// A write request that is neither a put nor a delete, or both: the service speaks as of attribute values.
pub fn one_request(is_both: bool) -> Fault {
    value::fault_of(&if is_both { ValueFault::SeveralTypes } else { ValueFault::Empty })
}

/// Why a write was refused.
pub fn refuse(error: WriteError, written: Written) -> Fault {
    match error {
        WriteError::ConditionFailed { .. } => Fault::client("ConditionalCheckFailedException", "The conditional request failed"),
        WriteError::Key(error) if written == Written::Put => Fault::validation(of_put_key(&error)),
        WriteError::Key(error) => key(&error),
        WriteError::IndexKey { index, fault } => Fault::validation(of_index_key(&index, &fault, written)),
        WriteError::Vector { index, fault } => vector::unfit(&index, &fault),
        WriteError::UpdatesKey { attribute } => Fault::validation(expression::update_of_key(&attribute)),
        WriteError::Update(error) => Fault::validation(expression::render_update(&error)),
        WriteError::ItemTooLarge { .. } if written == Written::Update => {
            Fault::validation("Item size to update has exceeded the maximum allowed size")
        }
        WriteError::ItemTooLarge { .. } => too_large(),
        WriteError::CollectionTooLarge => Fault::client("ItemCollectionSizeLimitExceededException", COLLECTION_TOO_LARGE),
        WriteError::Held => Fault::client("TransactionConflictException", transaction::HELD),
        WriteError::TableGone => table_not_found(),
        WriteError::Unknown => Fault::internal(),
        WriteError::Store(error) => store(&error),
    }
}

fn too_large() -> Fault {
    Fault::validation("Item size has exceeded the maximum allowed size")
}

/// Refuses an item that no table would take, whichever it is for.
pub fn check_size(item: Option<&Attributes>) -> Result<(), Fault> {
    let is_too_large = item.is_some_and(|attributes| attributes.item.size_bytes() > ITEM_SIZE_BYTES_MAX);
    if is_too_large { Err(too_large()) } else { Ok(()) }
}

/// The store failed: the request fails, and the log says why.
pub fn store(error: &StoreError) -> Fault {
    Fault { cause: Some(error.to_string()), ..Fault::internal() }
}

/// A key that is not one of the table, where only a key is given.
pub fn key(error: &KeyError) -> Fault {
    Fault::validation(match error {
        KeyError::Count { .. } => SCHEMA_MISMATCH.to_owned(),
        KeyError::Fault(fault) => of_key_value(fault),
    })
}

fn of_put_key(error: &KeyError) -> String {
    match error {
        KeyError::Fault(KeyFault::Missing { attribute }) => {
            format!("One or more parameter values were invalid: Missing the key {attribute} in the item")
        }
        KeyError::Fault(KeyFault::Type { attribute, expected, actual }) => format!(
            "One or more parameter values were invalid: Type mismatch for key {attribute} expected: {} actual: {}",
            expected.name(),
            actual.name()
        ),
        KeyError::Fault(fault) => of_key_value(fault),
        KeyError::Count { .. } => SCHEMA_MISMATCH.to_owned(),
    }
}

fn of_key_value(fault: &KeyFault) -> String {
    match fault {
        KeyFault::Empty { attribute, actual } => format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {} value. Key: {attribute}",
            long_name(*actual)
        ),
        KeyFault::TooLong { is_partition: true, .. } => {
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes".to_owned()
        }
        KeyFault::TooLong { .. } => {
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
                .to_owned()
        }
        KeyFault::Missing { .. } | KeyFault::Type { .. } => SCHEMA_MISMATCH.to_owned(),
    }
}

fn of_index_key(index: &str, fault: &KeyFault, written: Written) -> String {
    match (fault, written) {
        (KeyFault::Type { .. }, Written::Update) => {
            "The update expression attempted to update the secondary index key to unsupported type".to_owned()
        }
        (KeyFault::Empty { actual, .. }, Written::Update) => format!(
            "The update expression attempted to update the secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {} value.",
            long_name(*actual)
        ),
        (KeyFault::Type { attribute, expected, actual }, _) => format!(
            "One or more parameter values were invalid: Type mismatch for Index Key {attribute} Expected: {} Actual: {} IndexName: {index}",
            expected.name(),
            actual.name()
        ),
        (KeyFault::Empty { attribute, actual }, _) => format!(
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty {} value. IndexName: {index}, IndexKey: {attribute}",
            long_name(*actual)
        ),
        (fault, _) => of_key_value(fault),
    }
}

fn long_name(kind: ValueType) -> &'static str {
    if kind == ValueType::B { "binary" } else { "string" }
}
