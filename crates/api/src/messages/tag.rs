//! What the service says about tags.
//!
//! What must stay true: sentences are the service's, with its own spelling.

use stator_engine::catalog::TagError;

use super::item;
use crate::fault::Fault;

/// The text is no ARN.
pub fn no_arn(given: &str) -> Fault {
    Fault::validation(format!("Invalid TableArn: Invalid ResourceArn provided as input {given}"))
}

/// An ARN of something else than a table of this account and region.
pub fn not_authorized(arn: &str, operation: &str, account: &str) -> Fault {
    Fault::client(
        "AccessDeniedException",
        format!("User: arn:aws:iam::{account}:root is not authorized to perform: dynamodb:{operation} on resource: {arn}"),
    )
}

/// No such table.
pub fn not_found(arn: &str) -> Fault {
    Fault::client("ResourceNotFoundException", format!("Requested resource not found: ResourcArn: {arn} not found"))
}

/// TagResource without tags.
pub fn none() -> Fault {
    Fault::validation("Atleast one Tag needs to be provided as Input.")
}

/// UntagResource without keys.
pub fn no_keys() -> Fault {
    Fault::validation("Atleast one Tag Key needs to be provided as Input.")
}

/// A key of the service's own. assumed
pub fn reserved_key() -> Fault {
    Fault::validation("One or more parameter values were invalid: aws: prefixed tag key names are not allowed for external use.")
}

/// One key twice. assumed
pub fn duplicate_key(key: &str) -> Fault {
    Fault::validation(format!("One or more parameter values were invalid: Duplicate tag key: {key}"))
}

/// More than fifty. assumed
pub fn too_many(count: usize) -> Fault {
    Fault::validation(format!("One or more parameter values were invalid: Too many tags: {count}, the limit is 50"))
}

/// A token that ListTagsOfResource did not give. assumed
pub fn invalid_token() -> Fault {
    Fault::validation("Invalid NextToken")
}

/// Why tags were not changed.
pub fn refuse(error: TagError, arn: &str) -> Fault {
    match error {
        TagError::NotFound => not_found(arn),
        TagError::TooMany(count) => too_many(count),
        TagError::Store(error) => item::store(&error),
    }
}
