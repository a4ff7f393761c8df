//! What the service says about expressions, their legacy forerunners, and updates and key conditions that do not fit.
//!
//! A wording without a remark is one that a public record quotes from an answer of the service. `assumed` stands above every
//! other: those follow the service's manner, or recollection, and wait for an observation. The prefix `1 validation error
//! detected: ` of the newer validation is the operation's, since it depends on the operation.

use stator_expr::{
    ExprError, ExpressionKind, KeyConditionError, KeyShapeError, LegacyError, Literal, OperandType, PathClash, SearchShapeError,
    Substitution, UpdateError,
};
use stator_model::number::NumberError;
use stator_model::{Path, PathStep, ValueRef, ValueType};

/// The sentence about an expression, or about the substitutions of a request.
pub fn render(error: &ExprError, kind: ExpressionKind) -> String {
    match substitution(error).or_else(|| bare_key_shape(error)) {
        Some(sentence) => sentence,
        None => format!("Invalid {}: {}", kind.name(), of_text(error)),
    }
}

/// Sentences about ExpressionAttributeNames and ExpressionAttributeValues, which name no expression.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is about no substitution is worded by `of_text`, which names every variant")]
fn substitution(error: &ExprError) -> Option<String> {
    Some(match error {
        ExprError::NoSubstitutions(map) => format!("{} must not be empty", map.name()),
        ExprError::InvalidSubstitution { map, key } => format!("{} contains invalid key: Syntax error; key: \"{key}\"", map.name()),
        // assumed
        ExprError::SubstitutionTooLong { map, key } => {
            format!("{} contains invalid key: The key exceeds the maximum allowed size of 255; key: \"{key}\"", map.name())
        }
        // assumed
        ExprError::InvalidName { key, bytes: 0 } => {
            format!("ExpressionAttributeNames contains invalid value: Attribute name must not be empty; key: \"{key}\"")
        }
        ExprError::InvalidName { .. } => "Attribute name is too large, must be less than 65536 bytes".to_owned(),
        ExprError::Unused { map, keys } => format!("Value provided in {} unused in expressions: keys: {{{}}}", map.name(), keys.join(", ")),
        _ => return None,
    })
}

/// Some sentences about key conditions spell the parameter's name themselves.
fn bare_key_shape(error: &ExprError) -> Option<String> {
    let ExprError::KeyShape(error) = error else { return None };
    Some(match error {
        KeyShapeError::Operator { operator } => format!("Invalid operator used in KeyConditionExpression: {operator}"),
        KeyShapeError::SeveralAttributes => {
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition".to_owned()
        }
        // assumed
        KeyShapeError::NoAttribute => "Invalid condition in KeyConditionExpression: No key attribute specified".to_owned(),
        // assumed
        KeyShapeError::AttributeNotFirst { operator } => {
            format!("Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its first operand")
        }
        KeyShapeError::NestedOperation | KeyShapeError::NestedAttribute | KeyShapeError::RepeatedAttribute => return None,
    })
}

fn of_text(error: &ExprError) -> String {
    match error {
        ExprError::Empty => "The expression can not be empty;".to_owned(),
        ExprError::TooLong { bytes } => format!("Expression size has exceeded the maximum allowed size; expression size: {bytes}"),
        ExprError::TooManyOperators { count } => format!("The expression contains too many operators; operator count: {count}"),
        ExprError::TooManyInOperands { count } => {
            format!("The IN operator is provided with too many operands; number of operands: {count}")
        }
        // assumed
        ExprError::PathTooDeep { levels } => format!("The document path has too many nesting elements; nesting levels: {levels}"),
        ExprError::IndexTooLarge { index } => format!("List index is not within the allowable range; index: [{index}]"),
        ExprError::Syntax { token, near, .. } => format!("Syntax error; token: \"{token}\", near: \"{near}\""),
        ExprError::RedundantParentheses => "The expression has redundant parentheses;".to_owned(),
        // assumed
        ExprError::UnknownFunction { function } => format!("Invalid function name; function: {function}"),
        // assumed
        ExprError::FunctionNotInUpdate { function } => {
            format!("The function is not allowed in an update expression; function: {function}")
        }
        // assumed
        ExprError::MisplacedFunction { function } => {
            format!("The function is not allowed to be used this way in an expression; function: {function}")
        }
        // assumed
        ExprError::RepeatedSection { section } => {
            format!("The \"{section}\" section can only be used once in an update expression;")
        }
        ExprError::ReservedWord { word } => format!("Attribute name is a reserved keyword; reserved keyword: {word}"),
        ExprError::UndefinedName { name } => {
            format!("An expression attribute name used in the document path is not defined; attribute name: {name}")
        }
        ExprError::UndefinedValue { value } => {
            format!("An expression attribute value used in expression is not defined; attribute value: {value}")
        }
        ExprError::Paths { clash, first, second } => clashing_paths(*clash, first, second),
        ExprError::KeyShape(error) => key_shape(error).to_owned(),
        ExprError::SearchShape(error) => search_shape(*error).to_owned(),
        ExprError::OperandCount { .. }
        | ExprError::PathRequired { .. }
        | ExprError::FunctionOperandType { .. }
        | ExprError::OperatorOperandType { .. }
        | ExprError::SectionOperandType { .. }
        | ExprError::UnknownTypeName { .. }
        | ExprError::IndistinctOperands { .. }
        | ExprError::BetweenTypes { .. }
        | ExprError::BetweenOrder { .. } => of_operands(error),
        ExprError::NoSubstitutions(_)
        | ExprError::InvalidSubstitution { .. }
        | ExprError::SubstitutionTooLong { .. }
        | ExprError::InvalidName { .. }
        | ExprError::Unused { .. } => substitution(error).unwrap_or_default(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "`of_text` names every variant, and these here alone come this way")]
fn of_operands(error: &ExprError) -> String {
    match error {
        // assumed
        ExprError::OperandCount { function, count } => {
            format!("Incorrect number of operands for operator or function; operator or function: {function}, number of operands: {count}")
        }
        // assumed
        ExprError::PathRequired { function } => {
            format!("Operator or function requires a document path; operator or function: {function}")
        }
        ExprError::FunctionOperandType { function, operand } => {
            let operand = operand_type(*operand);
            format!("Incorrect operand type for operator or function; operator or function: {function}, operand type: {operand}")
        }
        ExprError::OperatorOperandType { operator, operand } => {
            format!("Incorrect operand type for operator or function; operator: {operator}, operand type: {}", operand.name())
        }
        ExprError::SectionOperandType { section, operand } => {
            let operand = long_type_name(*operand);
            format!(
                "Incorrect operand type for operator or function; operator: {section}, operand type: {operand}, typeSet: ALLOWED_FOR_{section}_OPERAND"
            )
        }
        // assumed
        ExprError::UnknownTypeName { name } => {
            format!("Invalid attribute type name found; type: {name}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}")
        }
        ExprError::IndistinctOperands { operator, first } => format!(
            "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {}",
            elements(first)
        ),
        // assumed
        ExprError::BetweenTypes { lower, upper } => format!(
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: {}, upper bound operand: {}",
            attribute_value(lower),
            attribute_value(upper)
        ),
        ExprError::BetweenOrder { lower, upper } => format!(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: {}, upper bound operand: {}",
            attribute_value(lower),
            attribute_value(upper)
        ),
        other => unreachable!("{other:?} is rendered before operands are"),
    }
}

fn key_shape(error: &KeyShapeError) -> &'static str {
    match error {
        KeyShapeError::NestedAttribute => "KeyConditionExpressions cannot have conditions on nested attributes",
        KeyShapeError::RepeatedAttribute => "KeyConditionExpressions must only contain one condition per key",
        // assumed; the last four are spelled with the parameter's name before.
        KeyShapeError::NestedOperation
        | KeyShapeError::Operator { .. }
        | KeyShapeError::SeveralAttributes
        | KeyShapeError::NoAttribute
        | KeyShapeError::AttributeNotFirst { .. } => "KeyConditionExpressions cannot contain nested operations",
    }
}

fn search_shape(error: SearchShapeError) -> &'static str {
    match error {
        SearchShapeError::Comparator => "Invalid comparator used in SearchConditionExpression",
        SearchShapeError::Operator => "Invalid operator used in SearchConditionExpression",
        // assumed
        SearchShapeError::Operands => "Invalid condition used in SearchConditionExpression",
        // assumed
        SearchShapeError::NestedAttribute => "SearchConditionExpression cannot have conditions on nested attributes",
    }
}

fn clashing_paths(clash: PathClash, first: &Path, second: &Path) -> String {
    let verb = match clash {
        PathClash::Overlap => "overlap",
        // assumed
        PathClash::Conflict => "conflict",
    };
    format!(
        "Two document paths {verb} with each other; must remove or rewrite one of these paths; path one: {}, path two: {}",
        elements(first),
        elements(second)
    )
}

/// A path as the service prints it: `[a, b, [1]]`.
fn elements(path: &Path) -> String {
    let mut text = format!("[{}", path.attribute);
    for step in &path.steps {
        match step {
            PathStep::Name(name) => text.push_str(&format!(", {name}")),
            PathStep::Index(index) => text.push_str(&format!(", [{index}]")),
        }
    }
    text.push(']');
    text
}

fn operand_type(operand: OperandType) -> &'static str {
    match operand {
        OperandType::Known(kind) => kind.name(),
        // assumed
        OperandType::AnyType => "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}",
    }
}

/// The names that sections of updates use for types. Those but STRING, LIST and MAP are assumed.
fn long_type_name(kind: ValueType) -> &'static str {
    match kind {
        ValueType::Null => "NULL",
        ValueType::Bool => "BOOLEAN",
        ValueType::S => "STRING",
        ValueType::N => "NUMBER",
        ValueType::B => "BINARY",
        ValueType::SS => "STRING_SET",
        ValueType::NS => "NUMBER_SET",
        ValueType::BS => "BINARY_SET",
        ValueType::L => "LIST",
        ValueType::M => "MAP",
    }
}

/// A scalar literal as the service prints it: `AttributeValue: {N:5}`.
fn attribute_value(literal: &Literal) -> String {
    let value = match literal.raw().view() {
        ValueRef::S(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::N(number) => number.number().to_string(),
        // The service prints its own buffer object (assumed).
        ValueRef::B(bytes) => format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len()),
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::SS(_) | ValueRef::NS(_) | ValueRef::BS(_) | ValueRef::L(_) | ValueRef::M(_) => {
            String::new()
        }
    };
    format!("AttributeValue: {{{}:{value}}}", literal.value_type().name())
}

/// The sentence about an update that does not fit the item.
pub fn render_update(error: &UpdateError) -> &'static str {
    match error {
        UpdateError::InvalidPath => "The document path provided in the update expression is invalid for update",
        UpdateError::OperandType => "An operand in the update expression has an incorrect data type",
        // assumed
        UpdateError::AttributeType => "Type mismatch for attribute to update",
        UpdateError::MissingAttribute => "The provided expression refers to an attribute that does not exist in the item",
        UpdateError::Number(error) => render_number(*error),
        UpdateError::TooDeep => {
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
        }
    }
}

/// The sentence about a number out of range.
fn render_number(error: NumberError) -> &'static str {
    match error {
        NumberError::Overflow => "Number overflow. Attempting to store a number with magnitude larger than supported range",
        // assumed
        NumberError::Underflow => "Number underflow. Attempting to store a number with magnitude smaller than supported range",
        // assumed
        NumberError::TooManyDigits => "Attempting to store more than 38 significant digits in a Number",
        // assumed
        NumberError::Invalid => "The parameter cannot be converted to a numeric value",
    }
}

/// The sentence about a key condition that does not fit the key.
pub fn render_key_condition(error: &KeyConditionError) -> String {
    match error {
        // assumed
        KeyConditionError::Count { attributes, .. } if *attributes <= 2 => "Conditions can be of length 1 or 2 only".to_owned(),
        // assumed
        KeyConditionError::Count { attributes, .. } => format!("Conditions can be of length 1 to {attributes} only"),
        KeyConditionError::Missing { attribute } => format!("Query condition missed key schema element: {attribute}"),
        KeyConditionError::NotSupported { .. } => "Query key condition not supported".to_owned(),
        KeyConditionError::Type { .. } => {
            "One or more parameter values were invalid: Condition parameter type does not match schema type".to_owned()
        }
        // assumed
        KeyConditionError::EmptyValue { attribute, value_type } => {
            let kind = if *value_type == ValueType::B { "binary" } else { "string" };
            format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {attribute}"
            )
        }
    }
}

/// The sentence about a legacy parameter.
pub fn render_legacy(error: &LegacyError) -> String {
    let reason = match error {
        // assumed
        LegacyError::BoundsOrder => {
            return "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound".to_owned();
        }
        // assumed
        LegacyError::NothingToJoin { conditions: 0 } => return "ConditionalOperator cannot be used without Filter or Expected".to_owned(),
        // assumed
        LegacyError::NothingToJoin { .. } => {
            return "ConditionalOperator can only be used when Filter or Expected has two or more elements".to_owned();
        }
        // assumed
        LegacyError::KeyOperator => return "Attempted conditional constraint is not an indexable operation".to_owned(),
        LegacyError::ArgumentCount { operator } => format!("Invalid number of argument(s) for the {operator} ComparisonOperator"),
        // assumed
        LegacyError::ArgumentType { operator, found } => {
            format!("ComparisonOperator {operator} is not valid for {} AttributeValue type", found.name())
        }
        // assumed
        LegacyError::MixedArguments => "AttributeValues inside AttributeValueList must be of same type".to_owned(),
        // assumed
        LegacyError::ValueAndList { attribute } => {
            format!("Value and AttributeValueList cannot be used together for Attribute: {attribute}")
        }
        // assumed
        LegacyError::ExistsAndComparison { attribute } => {
            format!("Exists and ComparisonOperator cannot be used together for Attribute: {attribute}")
        }
        // assumed
        LegacyError::ComparisonWithoutValue { operator, attribute } => {
            format!("Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {attribute}")
        }
        // assumed
        LegacyError::ListWithoutComparison { attribute } => {
            format!("AttributeValueList can only be used with a ComparisonOperator for Attribute: {attribute}")
        }
        // assumed
        LegacyError::ExistsWithoutValue { attribute, is_written } => {
            let exists = if *is_written { "true" } else { "null" };
            format!("Value must be provided when Exists is {exists} for Attribute: {attribute}")
        }
        // assumed
        LegacyError::AbsentWithValue { attribute } => format!("Value cannot be used when Exists is false for Attribute: {attribute}"),
        // assumed
        LegacyError::ActionWithoutValue => "Only DELETE action is allowed when no attribute value is specified".to_owned(),
        // assumed
        LegacyError::ActionType { action: stator_expr::legacy::Action::Delete, found } => {
            format!("DELETE action with value is not supported for the type {}", found.name())
        }
        // assumed
        LegacyError::ActionType { action, found } => format!("{} action is not supported for the type {}", action.name(), found.name()),
        // assumed
        LegacyError::RepeatedAttribute { attribute } => format!("Duplicate value in attribute name: {attribute}"),
    };
    format!("One or more parameter values were invalid: {reason}")
}

/// Substitutions were given in a request without any expression.
pub fn without_expression(map: Substitution) -> String {
    format!("{} can only be specified when using expressions", map.name())
}

/// Expressions and their legacy forerunners stand in one request. The parameters' names in the order the service lists them.
pub fn both_kinds(legacy: &[&str], expressions: &[&str]) -> String {
    format!(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
        legacy.join(", "),
        expressions.join(", ")
    )
}

/// A filter reads an attribute of the key that it filters behind (the legacy spelling is assumed).
pub fn filter_on_key(is_legacy: bool, attribute: &str) -> String {
    let filter = if is_legacy { "QueryFilter" } else { "Filter Expression" };
    format!("{filter} can only contain non-primary key attributes: Primary key attribute: {attribute}")
}

/// An update changes an attribute of the primary key.
pub fn update_of_key(attribute: &str) -> String {
    format!("One or more parameter values were invalid: Cannot update attribute {attribute}. This attribute is part of the key")
}

#[cfg(test)]
mod tests;
