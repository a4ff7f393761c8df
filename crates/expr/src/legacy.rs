//! The parameters from before expressions, lowered to the same forms.
//!
//! What must stay true: nothing after this module can tell a legacy request from one with expressions, but for an update's
//! origin; arguments are checked here as the service checks them, before any item is read.

use stator_model::{Path, ValueType};

use crate::condition::{Comparator, Condition, Operand, Step, Test};
use crate::error::LegacyError;
use crate::key_condition::{KeyCondition, KeyRange, KeyTerm, KeyTest};
use crate::literal::Literal;
use crate::projection::Projection;
use crate::update::{Action as UpdateAction, Change, Origin, SetOperand, SetValue, Update};

/// ComparisonOperator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComparisonOperator {
    /// `EQ`
    Eq,
    /// `NE`
    Ne,
    /// `IN`
    In,
    /// `LE`
    Le,
    /// `LT`
    Lt,
    /// `GE`
    Ge,
    /// `GT`
    Gt,
    /// `BETWEEN`
    Between,
    /// `NOT_NULL`: the attribute exists.
    NotNull,
    /// `NULL`: the attribute does not exist.
    Null,
    /// `CONTAINS`
    Contains,
    /// `NOT_CONTAINS`
    NotContains,
    /// `BEGINS_WITH`
    BeginsWith,
}

/// How many arguments an operator takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arguments {
    Exactly(usize),
    AtLeastOne,
}

/// Name, number of arguments, and the types that they may have (`None`: any).
type OperatorRow = (ComparisonOperator, &'static str, Arguments, Option<&'static [ValueType]>);

const ORDERED: Option<&[ValueType]> = Some(&[ValueType::S, ValueType::N, ValueType::B]);

const OPERATORS: [OperatorRow; 13] = [
    (ComparisonOperator::Eq, "EQ", Arguments::Exactly(1), None),
    (ComparisonOperator::Ne, "NE", Arguments::Exactly(1), None),
    (ComparisonOperator::In, "IN", Arguments::AtLeastOne, ORDERED),
    (ComparisonOperator::Le, "LE", Arguments::Exactly(1), ORDERED),
    (ComparisonOperator::Lt, "LT", Arguments::Exactly(1), ORDERED),
    (ComparisonOperator::Ge, "GE", Arguments::Exactly(1), ORDERED),
    (ComparisonOperator::Gt, "GT", Arguments::Exactly(1), ORDERED),
    (ComparisonOperator::Between, "BETWEEN", Arguments::Exactly(2), ORDERED),
    (ComparisonOperator::NotNull, "NOT_NULL", Arguments::Exactly(0), None),
    (ComparisonOperator::Null, "NULL", Arguments::Exactly(0), None),
    (ComparisonOperator::Contains, "CONTAINS", Arguments::Exactly(1), ORDERED),
    (ComparisonOperator::NotContains, "NOT_CONTAINS", Arguments::Exactly(1), ORDERED),
    (ComparisonOperator::BeginsWith, "BEGINS_WITH", Arguments::Exactly(1), Some(&[ValueType::S, ValueType::B])),
];

impl ComparisonOperator {
    /// The operator of a wire name.
    pub fn from_name(name: &str) -> Option<ComparisonOperator> {
        OPERATORS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> &'static OperatorRow {
        OPERATORS.iter().find(|row| row.0 == self).expect("the table has every operator")
    }

    fn comparator(self) -> Option<Comparator> {
        Some(match self {
            ComparisonOperator::Eq => Comparator::Equal,
            ComparisonOperator::Ne => Comparator::NotEqual,
            ComparisonOperator::Le => Comparator::LessOrEqual,
            ComparisonOperator::Lt => Comparator::Less,
            ComparisonOperator::Ge => Comparator::GreaterOrEqual,
            ComparisonOperator::Gt => Comparator::Greater,
            _ => return None,
        })
    }
}

/// ConditionalOperator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionalOperator {
    /// All conditions hold; what holds without the parameter, too.
    And,
    /// Some condition holds.
    Or,
}

/// A Condition of QueryFilter, ScanFilter or KeyConditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// ComparisonOperator
    pub operator: ComparisonOperator,
    /// AttributeValueList; empty when absent.
    pub arguments: Vec<Literal>,
}

/// An ExpectedAttributeValue, as given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expectation {
    /// Value
    pub value: Option<Literal>,
    /// Exists
    pub exists: Option<bool>,
    /// ComparisonOperator
    pub operator: Option<ComparisonOperator>,
    /// AttributeValueList
    pub arguments: Option<Vec<Literal>>,
}

/// Action of an AttributeValueUpdate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `PUT`, what holds without the parameter, too.
    Put,
    /// `ADD`
    Add,
    /// `DELETE`
    Delete,
}

impl Action {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Action::Put => "PUT",
            Action::Add => "ADD",
            Action::Delete => "DELETE",
        }
    }
}

/// An AttributeValueUpdate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeUpdate {
    /// Action
    pub action: Action,
    /// Value
    pub value: Option<Literal>,
}

/// Lowers QueryFilter or ScanFilter. Without entries everything matches.
pub fn filter(entries: Vec<(String, Comparison)>, joined_by: Option<ConditionalOperator>) -> Result<Condition, LegacyError> {
    let tests = entries.into_iter().map(|(attribute, comparison)| lower(attribute, comparison)).collect::<Result<_, _>>()?;
    join(tests, joined_by)
}

/// Lowers Expected.
pub fn expected(entries: Vec<(String, Expectation)>, joined_by: Option<ConditionalOperator>) -> Result<Condition, LegacyError> {
    let tests = entries.into_iter().map(|(attribute, expectation)| lower_expectation(attribute, expectation)).collect::<Result<_, _>>()?;
    join(tests, joined_by)
}

/// Lowers KeyConditions.
pub fn key_conditions(entries: Vec<(String, Comparison)>) -> Result<KeyCondition, LegacyError> {
    let term = |(attribute, comparison): (String, Comparison)| {
        check_arguments(&comparison)?;
        let operator = comparison.operator;
        let mut arguments = comparison.arguments.into_iter();
        let test = match (operator, arguments.next(), arguments.next()) {
            (ComparisonOperator::Between, Some(lower), Some(upper)) => KeyTest::Range(KeyRange::Between(lower, upper)),
            (ComparisonOperator::BeginsWith, Some(prefix), _) => KeyTest::Range(KeyRange::BeginsWith(prefix)),
            (_, Some(value), _) => {
                let comparator = operator.comparator().ok_or(LegacyError::KeyOperator)?;
                KeyTest::compare(comparator, value).ok_or(LegacyError::KeyOperator)?
            }
            _ => return Err(LegacyError::KeyOperator),
        };
        Ok(KeyTerm { attribute, test })
    };
    Ok(KeyCondition { terms: entries.into_iter().map(term).collect::<Result<_, _>>()? })
}

/// Lowers AttributeUpdates.
pub fn attribute_updates(entries: Vec<(String, AttributeUpdate)>) -> Result<Update, LegacyError> {
    let action =
        |(attribute, update): (String, AttributeUpdate)| Ok(UpdateAction { path: Path::attribute(attribute), change: change(update)? });
    Ok(Update { actions: entries.into_iter().map(action).collect::<Result<_, _>>()?, origin: Origin::Legacy })
}

/// Lowers AttributesToGet. Names are whole top-level attributes, whatever characters they have.
pub fn attributes_to_get(names: &[String]) -> Result<Projection, LegacyError> {
    let mut seen = std::collections::HashSet::with_capacity(names.len());
    if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
        return Err(LegacyError::RepeatedAttribute { attribute: name.clone() });
    }
    Ok(Projection::of_attributes(names.iter().map(String::as_str)))
}

fn change(update: AttributeUpdate) -> Result<Change, LegacyError> {
    use ValueType::{BS, L, N, NS, SS};
    let action = update.action;
    let allow = |value: &Literal, allowed: &[ValueType]| {
        let found = value.value_type();
        if allowed.contains(&found) { Ok(()) } else { Err(LegacyError::ActionType { action, found }) }
    };
    match (action, update.value) {
        (Action::Delete, None) => Ok(Change::Remove),
        (Action::Put | Action::Add, None) => Err(LegacyError::ActionWithoutValue),
        (Action::Put, Some(value)) => Ok(Change::Set(SetValue::Operand(SetOperand::Literal(value)))),
        (Action::Add, Some(value)) => allow(&value, &[N, SS, NS, BS, L]).map(|()| Change::Add(value)),
        (Action::Delete, Some(value)) => allow(&value, &[SS, NS, BS]).map(|()| Change::Delete(value)),
    }
}

fn lower_expectation(attribute: String, expectation: Expectation) -> Result<Vec<Step>, LegacyError> {
    let Expectation { value, exists, operator, arguments } = expectation;
    if value.is_some() && arguments.is_some() {
        return Err(LegacyError::ValueAndList { attribute });
    }
    if let Some(operator) = operator {
        if exists.is_some() {
            return Err(LegacyError::ExistsAndComparison { attribute });
        }
        let needs_arguments = operator.row().2 != Arguments::Exactly(0);
        let arguments = arguments.or_else(|| value.map(|value| vec![value]));
        if needs_arguments && arguments.is_none() {
            return Err(LegacyError::ComparisonWithoutValue { operator: operator.name(), attribute });
        }
        return lower(attribute, Comparison { operator, arguments: arguments.unwrap_or_default() });
    }
    if arguments.is_some() {
        return Err(LegacyError::ListWithoutComparison { attribute });
    }
    match (exists, value) {
        (Some(false), None) => Ok(vec![Step::Test(Test::NotExists(Path::attribute(attribute)))]),
        (Some(false), Some(_)) => Err(LegacyError::AbsentWithValue { attribute }),
        (_, None) => Err(LegacyError::ExistsWithoutValue { attribute, is_written: exists.is_some() }),
        (_, Some(value)) => lower(attribute, Comparison { operator: ComparisonOperator::Eq, arguments: vec![value] }),
    }
}

fn check_arguments(comparison: &Comparison) -> Result<(), LegacyError> {
    let (_, operator, count, types) = *comparison.operator.row();
    let given = &comparison.arguments;
    let is_right_count = match count {
        Arguments::Exactly(count) => given.len() == count,
        Arguments::AtLeastOne => !given.is_empty(),
    };
    if !is_right_count {
        return Err(LegacyError::ArgumentCount { operator });
    }
    let refused = |argument: &&Literal| types.is_some_and(|types| !types.contains(&argument.value_type()));
    if let Some(argument) = given.iter().find(refused) {
        return Err(LegacyError::ArgumentType { operator, found: argument.value_type() });
    }
    if given.iter().any(|argument| argument.value_type() != given[0].value_type()) {
        return Err(LegacyError::MixedArguments);
    }
    let is_descending = |bounds: &[Literal]| bounds[0].raw().compare(bounds[1].raw()).is_some_and(std::cmp::Ordering::is_gt);
    if comparison.operator == ComparisonOperator::Between && is_descending(given) {
        return Err(LegacyError::BoundsOrder);
    }
    Ok(())
}

/// The steps of one comparison; skips among them count from its first step.
fn lower(attribute: String, comparison: Comparison) -> Result<Vec<Step>, LegacyError> {
    check_arguments(&comparison)?;
    let path = Path::attribute(attribute);
    let operand = Operand::Path(path.clone());
    let mut arguments = comparison.arguments.into_iter().map(Operand::Literal);
    let mut next = || arguments.next().expect("the number of arguments was checked");
    let test = match comparison.operator {
        ComparisonOperator::Null => Test::NotExists(path),
        ComparisonOperator::NotNull => Test::Exists(path),
        ComparisonOperator::Between => Test::Between { operand, lower: next(), upper: next() },
        ComparisonOperator::In => Test::In { operand, list: arguments.collect() },
        ComparisonOperator::BeginsWith => Test::BeginsWith { operand, prefix: next() },
        ComparisonOperator::Contains => Test::Contains { operand, part: next() },
        // An attribute that is not there does not fail to contain something (assumed).
        ComparisonOperator::NotContains => {
            return Ok(vec![
                Step::Test(Test::Exists(path)),
                Step::Skip { when: false, to: 4 },
                Step::Test(Test::Contains { operand, part: next() }),
                Step::Not,
            ]);
        }
        operator => {
            let comparator = operator.comparator().expect("the other operators compare");
            Test::Compare { comparator, left: operand, right: next() }
        }
    };
    Ok(vec![Step::Test(test)])
}

fn join(tests: Vec<Vec<Step>>, joined_by: Option<ConditionalOperator>) -> Result<Condition, LegacyError> {
    if joined_by.is_some() && tests.len() < 2 {
        return Err(LegacyError::NothingToJoin { conditions: tests.len() });
    }
    let is_decided_by = joined_by == Some(ConditionalOperator::Or);
    let end = tests.iter().map(|test| test.len() + 1).sum::<usize>().saturating_sub(1);
    let mut steps: Vec<Step> = Vec::with_capacity(end);
    for test in tests {
        if !steps.is_empty() {
            steps.push(Step::Skip { when: is_decided_by, to: end });
        }
        let start = steps.len();
        steps.extend(test.into_iter().map(|step| match step {
            Step::Skip { when, to } => Step::Skip { when, to: start + to },
            step => step,
        }));
    }
    Ok(Condition { steps })
}
