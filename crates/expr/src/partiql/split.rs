//! Splits a condition by a key: what says where to look, and what is left to ask of the items there.
//!
//! What must stay true: the two together say what the condition says. Without an equality on every partition attribute all of
//! it is a filter.

use stator_model::key::KeySchema;
use stator_model::{Item, Value};

use super::Statement;
use crate::ast::{ConditionText, Name, Node, NodeId, Tree};
use crate::condition::{Comparator, Condition, Step, Test};
use crate::error::{ExprError, KeyConditionError};
use crate::key_condition::{KeyCondition, KeyPlan, KeyTerm, KeyTest};
use crate::literal::Literal;

/// A condition split by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The partitions to look into, each with a run of sort keys; none to look everywhere.
    pub partitions: Vec<KeyPlan>,
    /// What items there have to fulfil.
    pub rest: Option<Condition>,
}

/// Why a condition cannot be split.
#[derive(Debug, Clone, PartialEq)]
pub enum SplitError {
    /// The condition itself is refused.
    Condition(ExprError),
    /// What it says of the key does not fit.
    Key(KeyConditionError),
}

impl Statement {
    /// Splits a condition of this statement by a key.
    pub fn split(&self, condition: &Tree, schema: &KeySchema) -> Result<Split, SplitError> {
        let mut binder = self.binder().map_err(SplitError::Condition)?;
        // The whole is checked first, so that what is refused does not depend on the key.
        binder.condition(&ConditionText(condition.clone())).map_err(SplitError::Condition)?;
        let (mut terms, mut alternatives, mut rest) = (Vec::<KeyTerm>::new(), None, Vec::new());
        for part in conjuncts(condition) {
            let term = binder.key_condition(&ConditionText(part.clone())).ok().and_then(|mut found| found.terms.pop());
            match term {
                Some(term) if schema.contains(&term.attribute) && !terms.iter().any(|known| known.attribute == term.attribute) => {
                    terms.push(term);
                }
                _ => match self.alternatives(&part, schema).filter(|_| alternatives.is_none()) {
                    Some(values) => alternatives = Some((values, part)),
                    None => rest.push(part),
                },
            }
        }
        let partition_terms = |terms: &[KeyTerm]| {
            let is_equal = |name: &str| terms.iter().any(|term| term.attribute == name && matches!(term.test, KeyTest::Equal(_)));
            schema.partition.iter().all(|attribute| is_equal(&attribute.name))
        };
        let values = match alternatives {
            _ if partition_terms(&terms) => {
                rest.extend(alternatives.map(|(_, part)| part));
                vec![None]
            }
            Some((values, _)) if !terms.iter().any(|term| term.attribute == schema.partition[0].name) => {
                values.into_iter().map(Some).collect()
            }
            _ => {
                let filter = binder.condition(&ConditionText(condition.clone())).map_err(SplitError::Condition)?;
                return Ok(Split { partitions: Vec::new(), rest: Some(filter) });
            }
        };
        let unused = take_unusable(&mut terms, schema);
        let mut partitions = Vec::with_capacity(values.len());
        for value in values {
            let own = value.map(|value| KeyTerm { attribute: schema.partition[0].name.clone(), test: KeyTest::Equal(value) });
            let key = KeyCondition { terms: own.into_iter().chain(terms.iter().cloned()).collect() };
            let plan = key.plan(schema).map_err(SplitError::Key)?;
            if !partitions.contains(&plan) {
                partitions.push(plan);
            }
        }
        let mut filter = None;
        for part in conjuncts(condition) {
            let term = binder.key_condition(&ConditionText(part.clone())).ok().and_then(|mut found| found.terms.pop());
            let is_left = rest.contains(&part) || term.is_some_and(|term| unused.contains(&term));
            if is_left {
                let own = binder.condition(&ConditionText(part)).map_err(SplitError::Condition)?;
                filter = Some(match filter {
                    None => own,
                    Some(before) => Condition::and(before, own),
                });
            }
        }
        Ok(Split { partitions, rest: filter })
    }

    /// Values of the one partition attribute, of which any will do: `IN`, or equalities joined by `OR`.
    fn alternatives(&self, part: &Tree, schema: &KeySchema) -> Option<Vec<Literal>> {
        let [attribute] = schema.partition.as_slice() else { return None };
        let is_attribute = |id: NodeId| match part.node(id) {
            Node::Path(path) if path.steps.is_empty() => self.name_of(&path.root) == Some(attribute.name.as_str()),
            _ => false,
        };
        let value = |id: NodeId| match part.node(id) {
            Node::Value(placeholder) => self.value_of(placeholder).map(Literal::from),
            _ => None,
        };
        let (mut open, mut values) = (vec![part.root()], Vec::new());
        while let Some(id) = open.pop() {
            match part.node(id) {
                Node::Or(left, right) => open.extend([*right, *left]),
                Node::In { operand, list } if is_attribute(*operand) => {
                    for id in list {
                        values.push(value(*id)?);
                    }
                }
                Node::Compare { comparator: Comparator::Equal, left, right } if is_attribute(*left) => values.push(value(*right)?),
                _ => return None,
            }
        }
        Some(values)
    }

    fn name_of<'s>(&'s self, name: &'s Name) -> Option<&'s str> {
        match name {
            Name::Placeholder(placeholder) => {
                self.names.get(placeholder.trim_start_matches('#').parse::<usize>().ok()?).map(String::as_str)
            }
            Name::Plain(name) => Some(name),
        }
    }

    fn value_of(&self, placeholder: &str) -> Option<&Value> {
        self.values.get(placeholder.trim_start_matches(':').parse::<usize>().ok()?)
    }
}

impl Split {
    /// The whole key, when the condition names every attribute of it by equality.
    pub fn whole_key(&self, schema: &KeySchema) -> Option<Item> {
        let [plan] = self.partitions.as_slice() else { return None };
        if plan.sort_equal.len() != schema.sort.len() {
            return None;
        }
        let values = plan.partition.iter().chain(&plan.sort_equal).map(|literal| Value::from(literal.raw()));
        Some(schema.attributes().map(|attribute| attribute.name.as_str()).zip(values).collect())
    }
}

impl Condition {
    /// A condition that holds where both hold.
    pub fn and(first: Condition, second: Condition) -> Condition {
        let mut steps = first.steps;
        let offset = steps.len() + 1;
        steps.push(Step::Skip { when: false, to: offset + second.steps.len() });
        steps.extend(second.steps.into_iter().map(|step| match step {
            Step::Skip { when, to } => Step::Skip { when, to: to + offset },
            other => other,
        }));
        Condition { steps }
    }

    /// A condition that holds for items with an attribute, or for those without it.
    pub fn on_existence(attribute: &str, exists: bool) -> Condition {
        let path = stator_model::Path { attribute: attribute.to_owned(), steps: Vec::new() };
        let test = if exists { Test::Exists(path) } else { Test::NotExists(path) };
        Condition { steps: vec![Step::Test(test)] }
    }
}

/// Takes out the terms that a key cannot use: those behind a gap or behind a range of the sort attributes.
fn take_unusable(terms: &mut Vec<KeyTerm>, schema: &KeySchema) -> Vec<KeyTerm> {
    let mut usable = schema.partition.iter().map(|attribute| attribute.name.as_str()).collect::<Vec<_>>();
    for attribute in &schema.sort {
        let Some(term) = terms.iter().find(|term| term.attribute == attribute.name) else { break };
        usable.push(&attribute.name);
        if !matches!(term.test, KeyTest::Equal(_)) {
            break;
        }
    }
    let (used, unused) = terms.drain(..).partition(|term| usable.contains(&term.attribute.as_str()));
    *terms = used;
    unused
}

/// The parts of a condition that are joined by `AND` at its top, each as a tree of its own.
fn conjuncts(tree: &Tree) -> Vec<Tree> {
    let (mut open, mut parts) = (vec![tree.root()], Vec::new());
    while let Some(id) = open.pop() {
        match tree.node(id) {
            Node::And(left, right) => open.extend([*right, *left]),
            _ => parts.push(tree.below(id)),
        }
    }
    parts
}
