//! What the service says about streams.
//!
//! What must stay true: a stream that is not there is named as it was given.

use stator_engine::stream::StreamError;

use super::item;
use crate::fault::Fault;

/// No stream of that ARN (observed).
pub fn not_found(arn: &str) -> Fault {
    Fault::client("ResourceNotFoundException", format!("Requested resource not found: Stream: {arn} not found"))
}

/// The text is no ARN of a stream. assumed
pub fn invalid_arn(given: &str) -> Fault {
    Fault::validation(format!("Invalid StreamArn: {given}"))
}

/// The stream has no shard of that id.
pub fn shard_not_found(shard: &str, arn: &str) -> Fault {
    Fault::client("ResourceNotFoundException", format!("Requested resource not found: Shard: {shard} in Stream: {arn} not found"))
}

/// A table's stream without a view. assumed
pub fn view_missing() -> Fault {
    Fault::validation("One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true")
}

/// A view without a stream. assumed
pub fn view_without_stream() -> Fault {
    Fault::validation("One or more parameter values were invalid: StreamViewType cannot be specified when StreamEnabled is false")
}

/// The table has an enabled stream already.
pub fn enabled(table: &str) -> Fault {
    Fault::validation(format!("Table already has an enabled stream: TableName: {table}"))
}

/// The table has no stream to disable. assumed
pub fn disabled(table: &str) -> Fault {
    Fault::validation(format!("Table has no stream to disable: TableName: {table}"))
}

/// AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER need one. assumed
pub fn sequence_number_missing(kind: &str) -> Fault {
    Fault::validation(format!("SequenceNumber must be specified when ShardIteratorType is {kind}"))
}

/// TRIM_HORIZON and LATEST take none. assumed
pub fn sequence_number_not_taken(kind: &str) -> Fault {
    Fault::validation(format!("SequenceNumber cannot be specified when ShardIteratorType is {kind}"))
}

/// AT_TIMESTAMP needs a Timestamp. assumed
pub fn timestamp_missing() -> Fault {
    Fault::validation("Timestamp must be specified when ShardIteratorType is AT_TIMESTAMP")
}

/// The text is no sequence number, or one of another shard. assumed
pub fn invalid_sequence_number(number: &str, shard: &str) -> Fault {
    Fault::validation(format!("Invalid SequenceNumber: {number} is not a sequence number of shard {shard}"))
}

/// The text is no iterator.
pub fn invalid_iterator() -> Fault {
    Fault::validation("Invalid ShardIterator")
}

/// The iterator is too old. The sentence is that of the service model.
pub fn expired_iterator() -> Fault {
    Fault::client("ExpiredIteratorException", "The provided iterator exceeds the maximum age allowed.")
}

/// AT_TIMESTAMP asks for what has not happened yet: a ValidationException by the service model. The sentence is assumed.
pub fn timestamp_in_future() -> Fault {
    Fault::validation("Timestamp must not be in the future")
}

/// Why a shard was not read.
pub fn refuse(error: StreamError, arn: &str) -> Fault {
    match error {
        StreamError::NotFound => not_found(arn),
        // The sentence is that of the service model.
        StreamError::Trimmed => Fault::client("TrimmedDataAccessException", "The data you are trying to access has been trimmed."),
        StreamError::NotInShard => invalid_sequence_number("it", "another"),
        StreamError::Store(error) => item::store(&error),
    }
}
