//! Turns a bound condition into what a vector search takes: equalities of top-level attributes, joined by AND.
//!
//! What must stay true: what comes out holds for an item exactly when the condition does.

use stator_model::Path;

use crate::ast::{Node, Tree};
use crate::condition::{Comparator, Condition, Operand, Step, Test};
use crate::error::{ExprError, SearchShapeError};
use crate::literal::Literal;

pub(super) fn bind(tree: &Tree, condition: Condition) -> Result<Vec<(String, Literal)>, ExprError> {
    if tree.nodes.iter().any(|node| matches!(node, Node::Or(..) | Node::Not(_))) {
        return Err(ExprError::SearchShape(SearchShapeError::Operator));
    }
    let tests = condition.steps.into_iter().filter_map(|step| if let Step::Test(test) = step { Some(test) } else { None });
    tests.map(|test| equality(test).map_err(ExprError::SearchShape)).collect()
}

fn equality(test: Test) -> Result<(String, Literal), SearchShapeError> {
    let (path, value) = match test {
        Test::Compare { comparator: Comparator::Equal, left: Operand::Path(path), right: Operand::Literal(value) }
        | Test::Compare { comparator: Comparator::Equal, left: Operand::Literal(value), right: Operand::Path(path) } => (path, value),
        Test::Compare { comparator: Comparator::Equal, .. } => return Err(SearchShapeError::Operands),
        Test::Compare { .. } => return Err(SearchShapeError::Comparator),
        _ => return Err(SearchShapeError::Operator),
    };
    let Path { attribute, steps } = path;
    if steps.is_empty() { Ok((attribute, value)) } else { Err(SearchShapeError::NestedAttribute) }
}
