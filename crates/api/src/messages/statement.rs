//! What the service says about statements of PartiQL.
//!
//! What must stay true: a statement that comes to a write is refused with the sentence of that write. The names of the codes
//! of batches are those of the service model, BatchStatementErrorCodeEnum.

use stator_engine::partiql::PlanError;
use stator_engine::write::{Action, Intent, WriteError};
use stator_expr::ExpressionKind;
use stator_expr::partiql::{Misfit, StatementError};

use stator_model::limits::STATEMENT_PARTITIONS_MAX;

use super::transaction::{self, Reason};
use super::{expression, item, read, value};
use crate::fault::Fault;
use crate::json::ValueFault;

/// A write of an item without its whole key.
const NO_KEY: &str = "Where clause does not contain a mandatory equality on all key attributes";
/// An INSERT of an item that is there already.
const DUPLICATE: &str = "Duplicate primary key exists in table";

/// Why a text is no statement. Behind the colon stands what the parser of the PartiQL reference implementation says, which the
/// service uses; where that is silent the sentences are assumed.
pub fn refuse_text(error: &StatementError) -> Fault {
    let invalid = |reason: &str| Fault::validation(format!("One or more parameter values were invalid: {reason}"));
    let reason = match error {
        StatementError::ParameterCount { .. } => {
            return Fault::validation("Number of parameters in request and statement don't match.");
        }
        StatementError::Alias => return Fault::validation("Aliasing is not supported"),
        StatementError::Clause(clause) => return Fault::validation(format!("Unsupported clause: {clause}")),
        StatementError::NoCondition => return Fault::validation(NO_KEY),
        StatementError::Number { error, text } => return Fault::validation(value::render_number(*error, text)),
        StatementError::Duplicates(kind, elements) => {
            return value::fault_of(&ValueFault::DuplicateElements(*kind, elements.clone()));
        }
        StatementError::Set => return invalid("A set has at least one element, and all of one type: string, number or binary"),
        StatementError::SetPath => return invalid("set_add and set_delete have to name the path that they are assigned to"),
        StatementError::SetOperand => return invalid("set_add and set_delete take a set"),
        StatementError::NoTuple => return invalid("The VALUE of an INSERT has to be a tuple"),
        StatementError::RepeatedName(name) => return invalid(&format!("Duplicate attribute: {name}")),
        StatementError::TooDeep => return Fault::validation(value::TOO_DEEP),
        StatementError::Function(name) => return Fault::validation(format!("Unsupported function: {name}")),
        StatementError::NoOperation => "Expected data manipulation".to_owned(),
        StatementError::Character => String::new(),
        StatementError::Operand(Misfit::Keyword) => "Unexpected keyword".to_owned(),
        StatementError::Operand(Misfit::Operator) => "Unexpected operator".to_owned(),
        StatementError::Operand(Misfit::Other) => "Unexpected term".to_owned(),
        StatementError::RightSide => "Missing right-hand side expression of infix operator".to_owned(),
        StatementError::Token(token) => format!("Expected {}", name_of_token(token)),
        StatementError::Keyword(keyword) => format!("Expected {keyword} keyword"),
        StatementError::From(what) => format!("Expected FROM after {what}"),
        StatementError::Assignment => "Expected '='".to_owned(),
        StatementError::Target => "Expected identifier for simple path".to_owned(),
        StatementError::PathStep => "Invalid path dot component".to_owned(),
        StatementError::TypeName => "Expected type name".to_owned(),
        StatementError::Trailing => "Unexpected token after expression".to_owned(),
    };
    Fault::validation(format!("Statement wasn't well formed, can't be processed: {reason}"))
}

fn name_of_token(token: &'static str) -> &'static str {
    match token {
        "(" => "LEFT_PAREN",
        ")" => "RIGHT_PAREN",
        "]" => "RIGHT_BRACKET",
        "}" => "RIGHT_CURLY",
        ">>" => "RIGHT_DOUBLE_ANGLE_BRACKET",
        ":" => "COLON",
        "," => "COMMA",
        "*" => "STAR",
        other => other,
    }
}

/// Why a statement has no meaning for its table; assumed, but for the sentences that it shares with expressions.
pub fn refuse_plan(error: &PlanError) -> Fault {
    match error {
        PlanError::Expression(error) => Fault::validation(expression::render(error, ExpressionKind::Condition)),
        PlanError::Key(error) => Fault::validation(expression::render_key_condition(error)),
        PlanError::NoIndex(index) => read::no_index(index),
        PlanError::VectorIndex => read::not_on_vectors(true),
        PlanError::NotProjected { index, attributes } => {
            read::not_projected(index, &attributes.iter().map(String::as_str).collect::<Vec<_>>())
        }
        PlanError::TooManyPartitions(count) => Fault::validation(format!(
            "One or more parameter values were invalid: {count} hash key values in the WHERE clause, the limit is {STATEMENT_PARTITIONS_MAX}"
        )),
        PlanError::WholeKey => Fault::validation(NO_KEY),
        PlanError::OrderWithoutCondition => Fault::validation("Must have WHERE clause in the statement when using ORDER BY clause."),
        PlanError::OrderWithoutPartition => {
            Fault::validation("Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.")
        }
        PlanError::OrderOf(attribute) => {
            Fault::validation(format!("Variable reference {attribute} in ORDER BY clause must be part of the primary key"))
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
