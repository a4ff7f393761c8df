//! What the service says about transactions.
//!
//! Codes and sentences of cancellation reasons: service model, TransactionCanceledException. What must stay true: a reason
//! has the sentence that the same refusal has outside of a transaction.

use stator_engine::transact::{TransactError, TransactGetError};
use stator_engine::write::WriteError;
use stator_model::Item;

use super::exception::{COLLECTION_TOO_LARGE, TOO_FAST};
use super::item;
use crate::fault::Fault;
use crate::json::Writer;

/// A write meets an item of a transaction that is under way.
pub const HELD: &str = "Transaction is ongoing for the item";

/// An action that is none, or several. assumed
pub fn one_action(is_several: bool) -> Fault {
    Fault::validation(if is_several {
        "TransactItems can only contain one of Check, Put, Update or Delete"
    } else {
        "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
    })
}

/// What one member of a cancelled transaction is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The code.
    pub code: &'static str,
    /// The sentence.
    pub message: Option<String>,
    /// The item that was found, where it was asked for.
    pub item: Option<Item>,
}

impl Reason {
    /// A member that is not at fault.
    pub const NONE: Reason = Reason { code: "None", message: None, item: None };

    /// A member that was refused as malformed.
    pub fn validation(message: Option<String>) -> Reason {
        Reason { code: "ValidationError", message, item: None }
    }
}

const BUSY: &str = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so \
                    please try again shortly. If exceptions persist, check if you have a hot key: \
                    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html.";

/// Codes of reasons, for whoever asks for one on purpose, and the usual sentence of each.
pub const REASONS: [(&str, Option<&str>); 6] = [
    ("ConditionalCheckFailed", Some("The conditional request failed")),
    ("ItemCollectionSizeLimitExceeded", Some(COLLECTION_TOO_LARGE)),
    ("ProvisionedThroughputExceeded", Some(TOO_FAST)),
    ("ThrottlingError", Some(BUSY)),
    ("TransactionConflict", Some(HELD)),
    ("ValidationError", None),
];

/// The reason of a code, with its usual sentence; `None` for a code that no reason has.
pub fn reason_of_code(code: &str) -> Option<Reason> {
    let (code, sentence) = REASONS.iter().find(|(known, _)| *known == code)?;
    Some(Reason { code, message: sentence.map(str::to_owned), item: None })
}

/// A transaction that did not happen, and why each member is at fault.
pub fn cancelled(reasons: &[Reason]) -> Fault {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
    let message = format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let mut writer = Writer::new();
    writer.name("CancellationReasons").array(reasons, |writer, reason| {
        writer.object(|writer| {
            writer.name("Code").string(reason.code);
            if let Some(message) = &reason.message {
                writer.name("Message").string(message);
            }
            if let Some(item) = &reason.item {
                writer.name("Item").attributes(item.map());
            }
        });
    });
    let mut fault = Fault::client("TransactionCanceledException", message);
    fault.members.push(String::from_utf8(writer.finish()).unwrap_or_default());
    fault
}

/// The reason of one refused write; `written` says how it is worded, `shows_item` whether the item found is told.
pub fn reason(error: WriteError, written: item::Written, shows_item: bool) -> Reason {
    let code = match &error {
        WriteError::ConditionFailed { .. } => "ConditionalCheckFailed",
        WriteError::CollectionTooLarge => "ItemCollectionSizeLimitExceeded",
        WriteError::Held => "TransactionConflict",
        WriteError::Key(_)
        | WriteError::IndexKey { .. }
        | WriteError::Vector { .. }
        | WriteError::UpdatesKey { .. }
        | WriteError::Update(_)
        | WriteError::ItemTooLarge { .. }
        | WriteError::TableGone
        | WriteError::Unknown
        | WriteError::Store(_) => "ValidationError",
    };
    let found = if let WriteError::ConditionFailed { found } = &error { found.clone() } else { None };
    let item = found.filter(|_| shows_item);
    Reason { code, message: item::refuse(error, written).message, item }
}

/// Why a transaction of writes did not happen, where it is not about its members.
pub fn refuse(error: TransactError) -> Fault {
    match error {
        TransactError::Cancelled(reasons) => {
            let reason = |error: Option<WriteError>| error.map_or(Reason::NONE, |error| reason(error, item::Written::Put, false));
            cancelled(&reasons.into_iter().map(reason).collect::<Vec<_>>())
        }
        TransactError::SameItem => same_item(),
        TransactError::TooLarge => too_large(),
        TransactError::TokenMismatch => Fault::client(
            "IdempotentParameterMismatchException",
            "DynamoDB rejected the request because you retried a request with a different payload but with an idempotent token that was already used.",
        ),
        TransactError::InProgress => {
            Fault::client("TransactionInProgressException", "The transaction with the given request token is already in progress.")
        }
        TransactError::TableGone => item::table_not_found(),
        TransactError::Unknown => Fault::internal(),
        TransactError::Store(error) => item::store(&error),
    }
}

/// Why a transaction of reads did not happen.
pub fn refuse_get(error: TransactGetError) -> Fault {
    match error {
        TransactGetError::Cancelled(reasons) => {
            let reason = |error| Reason::validation(item::key(&error).message);
            cancelled(&reasons.into_iter().map(|error| error.map_or(Reason::NONE, reason)).collect::<Vec<_>>())
        }
        TransactGetError::SameItem => same_item(),
        TransactGetError::TooLarge => too_large(),
        TransactGetError::Store(error) => item::store(&error),
    }
}

/// For writes documented; that reads are held to it too is assumed, where implementations agree.
fn same_item() -> Fault {
    Fault::validation("Transaction request cannot include multiple operations on one item")
}

/// assumed
fn too_large() -> Fault {
    Fault::validation("The aggregate size of the items in the transaction exceeded 4 MB")
}
