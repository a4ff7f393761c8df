//! Binds an update: checks in the service's order, then builds its actions.
//!
//! What must stay true: no two paths of an update overlap or conflict afterwards.

use stator_model::{Path, ValueType};

use super::function::{Function, Place};
use super::{Binder, refuse_reserved};
use crate::ast::{Clause, Node, NodeId, Tree, UpdateText};
use crate::error::{ExprError, OperandType};
use crate::literal::Literal;
use crate::projection::refuse_clashes;
use crate::update::{Action, Change, Origin, SetOperand, SetValue, Update};

pub(super) fn bind(binder: &mut Binder<'_>, update: &UpdateText) -> Result<Update, ExprError> {
    update.clauses.iter().try_for_each(refuse_reserved_words)?;
    update.clauses.iter().try_for_each(check_functions)?;
    if let Some(section) = update.repeated_section {
        return Err(ExprError::RepeatedSection { section: section.keyword() });
    }
    if update.clauses.iter().any(|clause| matches!(clause, Clause::Set(_, tree) if tree.has_redundant_parentheses)) {
        return Err(ExprError::RedundantParentheses);
    }
    let actions = update.clauses.iter().map(|clause| action(binder, clause)).collect::<Result<Vec<_>, _>>()?;
    actions.iter().try_for_each(check_operands)?;
    let paths: Vec<Path> = actions.iter().map(|action| action.path.clone()).collect();
    refuse_clashes(&paths)?;
    Ok(Update { actions, origin: Origin::Expression })
}

fn refuse_reserved_words(clause: &Clause) -> Result<(), ExprError> {
    let (Clause::Set(path, _) | Clause::Remove(path) | Clause::Add(path, _) | Clause::Delete(path, _)) = clause;
    refuse_reserved(path)?;
    if let Clause::Set(_, tree) = clause {
        for node in &tree.nodes {
            if let Node::Path(path) = node {
                refuse_reserved(path)?;
            }
        }
    }
    Ok(())
}

fn check_functions(clause: &Clause) -> Result<(), ExprError> {
    let Clause::Set(_, tree) = clause else { return Ok(()) };
    for node in &tree.nodes {
        let Node::Call { function: name, .. } = node else { continue };
        match Function::find(name) {
            None => return Err(ExprError::UnknownFunction { function: name.clone() }),
            Some(function) if function.place() != Place::Update => {
                return Err(ExprError::FunctionNotInUpdate { function: function.name() });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn action(binder: &mut Binder<'_>, clause: &Clause) -> Result<Action, ExprError> {
    let (path, change) = match clause {
        Clause::Set(path, tree) => (binder.path(path)?, Change::Set(set_value(binder, tree)?)),
        Clause::Remove(path) => (binder.path(path)?, Change::Remove),
        Clause::Add(path, value) => (binder.path(path)?, Change::Add(binder.value(value)?)),
        Clause::Delete(path, value) => (binder.path(path)?, Change::Delete(binder.value(value)?)),
    };
    Ok(Action { path, change })
}

fn set_value(binder: &mut Binder<'_>, tree: &Tree) -> Result<SetValue, ExprError> {
    let mut operands: Vec<Option<SetOperand>> = Vec::with_capacity(tree.nodes.len());
    for node in &tree.nodes {
        let mut take = |id: NodeId| operands[id.index()].take().expect("every operand belongs to one place");
        let operand = match node {
            Node::Plus(left, right) => return Ok(SetValue::Sum(take(*left), take(*right))),
            Node::Minus(left, right) => return Ok(SetValue::Difference(take(*left), take(*right))),
            Node::Path(path) => SetOperand::Path(binder.path(path)?),
            Node::Value(placeholder) => SetOperand::Literal(binder.value(placeholder)?),
            Node::Call { function: name, arguments } => {
                let function = Function::find(name).expect("functions were checked");
                call(function, arguments.iter().map(|argument| take(*argument)).collect())?
            }
            _ => unreachable!("the grammar lets no condition into SET"),
        };
        operands.push(Some(operand));
    }
    Ok(SetValue::Operand(operands.pop().flatten().expect("a tree has a root")))
}

fn call(function: Function, mut arguments: Vec<SetOperand>) -> Result<SetOperand, ExprError> {
    if arguments.len() != function.operands() {
        return Err(ExprError::OperandCount { function: function.name(), count: arguments.len() });
    }
    let (second, first) = (arguments.pop(), arguments.pop());
    let (Some(first), Some(second)) = (first, second) else { unreachable!("functions of updates have two operands") };
    match (function, first) {
        (Function::IfNotExists, SetOperand::Path(path)) => Ok(SetOperand::IfNotExists { path, default: Box::new(second) }),
        (Function::IfNotExists, _) => Err(ExprError::PathRequired { function: function.name() }),
        (_, first) => Ok(SetOperand::ListAppend(Box::new(first), Box::new(second))),
    }
}

fn check_operands(action: &Action) -> Result<(), ExprError> {
    use ValueType::{BS, N, NS, SS};
    match &action.change {
        Change::Set(SetValue::Operand(operand)) => check_operand(operand),
        Change::Set(SetValue::Sum(left, right)) => check_sum("+", [left, right], N),
        Change::Set(SetValue::Difference(left, right)) => check_sum("-", [left, right], N),
        Change::Remove => Ok(()),
        Change::Add(literal) => check_section("ADD", literal, &[N, SS, NS, BS]),
        Change::Delete(literal) => check_section("DELETE", literal, &[SS, NS, BS]),
    }
}

fn check_section(section: &'static str, literal: &Literal, allowed: &[ValueType]) -> Result<(), ExprError> {
    let operand = literal.value_type();
    if allowed.contains(&operand) { Ok(()) } else { Err(ExprError::SectionOperandType { section, operand }) }
}

fn check_sum(function: &'static str, operands: [&SetOperand; 2], wanted: ValueType) -> Result<(), ExprError> {
    operands.into_iter().try_for_each(check_operand)?;
    for operand in operands {
        let found = match operand {
            SetOperand::Literal(literal) => literal.value_type(),
            SetOperand::ListAppend(..) => ValueType::L,
            SetOperand::Path(_) | SetOperand::IfNotExists { .. } => continue,
        };
        if found != wanted {
            return Err(ExprError::FunctionOperandType { function, operand: OperandType::Known(found) });
        }
    }
    Ok(())
}

/// Recursion is bounded by the number of operators of an expression (300).
fn check_operand(operand: &SetOperand) -> Result<(), ExprError> {
    match operand {
        SetOperand::Path(_) | SetOperand::Literal(_) => Ok(()),
        SetOperand::IfNotExists { default, .. } => check_operand(default),
        SetOperand::ListAppend(left, right) => check_sum(Function::ListAppend.name(), [left, right], ValueType::L),
    }
}
