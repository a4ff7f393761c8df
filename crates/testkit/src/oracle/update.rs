//! Updates, and the parts of an item that paths name.
//!
//! What must stay true: everything is read from the item as it was, before anything is written.

use std::collections::BTreeMap;

use stator_model::Value;

use super::condition::find;
use super::tree::{Action, Assigned, Step, Term};
use super::{Attributes, Path};

/// The update cannot be applied to this item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused;

fn term(term: &Term, old: &Attributes) -> Result<Value, Refused> {
    match term {
        Term::Path(path) => find(old, path).cloned().ok_or(Refused),
        Term::Literal(value) => Ok(value.clone()),
        Term::PathOr(path, value) => Ok(find(old, path).unwrap_or(value).clone()),
    }
}

fn assigned(assigned: &Assigned, old: &Attributes) -> Result<Value, Refused> {
    match assigned {
        Assigned::Term(one) => term(one, old),
        Assigned::Sum(left, right) | Assigned::Difference(left, right) => {
            let (Value::N(left), Value::N(right)) = (term(left, old)?, term(right, old)?) else { return Err(Refused) };
            let is_sum = matches!(assigned, Assigned::Sum(..));
            let result = if is_sum { left.checked_add(&right) } else { left.checked_sub(&right) };
            result.map(Value::N).map_err(|_| Refused)
        }
        Assigned::Joined(left, right) => {
            let (Value::L(mut left), Value::L(right)) = (term(left, old)?, term(right, old)?) else { return Err(Refused) };
            left.extend(right);
            Ok(Value::L(left))
        }
    }
}

/// What an `ADD` makes of a value; nothing leaves it as it is.
fn added(found: Option<&Value>, value: &Value) -> Result<Value, Refused> {
    match (found, value) {
        (None, value) => Ok(value.clone()),
        (Some(Value::N(found)), Value::N(number)) => found.checked_add(number).map(Value::N).map_err(|_| Refused),
        (Some(Value::SS(found)), Value::SS(more)) => Ok(Value::SS(found | more)),
        (Some(Value::NS(found)), Value::NS(more)) => Ok(Value::NS(found | more)),
        (Some(Value::BS(found)), Value::BS(more)) => Ok(Value::BS(found | more)),
        _ => Err(Refused),
    }
}

/// What a `DELETE` leaves of a set; a set without elements is none.
fn deleted(found: &Value, value: &Value) -> Result<Option<Value>, Refused> {
    let (left, is_empty) = match (found, value) {
        (Value::SS(found), Value::SS(less)) => (Value::SS(found - less), found.is_subset(less)),
        (Value::NS(found), Value::NS(less)) => (Value::NS(found - less), found.is_subset(less)),
        (Value::BS(found), Value::BS(less)) => (Value::BS(found - less), found.is_subset(less)),
        _ => return Err(Refused),
    };
    Ok((!is_empty).then_some(left))
}

/// Sets, or with nothing removes, what lies at a path below a value. All but the last step have to lead somewhere.
fn place(value: &mut Value, steps: &[Step], new: Option<Value>) -> Result<(), Refused> {
    let (step, rest) = steps.split_first().ok_or(Refused)?;
    match (value, step) {
        (Value::M(map), Step::Name(name)) if rest.is_empty() => {
            match new {
                Some(new) => map.insert((*name).to_owned(), new),
                None => map.remove(*name),
            };
            Ok(())
        }
        (Value::L(list), Step::At(index)) if rest.is_empty() => {
            match new {
                Some(new) if *index < list.len() => list[*index] = new,
                Some(new) => list.push(new),
                None if *index < list.len() => _ = list.remove(*index),
                None => {}
            }
            Ok(())
        }
        (Value::M(map), Step::Name(name)) => place(map.get_mut(*name).ok_or(Refused)?, rest, new),
        (Value::L(list), Step::At(index)) => place(list.get_mut(*index).ok_or(Refused)?, rest, new),
        _ => Err(Refused),
    }
}

/// The item after an update.
pub(super) fn apply(old: Option<&Attributes>, key: &Attributes, actions: &[Action]) -> Result<Attributes, Refused> {
    let nothing = Attributes::new();
    let before = old.unwrap_or(&nothing);
    let mut changes: Vec<(&Path, Option<Value>)> = Vec::new();
    for action in actions {
        match action {
            Action::Set(path, value) => changes.push((path, Some(assigned(value, before)?))),
            Action::Add(path, value) => changes.push((path, Some(added(find(before, path), value)?))),
            // There is nothing to remove from an item that is not there.
            Action::Remove(path) => changes.extend(old.map(|_| (path, None))),
            Action::Delete(path, value) => {
                if let Some(found) = find(before, path) {
                    changes.push((path, deleted(found, value)?));
                }
            }
        }
    }
    // Elements that are set behind the end of a list follow one another; those removed have the numbers they had.
    changes.sort_by_key(|(path, _)| (*path).clone());
    let (removed, set): (Vec<_>, Vec<_>) = changes.into_iter().partition(|(_, value)| value.is_none());
    let mut item = Value::M(old.unwrap_or(key).clone());
    for (path, value) in set.into_iter().chain(removed.into_iter().rev()) {
        place(&mut item, path, value)?;
    }
    let Value::M(item) = item else { unreachable!("an item is a map") };
    Ok(item)
}

/// The parts of an item that paths name, each where it lies; elements of lists close up.
pub(super) fn parts(attributes: &Attributes, paths: &[Path]) -> Attributes {
    let mut found: Vec<(&[Step], &Value)> = paths.iter().filter_map(|path| Some((path.as_slice(), find(attributes, path)?))).collect();
    found.sort_by_key(|(path, _)| *path);
    match gather(&found) {
        Some(Value::M(parts)) => parts,
        _ => Attributes::new(),
    }
}

fn gather(found: &[(&[Step], &Value)]) -> Option<Value> {
    let (first, value) = found.first()?;
    let Some(step) = first.first() else { return Some((*value).clone()) };
    let mut groups: BTreeMap<&Step, Vec<(&[Step], &Value)>> = BTreeMap::new();
    for (path, value) in found {
        groups.entry(&path[0]).or_default().push((&path[1..], value));
    }
    let parts = groups.into_iter().filter_map(|(step, group)| Some((step, gather(&group)?)));
    Some(match step {
        Step::At(_) => Value::L(parts.map(|(_, value)| value).collect()),
        Step::Name(_) => Value::M(
            parts.filter_map(|(step, value)| if let Step::Name(name) = step { Some(((*name).to_owned(), value)) } else { None }).collect(),
        ),
    })
}
