//! Paths, and conditions over them.
//!
//! What must stay true: a condition is valid whatever the item is; operands that the service refuses unseen are not made.

use proptest::prelude::*;
use proptest::sample::select;
use stator_model::{Number, Value};

use super::value::{NAMES, bytes, number, ordered, text, value};
use crate::oracle::{Comparator, Condition, Operand, Path, Step};

/// A path that begins with one of some names.
pub(super) fn path_from(names: Vec<&'static str>) -> impl Strategy<Value = Path> {
    let below = prop_oneof![
        12 => Just(Vec::new()),
        2 => select(vec!["x", "y"]).prop_map(|name| vec![Step::Name(name)]),
        2 => (0usize..4).prop_map(|index| vec![Step::At(index)]),
        1 => (0usize..2, select(vec!["x", "y"])).prop_map(|(index, name)| vec![Step::At(index), Step::Name(name)]),
        1 => (select(vec!["x", "y"]), 0usize..2).prop_map(|(name, index)| vec![Step::Name(name), Step::At(index)]),
    ];
    (select(names), below).prop_map(|(name, below)| std::iter::once(Step::Name(name)).chain(below).collect())
}

pub(super) fn path() -> impl Strategy<Value = Path> {
    path_from(NAMES.to_vec())
}

fn comparator() -> impl Strategy<Value = Comparator> {
    use Comparator::{AtLeast, AtMost, Equal, Greater, Less, Unequal};
    select(vec![Equal, Unequal, Less, AtMost, Greater, AtLeast])
}

/// One test over paths that begin with some names.
fn test(names: Vec<&'static str>) -> impl Strategy<Value = Condition> {
    let path = move || path_from(names.clone());
    let small = || (0i64..4).prop_map(|size| Operand::Literal(Value::N(Number::from(size))));
    let bounds = prop_oneof![
        (number(), number()).prop_map(|(one, other)| (Value::N(one.min(other)), Value::N(one.max(other)))),
        (text(), text()).prop_map(|(one, other)| {
            let (lower, upper) = if one <= other { (one, other) } else { (other, one) };
            (Value::S(lower), Value::S(upper))
        }),
    ];
    let kinds = vec!["S", "N", "B", "SS", "NS", "BS", "L", "M", "BOOL", "NULL"];
    prop_oneof![
        3 => (select(vec![Comparator::Equal, Comparator::Unequal]), path(), value())
            .prop_map(|(comparator, path, value)| Condition::Compare(comparator, Operand::Path(path), Operand::Literal(value))),
        4 => (comparator(), path(), ordered())
            .prop_map(|(comparator, path, value)| Condition::Compare(comparator, Operand::Path(path), Operand::Literal(value))),
        1 => (comparator(), path(), path()).prop_filter_map("two paths", |(comparator, left, right)| {
            (left != right).then_some(Condition::Compare(comparator, Operand::Path(left), Operand::Path(right)))
        }),
        1 => (select(vec![Comparator::Equal, Comparator::Less, Comparator::AtLeast]), path(), small())
            .prop_map(|(comparator, path, size)| Condition::Compare(comparator, Operand::Size(path), size)),
        1 => (path(), bounds).prop_map(|(path, (lower, upper))| {
            Condition::Between(Operand::Path(path), Operand::Literal(lower), Operand::Literal(upper))
        }),
        1 => (path(), prop::collection::vec(value().prop_map(Operand::Literal), 1..4))
            .prop_map(|(path, candidates)| Condition::In(Operand::Path(path), candidates)),
        2 => path().prop_map(Condition::Exists),
        2 => path().prop_map(Condition::Missing),
        1 => (path(), select(kinds)).prop_map(|(path, kind)| Condition::HasType(path, kind)),
        1 => (path(), prop_oneof![text().prop_map(Value::S), bytes().prop_map(Value::B)])
            .prop_map(|(path, prefix)| Condition::BeginsWith(path, prefix)),
        2 => (path(), ordered()).prop_map(|(path, part)| Condition::Contains(path, part)),
    ]
}

pub(super) fn condition(names: Vec<&'static str>) -> BoxedStrategy<Condition> {
    let tree = test(names).prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Condition::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner).prop_map(|(left, right)| Condition::Or(Box::new(left), Box::new(right))),
        ]
    });
    tree.boxed()
}

pub(super) fn any_condition() -> impl Strategy<Value = Option<Condition>> {
    prop::option::weighted(0.3, condition([&NAMES[..], &["g", "h", "l", "pk"]].concat()))
}
