//! Conditions, walked over an item.
//!
//! What must stay true: what is missing is equal to nothing and unlike everything; only strings, numbers and binaries have
//! an order, each among its own.

use std::cmp::Ordering;

use stator_model::{Number, Value};

use super::tree::{Comparator, Condition, Operand, Step};
use super::{Attributes, Path};

/// The value at a path.
pub(super) fn find<'v>(attributes: &'v Attributes, path: &[Step]) -> Option<&'v Value> {
    let (Step::Name(first), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(attributes.get(*first)?, |value, step| match (value, step) {
        (Value::M(map), Step::Name(name)) => map.get(*name),
        (Value::L(list), Step::At(index)) => list.get(*index),
        _ => None,
    })
}

fn size(value: &Value) -> Option<usize> {
    match value {
        Value::S(text) => Some(text.len()),
        Value::B(bytes) => Some(bytes.len()),
        Value::SS(set) => Some(set.len()),
        Value::NS(set) => Some(set.len()),
        Value::BS(set) => Some(set.len()),
        Value::L(list) => Some(list.len()),
        Value::M(map) => Some(map.len()),
        Value::N(_) | Value::Bool(_) | Value::Null => None,
    }
}

fn load(operand: &Operand, attributes: &Attributes) -> Option<Value> {
    match operand {
        Operand::Path(path) => find(attributes, path).cloned(),
        Operand::Literal(value) => Some(value.clone()),
        Operand::Size(path) => {
            let size = size(find(attributes, path)?)?;
            Some(Value::N(Number::from(i64::try_from(size).expect("items are small"))))
        }
    }
}

/// The order of two values, if they have one.
pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::S(left), Value::S(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
        (Value::N(left), Value::N(right)) => Some(left.cmp(right)),
        (Value::B(left), Value::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Whether a comparison holds.
pub(super) fn compares(comparator: Comparator, left: Option<&Value>, right: Option<&Value>) -> bool {
    let order = || left.zip(right).and_then(|(left, right)| order(left, right));
    match comparator {
        Comparator::Equal => left.is_some() && left == right,
        Comparator::Unequal => left.is_none() || left != right,
        Comparator::Less => order().is_some_and(Ordering::is_lt),
        Comparator::AtMost => order().is_some_and(Ordering::is_le),
        Comparator::Greater => order().is_some_and(Ordering::is_gt),
        Comparator::AtLeast => order().is_some_and(Ordering::is_ge),
    }
}

fn begins(value: Option<&Value>, prefix: &Value) -> bool {
    match (value, prefix) {
        (Some(Value::S(value)), Value::S(prefix)) => value.starts_with(prefix),
        (Some(Value::B(value)), Value::B(prefix)) => value.starts_with(prefix),
        _ => false,
    }
}

fn contains(value: Option<&Value>, part: &Value) -> bool {
    match (value, part) {
        (Some(Value::S(value)), Value::S(part)) => value.contains(part),
        (Some(Value::B(value)), Value::B(part)) => part.is_empty() || value.windows(part.len()).any(|window| window == part),
        (Some(Value::SS(set)), Value::S(part)) => set.contains(part),
        (Some(Value::NS(set)), Value::N(part)) => set.contains(part),
        (Some(Value::BS(set)), Value::B(part)) => set.contains(part),
        (Some(Value::L(list)), part) => list.contains(part),
        _ => false,
    }
}

fn has_type(attributes: &Attributes, path: &Path, kind: &str) -> bool {
    let name = find(attributes, path).map(|value| match value {
        Value::Null => "NULL",
        Value::Bool(_) => "BOOL",
        Value::S(_) => "S",
        Value::N(_) => "N",
        Value::B(_) => "B",
        Value::SS(_) => "SS",
        Value::NS(_) => "NS",
        Value::BS(_) => "BS",
        Value::L(_) => "L",
        Value::M(_) => "M",
    });
    name == Some(kind)
}

/// Whether a condition holds for an item; an item that is not there has no attributes.
pub(super) fn holds(condition: &Condition, attributes: &Attributes) -> bool {
    let load = |operand| load(operand, attributes);
    match condition {
        Condition::Compare(comparator, left, right) => compares(*comparator, load(left).as_ref(), load(right).as_ref()),
        Condition::Between(tested, lower, upper) => {
            let tested = load(tested);
            compares(Comparator::AtLeast, tested.as_ref(), load(lower).as_ref())
                && compares(Comparator::AtMost, tested.as_ref(), load(upper).as_ref())
        }
        Condition::In(tested, candidates) => {
            let tested = load(tested);
            candidates.iter().any(|candidate| compares(Comparator::Equal, tested.as_ref(), load(candidate).as_ref()))
        }
        Condition::Exists(path) => find(attributes, path).is_some(),
        Condition::Missing(path) => find(attributes, path).is_none(),
        Condition::HasType(path, kind) => has_type(attributes, path, kind),
        Condition::BeginsWith(path, prefix) => begins(find(attributes, path), prefix),
        Condition::Contains(path, part) => contains(find(attributes, path), part),
        Condition::Not(inner) => !holds(inner, attributes),
        Condition::And(left, right) => holds(left, attributes) && holds(right, attributes),
        Condition::Or(left, right) => holds(left, attributes) || holds(right, attributes),
    }
}
