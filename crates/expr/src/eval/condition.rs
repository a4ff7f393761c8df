//! Asks a condition of an item, in place.
//!
//! What must stay true: comparing values of different types, or with something that is not there, makes every comparison
//! false but `<>`, which is the negation of `=` (observed, also for two operands that are both missing). Equal values have
//! equal bytes, so equality never looks inside.

use std::cmp::Ordering;

use memchr::memmem;
use stator_model::{MapRef, Number, RawValue, ValueRef, ValueType};

use super::find;
use crate::condition::{Comparator, Operand, Step, Test};

/// Runs the program; its value after the last step is the answer.
pub(crate) fn run(steps: &[Step], item: MapRef<'_>) -> bool {
    let (mut at, mut truth) = (0, true);
    while let Some(step) = steps.get(at) {
        at += 1;
        match step {
            Step::Test(test) => truth = holds(test, item),
            Step::Not => truth = !truth,
            Step::Skip { when, to } if *when == truth => at = *to,
            Step::Skip { .. } => {}
        }
    }
    truth
}

fn holds(test: &Test, item: MapRef<'_>) -> bool {
    match test {
        Test::Compare { comparator, left, right } => compare(*comparator, &load(left, item), &load(right, item)),
        Test::Between { operand, lower, upper } => {
            let operand = load(operand, item);
            compare(Comparator::GreaterOrEqual, &operand, &load(lower, item))
                && compare(Comparator::LessOrEqual, &operand, &load(upper, item))
        }
        Test::In { operand, list } => {
            let operand = load(operand, item);
            list.iter().any(|candidate| compare(Comparator::Equal, &operand, &load(candidate, item)))
        }
        Test::Exists(path) => find(item, path).is_some(),
        Test::NotExists(path) => find(item, path).is_none(),
        Test::TypeIs(path, value_type) => find(item, path).is_some_and(|value| value.value_type() == *value_type),
        Test::BeginsWith { operand, prefix } => begins_with(&load(operand, item), &load(prefix, item)),
        Test::Contains { operand, part } => contains(&load(operand, item), &load(part, item)),
    }
}

/// An operand's value: bytes of the item or of a literal, or a size counted just now.
enum Loaded<'v> {
    Nothing,
    Raw(RawValue<'v>),
    Counted { bytes: [u8; COUNTED_BYTES_MAX], len: usize },
}

/// Tag, length and an encoded number of at most ten digits.
const COUNTED_BYTES_MAX: usize = 12;

impl Loaded<'_> {
    fn raw(&self) -> Option<RawValue<'_>> {
        match self {
            Loaded::Nothing => None,
            Loaded::Raw(value) => Some(*value),
            Loaded::Counted { bytes, len } => Some(RawValue::new(&bytes[..*len])),
        }
    }
}

fn load<'v>(operand: &'v Operand, item: MapRef<'v>) -> Loaded<'v> {
    match operand {
        Operand::Literal(literal) => Loaded::Raw(literal.raw()),
        Operand::Path(path) => find(item, path).map_or(Loaded::Nothing, Loaded::Raw),
        Operand::Size(path) => find(item, path).and_then(size).map_or(Loaded::Nothing, counted),
    }
}

fn counted(size: u32) -> Loaded<'static> {
    let number = Number::from(i64::from(size));
    let encoded = number.as_bytes();
    let mut bytes = [0; COUNTED_BYTES_MAX];
    // The layout of an encoded N: its tag, the length, the number.
    bytes[0] = NUMBER_TAG;
    bytes[1] = u8::try_from(encoded.len()).expect("an encoded number is short");
    bytes[2..2 + encoded.len()].copy_from_slice(encoded);
    Loaded::Counted { bytes, len: 2 + encoded.len() }
}

/// Tag of an encoded number (`model::encoded`); a test holds the two together.
const NUMBER_TAG: u8 = 4;

/// What `size` answers: bytes of a string (UTF-8) or binary, elements of a set, list or map; nothing for other types.
pub(crate) fn size(value: RawValue<'_>) -> Option<u32> {
    let size = match value.view() {
        ValueRef::S(bytes) | ValueRef::B(bytes) => bytes.len(),
        ValueRef::SS(set) | ValueRef::NS(set) | ValueRef::BS(set) => set.len(),
        ValueRef::L(list) => list.len(),
        ValueRef::M(map) => map.len(),
        ValueRef::N(_) | ValueRef::Bool(_) | ValueRef::Null => return None,
    };
    u32::try_from(size).ok()
}

fn compare(comparator: Comparator, left: &Loaded<'_>, right: &Loaded<'_>) -> bool {
    let (Some(left), Some(right)) = (left.raw(), right.raw()) else { return comparator == Comparator::NotEqual };
    match comparator {
        Comparator::Equal => left == right,
        Comparator::NotEqual => left != right,
        Comparator::Less => left.compare(right).is_some_and(Ordering::is_lt),
        Comparator::LessOrEqual => left.compare(right).is_some_and(Ordering::is_le),
        Comparator::Greater => left.compare(right).is_some_and(Ordering::is_gt),
        Comparator::GreaterOrEqual => left.compare(right).is_some_and(Ordering::is_ge),
    }
}

fn begins_with(value: &Loaded<'_>, prefix: &Loaded<'_>) -> bool {
    let (Some(value), Some(prefix)) = (value.raw(), prefix.raw()) else { return false };
    match (value.view(), prefix.view()) {
        (ValueRef::S(value), ValueRef::S(prefix)) | (ValueRef::B(value), ValueRef::B(prefix)) => value.starts_with(prefix),
        _ => false,
    }
}

fn contains(value: &Loaded<'_>, part: &Loaded<'_>) -> bool {
    let (Some(value), Some(part)) = (value.raw(), part.raw()) else { return false };
    match (value.view(), part.view()) {
        (ValueRef::S(value), ValueRef::S(part)) | (ValueRef::B(value), ValueRef::B(part)) => has_part(value, part),
        (ValueRef::SS(set), ValueRef::S(part)) | (ValueRef::BS(set), ValueRef::B(part)) => set.contains(part),
        (ValueRef::NS(set), ValueRef::N(part)) => set.contains(part.0),
        (ValueRef::L(list), _) => list.iter().any(|element| element == part),
        _ => false,
    }
}

/// Whether bytes occur within others, in time linear in both whatever they are: parts and values come from strangers.
fn has_part(value: &[u8], part: &[u8]) -> bool {
    memmem::find(value, part).is_some()
}

/// The type that an operand's value has, as far as the text tells.
pub(crate) fn known_type(operand: &Operand) -> Option<ValueType> {
    match operand {
        Operand::Path(_) => None,
        Operand::Literal(literal) => Some(literal.value_type()),
        Operand::Size(_) => Some(ValueType::N),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stator_model::Value;

    #[test]
    fn a_counted_size_is_an_encoded_number() {
        for size in [0, 1, 99, 12_345, u32::MAX] {
            let counted = counted(size);
            assert_eq!(counted.raw().unwrap().bytes(), Value::N(Number::from(i64::from(size))).to_encoded());
        }
    }
}
