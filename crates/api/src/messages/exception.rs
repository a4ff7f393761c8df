//! Exceptions by their names, for whoever asks for one on purpose, with the status and the usual sentence of each.
//!
//! What must stay true: an exception that operations answer by themselves has the same status here. Sentences that depend on
//! the request are left out; whoever asks can give one.

use super::transaction;
use crate::fault::Fault;

pub(super) const TOO_FAST: &str = "The level of configured provisioned throughput for the table was exceeded. \
                        Consider increasing your provisioning level with the UpdateTable API.";

pub(super) const COLLECTION_TOO_LARGE: &str = "Collection size exceeded.";

/// Name, HTTP status, sentence. Those of services in general come last.
const EXCEPTIONS: [(&str, u16, &str); 24] = [
    ("ConditionalCheckFailedException", 400, "The conditional request failed"),
    ("DuplicateItemException", 400, "Duplicate primary key exists in table"),
    ("ExpiredIteratorException", 400, "Shard iterator has expired"),
    ("IdempotentParameterMismatchException", 400, ""),
    ("InternalServerError", 500, "The request processing has failed because of an unknown error, exception or failure."),
    ("ItemCollectionSizeLimitExceededException", 400, COLLECTION_TOO_LARGE),
    ("LimitExceededException", 400, "Subscriber limit exceeded"),
    ("ProvisionedThroughputExceededException", 400, TOO_FAST),
    ("ReplicatedWriteConflictException", 400, "One or more items in this request are being modified by a request in another Region."),
    ("RequestLimitExceeded", 400, "Throughput exceeds the current throughput limit for your account."),
    ("ResourceInUseException", 400, "The resource is in use"),
    ("ResourceNotFoundException", 400, "Requested resource not found"),
    ("TransactionCanceledException", 400, "Transaction cancelled, please refer cancellation reasons for specific reasons"),
    ("TransactionConflictException", 400, transaction::HELD),
    ("TransactionInProgressException", 400, "The transaction with the given request token is already in progress."),
    ("TrimmedDataAccessException", 400, "The requested data has been trimmed"),
    ("ValidationException", 400, ""),
    ("AccessDeniedException", 400, "User is not authorized to perform this operation"),
    ("ExpiredTokenException", 400, "The security token included in the request is expired"),
    ("InvalidSignatureException", 400, "Signature expired"),
    ("ServiceUnavailableException", 503, "The service is temporarily unable to handle the request"),
    ("ThrottlingException", 400, "Rate of requests exceeds the allowed throughput."),
    ("UnknownOperationException", 400, ""),
    ("UnrecognizedClientException", 400, "The security token included in the request is invalid."),
];

/// The exception of a name; `None` for a name that no exception has.
pub fn by_name(name: &str) -> Option<Fault> {
    let (exception, status, sentence) = EXCEPTIONS.iter().find(|(known, ..)| *known == name)?;
    let message = (!sentence.is_empty()).then(|| (*sentence).to_owned());
    Some(Fault { exception, status: *status, message, members: Vec::new(), cause: None })
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    EXCEPTIONS.iter().map(|(name, ..)| *name)
}
