//! Applies an update to an item.
//!
//! Three passes: every SET, ADD and DELETE is computed from the item as it was; what lies below a top-level attribute is
//! put into that attribute's decoded tree, elements beyond a list's end in the order of their positions; at last removed
//! elements leave their lists, all of one list together, so that all positions mean those of the item as it was.
//!
//! What must stay true: attributes that no action names are copied as bytes; whole attributes are never decoded either.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use stator_model::limits::DOCUMENT_DEPTH_MAX;
use stator_model::{Encoder, Item, MapRef, Number, Path, PathStep, RawValue, SetRef, Value, ValueRef, ValueType};

use super::find;
use crate::error::UpdateError;
use crate::literal::Literal;
use crate::update::{Action, Change, Origin, SetOperand, SetValue, Update};

/// An encoded value: in the item or a literal, or made just now.
type Encoded<'v> = Cow<'v, [u8]>;

/// What becomes of a touched top-level attribute.
enum Slot<'v> {
    Gone,
    Encoded(Encoded<'v>),
    Tree(Value),
}

/// What an action comes to, before it is put in place.
enum Outcome<'v> {
    Put(Encoded<'v>),
    Take,
    Keep,
}

pub(crate) fn apply(update: &Update, existing: Option<MapRef<'_>>, key: MapRef<'_>) -> Result<Item, UpdateError> {
    let base = existing.unwrap_or(key);
    let mut outcomes = Vec::with_capacity(update.actions.len());
    for action in &update.actions {
        outcomes.push((&action.path, outcome(action, base, existing.is_some(), update.origin)?));
    }
    // By position, so that elements beyond the end of a list are appended in order.
    outcomes.sort_by_key(|(path, _)| *path);
    let mut slots = BTreeMap::new();
    let mut taken = Vec::new();
    for (path, outcome) in outcomes {
        match outcome {
            Outcome::Put(value) => put(&mut slots, base, path, value)?,
            Outcome::Take => taken.push(path),
            Outcome::Keep => {}
        }
    }
    // The deepest first, so that no position on the way to another is shifted before it is used.
    taken.sort_by_key(|path| (Reverse(path.steps.len()), *path));
    for siblings in taken.chunk_by(|left, right| are_siblings(left, right)) {
        take(&mut slots, base, siblings)?;
    }
    let is_too_deep = |slot: &Slot<'_>| matches!(slot, Slot::Tree(value) if depth(value) >= DOCUMENT_DEPTH_MAX);
    if slots.values().any(is_too_deep) {
        return Err(UpdateError::TooDeep);
    }
    Ok(assemble(base, slots))
}

fn outcome<'v>(action: &'v Action, base: MapRef<'v>, exists: bool, origin: Origin) -> Result<Outcome<'v>, UpdateError> {
    let mismatch = match origin {
        Origin::Expression => UpdateError::OperandType,
        Origin::Legacy => UpdateError::AttributeType,
    };
    let old = find(base, &action.path);
    match (&action.change, old) {
        (Change::Set(value), _) => set_value(value, base).map(Outcome::Put),
        (Change::Remove, Some(_)) => Ok(Outcome::Take),
        (Change::Remove | Change::Delete(_), None) => {
            let leads_nowhere = exists && !container_fits(base, &action.path);
            if leads_nowhere { Err(UpdateError::InvalidPath) } else { Ok(Outcome::Keep) }
        }
        (Change::Add(literal), None) => Ok(Outcome::Put(Cow::Borrowed(literal.raw().bytes()))),
        (Change::Add(literal), Some(old)) => Ok(Outcome::Put(Cow::Owned(sum(old, literal, mismatch)?))),
        (Change::Delete(literal), Some(old)) => match (old.view(), literal.raw().view()) {
            (ValueRef::SS(left), ValueRef::SS(right)) => Ok(without(ValueType::SS, left, right)),
            (ValueRef::NS(left), ValueRef::NS(right)) => Ok(without(ValueType::NS, left, right)),
            (ValueRef::BS(left), ValueRef::BS(right)) => Ok(without(ValueType::BS, left, right)),
            _ => Err(mismatch),
        },
    }
}

/// Whether the last step of a path that finds nothing could at least be taken: its container is there and of that kind.
fn container_fits(base: MapRef<'_>, path: &Path) -> bool {
    let Some((last, before)) = path.steps.split_last() else { return true };
    let container = find(base, &Path { attribute: path.attribute.clone(), steps: before.to_vec() });
    matches!(
        (last, container.map(RawValue::value_type)),
        (PathStep::Name(_), Some(ValueType::M)) | (PathStep::Index(_), Some(ValueType::L))
    )
}

fn set_value<'v>(value: &'v SetValue, base: MapRef<'v>) -> Result<Encoded<'v>, UpdateError> {
    let (left, right, negate) = match value {
        SetValue::Operand(operand) => return set_operand(operand, base),
        SetValue::Sum(left, right) => (left, right, false),
        SetValue::Difference(left, right) => (left, right, true),
    };
    let (left, right) = (number(&set_operand(left, base)?)?, number(&set_operand(right, base)?)?);
    let result = if negate { left.checked_sub(&right) } else { left.checked_add(&right) };
    Ok(Cow::Owned(Value::N(result.map_err(UpdateError::Number)?).to_encoded()))
}

/// Recursion is bounded by the number of operators of an expression (300).
fn set_operand<'v>(operand: &'v SetOperand, base: MapRef<'v>) -> Result<Encoded<'v>, UpdateError> {
    match operand {
        SetOperand::Literal(literal) => Ok(Cow::Borrowed(literal.raw().bytes())),
        SetOperand::Path(path) => find(base, path).map(|value| Cow::Borrowed(value.bytes())).ok_or(UpdateError::MissingAttribute),
        SetOperand::IfNotExists { path, default } => match find(base, path) {
            Some(value) => Ok(Cow::Borrowed(value.bytes())),
            None => set_operand(default, base),
        },
        SetOperand::ListAppend(left, right) => {
            let (left, right) = (set_operand(left, base)?, set_operand(right, base)?);
            match (RawValue::new(&left).view(), RawValue::new(&right).view()) {
                (ValueRef::L(left), ValueRef::L(right)) => Ok(Cow::Owned(concatenation(left, right))),
                _ => Err(UpdateError::OperandType),
            }
        }
    }
}

fn number(encoded: &[u8]) -> Result<Number, UpdateError> {
    match RawValue::new(encoded).view() {
        ValueRef::N(number) => Ok(number.number()),
        _ => Err(UpdateError::OperandType),
    }
}

fn concatenation(left: stator_model::ListRef<'_>, right: stator_model::ListRef<'_>) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.begin_list();
    left.iter().chain(right.iter()).for_each(|element| encoder.raw(element));
    encoder.end();
    encoder.finish()
}

/// What ADD makes of a value that is there: a sum of numbers, a union of sets, and for legacy updates a longer list.
fn sum(old: RawValue<'_>, literal: &Literal, mismatch: UpdateError) -> Result<Vec<u8>, UpdateError> {
    let mut encoder = Encoder::new();
    match (old.view(), literal.raw().view()) {
        (ValueRef::N(left), ValueRef::N(right)) => {
            let result = left.number().checked_add(&right.number()).map_err(UpdateError::Number)?;
            encoder.number(&result);
        }
        (ValueRef::SS(left), ValueRef::SS(right)) => union(ValueType::SS, left, right, &mut encoder),
        (ValueRef::NS(left), ValueRef::NS(right)) => union(ValueType::NS, left, right, &mut encoder),
        (ValueRef::BS(left), ValueRef::BS(right)) => union(ValueType::BS, left, right, &mut encoder),
        (ValueRef::L(left), ValueRef::L(right)) => return Ok(concatenation(left, right)),
        _ => return Err(mismatch),
    }
    Ok(encoder.finish())
}

fn union(kind: ValueType, left: SetRef<'_>, right: SetRef<'_>, encoder: &mut Encoder) {
    encoder.set(kind, &mut left.iter().chain(right.iter()).collect::<Vec<_>>());
}

/// A set without the elements of another; no set at all when none is left.
fn without<'v>(kind: ValueType, left: SetRef<'_>, right: SetRef<'_>) -> Outcome<'v> {
    let mut rest: Vec<&[u8]> = left.iter().filter(|element| !right.contains(element)).collect();
    if rest.is_empty() {
        return Outcome::Take;
    }
    let mut encoder = Encoder::new();
    encoder.set(kind, &mut rest);
    Outcome::Put(Cow::Owned(encoder.finish()))
}

fn put<'v>(slots: &mut BTreeMap<&'v str, Slot<'v>>, base: MapRef<'_>, path: &'v Path, value: Encoded<'v>) -> Result<(), UpdateError> {
    let Some((last, before)) = path.steps.split_last() else {
        slots.insert(&path.attribute, Slot::Encoded(value));
        return Ok(());
    };
    let tree = tree(slots, base, &path.attribute).ok_or(UpdateError::InvalidPath)?;
    let value = Value::from(RawValue::new(&value));
    match (last, descend(tree, before).ok_or(UpdateError::InvalidPath)?) {
        (PathStep::Name(name), Value::M(map)) => {
            map.insert(name.clone(), value);
        }
        (PathStep::Index(index), Value::L(list)) => match list.get_mut(*index) {
            Some(element) => *element = value,
            None => list.push(value),
        },
        _ => return Err(UpdateError::InvalidPath),
    }
    Ok(())
}

/// Whether two paths end in one container.
fn are_siblings(left: &Path, right: &Path) -> bool {
    let parent = |path: &'_ Path| path.steps.len().saturating_sub(1);
    left.attribute == right.attribute && left.steps[..parent(left)] == right.steps[..parent(right)]
}

/// Removes what is known to have been there: siblings, ascending, at once.
fn take<'v>(slots: &mut BTreeMap<&'v str, Slot<'v>>, base: MapRef<'_>, siblings: &[&'v Path]) -> Result<(), UpdateError> {
    let first = siblings[0];
    let Some((_, before)) = first.steps.split_last() else {
        slots.insert(&first.attribute, Slot::Gone);
        return Ok(());
    };
    let tree = tree(slots, base, &first.attribute).ok_or(UpdateError::InvalidPath)?;
    let last_steps = siblings.iter().filter_map(|path| path.steps.last());
    match descend(tree, before).ok_or(UpdateError::InvalidPath)? {
        Value::M(map) => last_steps.for_each(|step| {
            if let PathStep::Name(name) = step {
                map.remove(name);
            }
        }),
        Value::L(list) => {
            let mut taken = last_steps.peekable();
            let mut position = 0;
            list.retain(|_| {
                let is_taken = taken.next_if(|step| **step == PathStep::Index(position)).is_some();
                position += 1;
                !is_taken
            });
        }
        _ => return Err(UpdateError::InvalidPath),
    }
    Ok(())
}

/// The decoded tree of a touched attribute; decoded at the first touch.
fn tree<'s, 'v>(slots: &'s mut BTreeMap<&'v str, Slot<'v>>, base: MapRef<'_>, attribute: &'v str) -> Option<&'s mut Value> {
    if !slots.contains_key(attribute) {
        slots.insert(attribute, Slot::Tree(Value::from(base.get(attribute)?)));
    }
    match slots.get_mut(attribute) {
        Some(Slot::Tree(value)) => Some(value),
        _ => None,
    }
}

fn descend<'v>(value: &'v mut Value, steps: &[PathStep]) -> Option<&'v mut Value> {
    steps.iter().try_fold(value, |value, step| match (step, value) {
        (PathStep::Name(name), Value::M(map)) => map.get_mut(name),
        (PathStep::Index(index), Value::L(list)) => list.get_mut(*index),
        _ => None,
    })
}

/// Containers around the deepest value; the item is one more, and together they may be 32 (observed: 31 maps around a string are
/// stored, 32 are not). Recursion is bounded: item and literals were each at most 32 deep.
fn depth(value: &Value) -> usize {
    match value {
        Value::L(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::M(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Merges the item as it was with what became of the touched attributes; both ascend by name.
fn assemble(base: MapRef<'_>, slots: BTreeMap<&str, Slot<'_>>) -> Item {
    let mut encoder = Encoder::new();
    encoder.begin_map();
    let mut slots = slots.into_iter().peekable();
    for (name, value) in base.iter() {
        while let Some((attribute, slot)) = slots.next_if(|(attribute, _)| attribute.as_bytes() < name) {
            write(attribute, slot, &mut encoder);
        }
        if let Some((attribute, slot)) = slots.next_if(|(attribute, _)| attribute.as_bytes() == name) {
            write(attribute, slot, &mut encoder);
        } else {
            encoder.name_bytes(name);
            encoder.raw(value);
        }
    }
    for (attribute, slot) in slots {
        write(attribute, slot, &mut encoder);
    }
    encoder.end();
    Item::from_encoded(encoder.finish())
}

fn write(attribute: &str, slot: Slot<'_>, encoder: &mut Encoder) {
    match slot {
        Slot::Gone => {}
        Slot::Encoded(value) => {
            encoder.name(attribute);
            encoder.raw(RawValue::new(&value));
        }
        Slot::Tree(value) => {
            encoder.name(attribute);
            value.encode(encoder);
        }
    }
}
