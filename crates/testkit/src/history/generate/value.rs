//! Values, keys and items.
//!
//! What must stay true: there are few of each, so that operations meet; an attribute mostly has the type that it usually has.

use proptest::prelude::*;
use proptest::sample::select;
use stator_model::{Number, Value};

use crate::oracle::{Attributes, Id, UNTIL};

/// Attributes that are no keys.
pub(super) const NAMES: [&str; 9] = ["n", "s", "b", "f", "t", "m", "ss", "ns", "bs"];

pub(super) fn number() -> impl Strategy<Value = Number> {
    prop_oneof![5 => (-1i64..5).prop_map(Number::from), 1 => select(vec!["0.5", "-2.25", "1E20", "3E-7", "9.5E125", "1E-130"]).prop_map(|text| Number::parse(text).expect("these are numbers"))]
}

pub(super) fn text() -> impl Strategy<Value = String> {
    "[abé]{0,3}"
}

/// Texts so long that an item with one is about as large as a unit.
fn long_text() -> impl Strategy<Value = String> {
    select(vec![960usize, 990, 1000, 1010, 1024, 2000, 4050]).prop_map(|bytes| "a".repeat(bytes))
}

pub(super) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(select(vec![0u8, 1, 255]), 0..3)
}

pub(super) fn set() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::collection::btree_set("[abc]", 1..3).prop_map(Value::SS),
        prop::collection::btree_set(number(), 1..3).prop_map(Value::NS),
        prop::collection::btree_set(prop::collection::vec(0u8..2, 1..2), 1..3).prop_map(Value::BS),
    ]
}

pub(super) fn ordered() -> impl Strategy<Value = Value> {
    prop_oneof![3 => number().prop_map(Value::N), 2 => text().prop_map(Value::S), 1 => bytes().prop_map(Value::B)]
}

pub(super) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![6 => ordered(), 1 => Just(Value::Null), 1 => any::<bool>().prop_map(Value::Bool), 2 => set()]
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::L),
            prop::collection::btree_map("[xy]", inner, 0..3).prop_map(Value::M),
        ]
    })
}

/// A value of the type that an attribute usually has; sometimes of any other.
fn value_of(name: &'static str) -> BoxedStrategy<Value> {
    let usual = match name {
        "n" => number().prop_map(Value::N).boxed(),
        "s" => prop_oneof![30 => text(), 1 => long_text()].prop_map(Value::S).boxed(),
        "b" => bytes().prop_map(Value::B).boxed(),
        "f" => any::<bool>().prop_map(Value::Bool).boxed(),
        "t" => prop::collection::vec(value(), 0..6).prop_map(Value::L).boxed(),
        "m" => prop::collection::btree_map("[xy]", value(), 0..3).prop_map(Value::M).boxed(),
        "ss" => prop::collection::btree_set("[abc]", 1..3).prop_map(Value::SS).boxed(),
        "ns" => prop::collection::btree_set(number(), 1..3).prop_map(Value::NS).boxed(),
        _ => prop::collection::btree_set(prop::collection::vec(0u8..2, 1..2), 1..3).prop_map(Value::BS).boxed(),
    };
    prop_oneof![5 => usual, 1 => value()].boxed()
}

pub(super) fn id() -> impl Strategy<Value = Id> {
    (select(vec!["a", "a", "a", "b", "b", "c"]), select(vec![-1i64, 2, 10])).prop_map(|(partition, sort)| Id { partition, sort })
}

/// Keys of indexes; now and then one that does not fit.
pub(super) fn index_keys(misfits: bool) -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let letter = || select(vec!["x", "y"]).prop_map(|text| Value::S(text.to_owned())).boxed();
    let digit = (1i64..4).prop_map(|digit| Value::N(Number::from(digit))).boxed();
    let of = move |name: &'static str, fit: BoxedStrategy<Value>| {
        let odd = select(vec![Value::Bool(true), Value::B(vec![1])]).boxed();
        let value = if misfits { prop_oneof![40 => fit, 1 => odd].boxed() } else { fit };
        prop::option::weighted(0.8, value).prop_map(move |value| value.map(|value| (name, value)))
    };
    (of("g", letter()), of("h", digit), of("l", letter())).prop_map(|(g, h, l)| [g, h, l].into_iter().flatten().collect())
}

/// When an item's time comes, in half hours from now; now and then something that is no time.
pub(super) fn until() -> impl Strategy<Value = Value> {
    prop_oneof![6 => (0i64..6).prop_map(|steps| Value::N(Number::from(steps))), 1 => text().prop_map(Value::S)]
}

pub(super) fn item(misfits: bool) -> impl Strategy<Value = Attributes> {
    let some = select(NAMES.to_vec()).prop_flat_map(|name| value_of(name).prop_map(move |value| (name, value)));
    let until = prop::option::weighted(0.3, until());
    (id(), index_keys(misfits), until, prop::collection::vec(some, 2..10)).prop_map(|(id, keys, until, others)| {
        let own = [("pk", Value::S(id.partition.to_owned())), ("sk", Value::N(Number::from(id.sort)))];
        own.into_iter()
            .chain(keys)
            .chain(until.map(|until| (UNTIL, until)))
            .chain(others)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}
