//! What the service says about queries, scans and batches of reads.

use stator_engine::read::{ReadError, StartKeyError};

use super::item;
use crate::fault::Fault;

/// Why nothing was read.
pub fn refuse(error: ReadError, is_scan: bool) -> Fault {
    match error {
        ReadError::Key(error) => item::key(&error),
        ReadError::StartKey(error) => start_key(&error, is_scan),
        ReadError::Store(error) => item::store(&error),
    }
}

fn start_key(error: &StartKeyError, is_scan: bool) -> Fault {
    Fault::validation(match error {
        StartKeyError::Schema if is_scan => "The provided starting key is invalid: The provided key element does not match the schema",
        StartKeyError::Schema => "The provided starting key is invalid",
        StartKeyError::OutsideQuery => "The provided starting key is outside query boundaries based on provided conditions",
        StartKeyError::OutsideRange => "The provided starting key does not match the range key predicate",
        // assumed
        StartKeyError::OutsideSegment => {
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment"
        }
    })
}

fn invalid(why: &str) -> Fault {
    Fault::validation(reason(why))
}

fn reason(why: &str) -> String {
    format!("One or more parameter values were invalid: {why}")
}

/// The index is not there.
pub fn no_index(index: &str) -> Fault {
    Fault::validation(format!("The table does not have the specified index: {index}"))
}

/// A vector index can only be searched. The two sentences differ by a full stop (public records of answers).
pub fn not_on_vectors(is_scan: bool) -> Fault {
    Fault::validation(if is_scan {
        "Scan operation not supported on this index type"
    } else {
        "Query operation not supported on this index type."
    })
}

/// The index is being made.
pub fn backfilling(index: &str) -> Fault {
    Fault::validation(format!("Cannot read from backfilling global secondary index: {index}"))
}

/// A consistent read of a global index.
pub fn consistent_global() -> Fault {
    Fault::validation("Consistent reads are not supported on global secondary indexes")
}

/// ALL_ATTRIBUTES of an index that lacks some.
pub fn all_attributes(index: &str) -> Fault {
    invalid(&format!(
        "Select type ALL_ATTRIBUTES is not supported for global secondary index {index} because its projection type is not ALL"
    ))
}

/// Attributes that a global index lacks.
pub fn not_projected(index: &str, attributes: &[&str]) -> Fault {
    invalid(&format!("Global secondary index {index} does not project [{}]", attributes.join(", ")))
}

/// ALL_PROJECTED_ATTRIBUTES of a table.
pub fn projected_without_index(is_scan: bool) -> String {
    let verb = if is_scan { "Scanning" } else { "Querying" };
    reason(&format!("ALL_PROJECTED_ATTRIBUTES can be used only when {verb} using an IndexName"))
}

/// SPECIFIC_ATTRIBUTES without saying which.
pub fn specific_without_list() -> String {
    reason("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
}

/// A list of attributes beside a Select that takes none.
pub fn list_with_select(parameter: &str, select: &str) -> String {
    let choice = if select == "COUNT" { "only the Count" } else { select };
    reason(&format!("Cannot specify the {parameter} when choosing to get {choice}"))
}

/// A query without any key condition.
pub fn no_key_condition() -> Fault {
    Fault::validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
}

/// Segment without TotalSegments.
pub const TOTAL_SEGMENTS_MISSING: &str =
    "The TotalSegments parameter is required but was not present in the request when Segment parameter is present";
/// TotalSegments without Segment.
pub const SEGMENT_MISSING: &str =
    "The Segment parameter is required but was not present in the request when parameter TotalSegments is present";
/// Segment beyond TotalSegments.
pub const SEGMENT_TOO_LARGE: &str = "The Segment parameter is zero-based and must be less than parameter TotalSegments";
/// More keys than one BatchGetItem takes.
pub const BATCH_GET_TOO_MANY: &str = "Too many items requested for the BatchGetItem call";
/// More requests than one BatchWriteItem takes.
pub const BATCH_WRITE_TOO_MANY: &str = "Too many items requested for the BatchWriteItem call";
