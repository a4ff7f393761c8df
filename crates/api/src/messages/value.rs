//! What the service says about attribute values that are none.

use stator_model::ValueType;
use stator_model::number::NumberError;

use crate::constraint::detected;
use crate::fault::Fault;
use crate::json::{Attributes, ValueFault};

/// A document of more than 32 levels.
pub const TOO_DEEP: &str = "Nesting Levels have exceeded supported limits";

/// Reports the fault of an item or key.
pub fn check(attributes: Option<&Attributes>) -> Result<(), Fault> {
    match attributes.and_then(|attributes| attributes.fault.as_ref()) {
        Some((_, fault)) => Err(fault_of(fault)),
        None => Ok(()),
    }
}

/// The fault of one of ExpressionAttributeValues. The newer validation of an operation finds faults of sets and nulls before
/// it knows where they are; all others name the value.
pub fn of_expression(key: &str, fault: &ValueFault, is_newer: bool) -> Fault {
    match render(fault) {
        (sentence, true) if is_newer => Fault::validation(detected(&sentence)),
        (sentence, _) => Fault::validation(format!("ExpressionAttributeValues contains invalid value: {sentence} for key {key}")),
    }
}

/// The fault of an exclusive start key. assumed
pub fn of_start_key(fault: &ValueFault) -> Fault {
    Fault::validation(format!("The provided starting key is invalid: {}", render(fault).0))
}

/// The fault as a ValidationException.
pub fn fault_of(fault: &ValueFault) -> Fault {
    let (sentence, is_detected) = render(fault);
    Fault::validation(if is_detected { detected(&sentence) } else { sentence })
}

/// What the service says of a number that is none.
pub fn render_number(error: NumberError, text: &str) -> String {
    match error {
        NumberError::Invalid if text.is_empty() => "The parameter cannot be converted to a numeric value".to_owned(),
        NumberError::Invalid => format!("The parameter cannot be converted to a numeric value: {text}"),
        NumberError::TooManyDigits => "Attempting to store more than 38 significant digits in a Number".to_owned(),
        NumberError::Overflow => "Number overflow. Attempting to store a number with magnitude larger than supported range".to_owned(),
        NumberError::Underflow => "Number underflow. Attempting to store a number with magnitude smaller than supported range".to_owned(),
    }
}

/// The sentence, and whether the newer validation says it (behaviours, "The validation wording changed in 2026").
fn render(fault: &ValueFault) -> (String, bool) {
    let invalid = |reason: &str| format!("One or more parameter values were invalid: {reason}");
    match fault {
        ValueFault::Empty => ("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes".to_owned(), false),
        ValueFault::SeveralTypes => (
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes".to_owned(),
            false,
        ),
        ValueFault::Number(error, text) => (render_number(*error, text), false),
        ValueFault::EmptySet(ValueType::BS) => (invalid("Binary sets should not be empty"), true),
        ValueFault::EmptySet(ValueType::NS) => (invalid("An number set  may not be empty"), true),
        ValueFault::EmptySet(_) => (invalid("An string set  may not be empty"), true),
        ValueFault::DuplicateElements(ValueType::NS, _) => ("Input collection contains duplicates".to_owned(), true),
        ValueFault::DuplicateElements(kind, elements) => {
            let elements: Vec<String> = elements.iter().map(|element| format!("\"{element}\"")).collect();
            let of_type = if *kind == ValueType::BS { "of type BS " } else { "" };
            (invalid(&format!("Input collection [{}] {of_type}contains duplicates.", elements.join(", "))), true)
        }
        ValueFault::NullFalse => (invalid("Null attribute value types must have the value of true"), true),
        ValueFault::NameTooLong => ("Attribute name is too large, must be less than 65536 bytes".to_owned(), false),
        ValueFault::TooDeep => (TOO_DEEP.to_owned(), false),
    }
}
