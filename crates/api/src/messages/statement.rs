//! What the service says about statements of PartiQL.
//!
//! What must stay true: a statement that comes to a write is refused with the sentence of that write. The names of the codes
//! of batches are those of the service model, BatchStatementErrorCodeEnum.

use stator_engine::partiql::PlanError;
use stator_engine::write::{Action, Intent, WriteError};
use stator_expr::ExpressionKind;
use stator_expr::partiql::StatementError;

use super::transaction::{self, Reason};
use super::{expression, item, read, value};
use crate::fault::Fault;

/// An INSERT of an item that is there already.
const DUPLICATE: &str = "Duplicate primary key exists in table";

/// Why a text is no statement. The sentences are assumed, where the service's manner alone is known.
pub fn refuse_text(error: &StatementError) -> Fault {
    let malformed = |reason: String| Fault::validation(format!("Statement wasn't well formed, can't be processed: {reason}"));
    match error {
        StatementError::NoStatement => malformed("Expected data manipulation".to_owned()),
        StatementError::Expected { wanted, found } if found.is_empty() => malformed(format!("Expected {wanted}, found the end")),
        StatementError::Expected { wanted, found } => malformed(format!("Expected {wanted}, found {found}")),
        StatementError::ParameterCount { .. } => Fault::validation("Number of parameters in request and statement don't match."),
        StatementError::Unterminated => malformed("Unterminated quote".to_owned()),
        StatementError::Number(text) => malformed(format!("Invalid number: {text}")),
        StatementError::Set => malformed("A set has elements of one type, at least one, and none twice".to_owned()),
        StatementError::RepeatedName(name) => malformed(format!("Duplicate attribute: {name}")),
        StatementError::TooDeep => Fault::validation(value::TOO_DEEP),
        StatementError::Function(name) => malformed(format!("Unsupported function: {name}")),
    }
}

/// Why a statement has no meaning for its table; assumed, but for the sentences that it shares with expressions.
pub fn refuse_plan(error: &PlanError) -> Fault {
    match error {
        PlanError::Expression(error) => Fault::validation(expression::render(error, ExpressionKind::Condition)),
        PlanError::Key(error) => Fault::validation(expression::render_key_condition(error)),
        PlanError::NoIndex(index) => read::no_index(index),
        PlanError::VectorIndex => read::not_on_vectors(true),
        PlanError::WholeKey => Fault::validation("Where clause does not contain a mandatory equality on all key attributes"),
        PlanError::Order => {
            Fault::validation("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
        }
    }
}

/// Why the write of a statement was refused.
pub fn refuse_write(error: WriteError, intent: &Intent) -> Fault {
    match (&error, &intent.action) {
        (WriteError::ConditionFailed { .. }, Action::Put(_)) => Fault::client("DuplicateItemException", DUPLICATE),
        _ => item::refuse(error, kind_of(intent)),
    }
}

/// What a statement of a cancelled transaction is told.
pub fn reason(error: WriteError, intent: &Intent, shows_item: bool) -> Reason {
    let is_duplicate = matches!((&error, &intent.action), (WriteError::ConditionFailed { .. }, Action::Put(_)));
    let reason = transaction::reason(error, kind_of(intent), shows_item);
    if is_duplicate { Reason { code: "DuplicateItem", message: Some(DUPLICATE.to_owned()), ..reason } } else { reason }
}

fn kind_of(intent: &Intent) -> item::Written {
    match intent.action {
        Action::Put(_) => item::Written::Put,
        Action::Update { .. } => item::Written::Update,
        Action::Delete { .. } | Action::Expire { .. } | Action::Check { .. } => item::Written::Delete,
    }
}

/// The code by which a batch reports the exception of one of its statements.
pub fn batch_code(fault: &Fault) -> &'static str {
    match fault.exception {
        "ConditionalCheckFailedException" => "ConditionalCheckFailed",
        "DuplicateItemException" => "DuplicateItem",
        "ResourceNotFoundException" => "ResourceNotFound",
        "TransactionConflictException" => "TransactionConflict",
        "InternalServerError" => "InternalServerError",
        _ => "ValidationError",
    }
}

/// A token of another statement, or none of ours. assumed
pub fn next_token() -> Fault {
    Fault::validation("Given NextToken is invalid or does not belong to this statement")
}

/// EXISTS where nothing is written. assumed
pub fn exists_alone() -> Fault {
    Fault::validation("EXISTS is only supported in ExecuteTransaction")
}

/// Reads and writes in one request. assumed
pub fn mixed(operation: &str) -> Fault {
    Fault::validation(format!("{operation} takes either read statements or write statements, not both"))
}

/// A read of a batch or transaction that may come to several items.
pub fn several_items(operation: &str) -> Fault {
    Fault::validation(format!("Select statements within {operation} must specify the primary key in the where clause."))
}

/// RETURNING in a transaction. assumed
pub fn returning_in_transaction() -> Fault {
    Fault::validation("RETURNING is not supported within ExecuteTransaction")
}
