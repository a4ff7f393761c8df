//! The parameters from before expressions, as read: Expected, AttributeUpdates, and maps of conditions.
//!
//! What must stay true: their values are checked like any others, and then nothing but `stator_expr::legacy` interprets them.

use stator_expr::Literal;
use stator_expr::legacy::{Action, AttributeUpdate, Comparison, ComparisonOperator, ConditionalOperator, Expectation};

use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::attribute::AttributeValue;
use crate::json::{JsonFault, Reader, ValueFault};
use crate::messages::value;

type Result<T> = std::result::Result<T, JsonFault>;

/// The words of ComparisonOperator, as the service lists them.
const OPERATORS: [&str; 13] =
    ["IN", "NULL", "BETWEEN", "LT", "NOT_CONTAINS", "EQ", "GT", "NOT_NULL", "NE", "LE", "BEGINS_WITH", "GE", "CONTAINS"];
/// The words of ConditionalOperator.
const CONDITIONAL_OPERATORS: [&str; 2] = ["OR", "AND"];
/// The words of AttributeAction.
const ACTIONS: [&str; 3] = ["ADD", "DELETE", "PUT"];

/// One entry of a legacy parameter: whatever of the members it has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    value: Option<AttributeValue>,
    exists: Option<bool>,
    action: Option<String>,
    operator: Option<String>,
    arguments: Option<Vec<AttributeValue>>,
}

/// A legacy parameter: attribute names and entries in the order given.
pub(crate) type Entries = Vec<(String, Entry)>;

impl Entry {
    /// Reads an entry.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Entry> {
        let mut entry = Entry::default();
        reader.object(|reader, name| {
            match name {
                "Value" => entry.value = Some(AttributeValue::read(reader)?),
                "Exists" => entry.exists = Some(reader.boolean()?),
                "Action" => entry.action = Some(reader.string()?.into_owned()),
                "ComparisonOperator" => entry.operator = Some(reader.string()?.into_owned()),
                "AttributeValueList" => entry.arguments = Some(reader.list(AttributeValue::read)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(entry)
    }

    fn fault(&self) -> Option<&ValueFault> {
        let values = self.value.iter().chain(self.arguments.iter().flatten());
        values.into_iter().find_map(|value| value.fault.as_ref())
    }
}

/// States the rules of a parameter's entries; conditions need their operator.
pub(crate) fn constrain(constraints: &mut Constraints, parameter: &str, entries: Option<&Entries>, needs_operator: bool) {
    for (name, entry) in entries.into_iter().flatten() {
        let path = |member: &str| format!("{parameter}.{name}.member.{member}");
        if needs_operator {
            constraints.required(path("ComparisonOperator"), entry.operator.as_ref());
        }
        constraints.one_of(path("ComparisonOperator"), entry.operator.as_deref(), &OPERATORS);
        constraints.one_of(path("Action"), entry.action.as_deref(), &ACTIONS);
    }
}

/// States the rule of ConditionalOperator.
pub(crate) fn constrain_conditional(constraints: &mut Constraints, word: Option<&str>) {
    constraints.one_of("ConditionalOperator", word, &CONDITIONAL_OPERATORS);
}

/// Refuses faulty values.
pub(crate) fn check_values(entries: Option<&Entries>) -> std::result::Result<(), Fault> {
    match entries.into_iter().flatten().find_map(|(_, entry)| entry.fault()) {
        Some(fault) => Err(value::fault_of(fault)),
        None => Ok(()),
    }
}

/// The meaning of ConditionalOperator, after its constraint.
pub(crate) fn conditional(word: Option<&str>) -> Option<ConditionalOperator> {
    word.map(|word| if word == "OR" { ConditionalOperator::Or } else { ConditionalOperator::And })
}

/// QueryFilter, ScanFilter or KeyConditions.
pub(crate) fn comparisons(entries: Entries) -> Vec<(String, Comparison)> {
    let comparison = |entry: Entry| Comparison {
        operator: operator(entry.operator.as_deref()).unwrap_or(ComparisonOperator::Eq),
        arguments: literals(entry.arguments.unwrap_or_default()),
    };
    entries.into_iter().map(|(name, entry)| (name, comparison(entry))).collect()
}

/// Expected.
pub(crate) fn expectations(entries: Entries) -> Vec<(String, Expectation)> {
    let expectation = |entry: Entry| Expectation {
        value: entry.value.map(literal),
        exists: entry.exists,
        operator: operator(entry.operator.as_deref()),
        arguments: entry.arguments.map(literals),
    };
    entries.into_iter().map(|(name, entry)| (name, expectation(entry))).collect()
}

/// AttributeUpdates.
pub(crate) fn updates(entries: Entries) -> Vec<(String, AttributeUpdate)> {
    let update = |entry: Entry| AttributeUpdate {
        action: match entry.action.as_deref() {
            Some("ADD") => Action::Add,
            Some("DELETE") => Action::Delete,
            _ => Action::Put,
        },
        value: entry.value.map(literal),
    };
    entries.into_iter().map(|(name, entry)| (name, update(entry))).collect()
}

fn operator(word: Option<&str>) -> Option<ComparisonOperator> {
    word.and_then(ComparisonOperator::from_name)
}

fn literal(value: AttributeValue) -> Literal {
    Literal::from_encoded(value.encoded)
}

fn literals(values: Vec<AttributeValue>) -> Vec<Literal> {
    values.into_iter().map(literal).collect()
}
