//! Turns a bound condition into conditions on keys, if it is of their shape.
//!
//! What must stay true: what comes out is a conjunction of tests of one top-level attribute each, against literals.

use stator_model::Path;

use crate::ast::{Node, Tree};
use crate::condition::{Comparator, Condition, Operand, Step, Test};
use crate::error::{ExprError, KeyShapeError};
use crate::key_condition::{KeyCondition, KeyRange, KeyTerm, KeyTest};
use crate::literal::Literal;

pub(super) fn bind(tree: &Tree, condition: Condition) -> Result<KeyCondition, ExprError> {
    refuse_logic(tree)?;
    let mut terms: Vec<KeyTerm> = Vec::new();
    for step in condition.steps {
        let Step::Test(test) = step else { continue };
        let term = term(test).map_err(ExprError::KeyShape)?;
        if terms.iter().any(|other| other.attribute == term.attribute) {
            return Err(ExprError::KeyShape(KeyShapeError::RepeatedAttribute));
        }
        terms.push(term);
    }
    Ok(KeyCondition { terms })
}

fn refuse_logic(tree: &Tree) -> Result<(), ExprError> {
    for node in &tree.nodes {
        let operator = match node {
            Node::Or(..) => "OR",
            Node::Not(_) => "NOT",
            _ => continue,
        };
        return Err(ExprError::KeyShape(KeyShapeError::Operator { operator }));
    }
    Ok(())
}

fn term(test: Test) -> Result<KeyTerm, KeyShapeError> {
    let operator = |operator| Err(KeyShapeError::Operator { operator });
    match test {
        Test::Compare { comparator: Comparator::NotEqual, .. } => operator(Comparator::NotEqual.symbol()),
        Test::In { .. } => operator("IN"),
        Test::Contains { .. } => operator("contains"),
        Test::Exists(_) => operator("attribute_exists"),
        Test::NotExists(_) => operator("attribute_not_exists"),
        Test::TypeIs(..) => operator("attribute_type"),
        Test::Compare { comparator, left, right } => comparison(comparator, left, right),
        Test::Between { operand, lower, upper } => {
            let (path, bounds) = attribute_first("BETWEEN", operand, vec![lower, upper])?;
            let mut bounds = bounds.into_iter();
            let (Some(lower), Some(upper)) = (bounds.next(), bounds.next()) else { return Err(KeyShapeError::NoAttribute) };
            Ok(KeyTerm { attribute: path.attribute, test: KeyTest::Range(KeyRange::Between(lower, upper)) })
        }
        Test::BeginsWith { operand, prefix } => {
            let (path, prefixes) = attribute_first("begins_with", operand, vec![prefix])?;
            let prefix = prefixes.into_iter().next().ok_or(KeyShapeError::NoAttribute)?;
            Ok(KeyTerm { attribute: path.attribute, test: KeyTest::Range(KeyRange::BeginsWith(prefix)) })
        }
    }
}

/// `attribute < :v`, or `:v > attribute`, which says the same.
fn comparison(comparator: Comparator, left: Operand, right: Operand) -> Result<KeyTerm, KeyShapeError> {
    let (comparator, path, value) = match (left, right) {
        (Operand::Size(_), _) | (_, Operand::Size(_)) => return Err(KeyShapeError::NestedOperation),
        (Operand::Path(_), Operand::Path(_)) => return Err(KeyShapeError::SeveralAttributes),
        (Operand::Literal(_), Operand::Literal(_)) => return Err(KeyShapeError::NoAttribute),
        (Operand::Path(path), Operand::Literal(value)) => (comparator, path, value),
        (Operand::Literal(value), Operand::Path(path)) => (comparator.mirrored(), path, value),
    };
    let path = top_level(path)?;
    let test = KeyTest::compare(comparator, value).ok_or(KeyShapeError::Operator { operator: comparator.symbol() })?;
    Ok(KeyTerm { attribute: path.attribute, test })
}

/// Takes the attribute and the literals of a test that only reads one way.
fn attribute_first(operator: &'static str, operand: Operand, others: Vec<Operand>) -> Result<(Path, Vec<Literal>), KeyShapeError> {
    let is_path = |operand: &Operand| matches!(operand, Operand::Path(_));
    if matches!(operand, Operand::Size(_)) || others.iter().any(|other| matches!(other, Operand::Size(_))) {
        return Err(KeyShapeError::NestedOperation);
    }
    match operand {
        Operand::Path(_) if others.iter().any(is_path) => Err(KeyShapeError::SeveralAttributes),
        Operand::Path(path) => {
            let literal = |operand| if let Operand::Literal(literal) = operand { Some(literal) } else { None };
            Ok((top_level(path)?, others.into_iter().filter_map(literal).collect()))
        }
        _ if others.iter().any(is_path) => Err(KeyShapeError::AttributeNotFirst { operator }),
        _ => Err(KeyShapeError::NoAttribute),
    }
}

fn top_level(path: Path) -> Result<Path, KeyShapeError> {
    if path.steps.is_empty() { Ok(path) } else { Err(KeyShapeError::NestedAttribute) }
}
