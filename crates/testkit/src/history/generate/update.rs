//! Updates.
//!
//! What must stay true: the paths of one update do not overlap; whether it can be applied depends on the item.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use stator_model::Value;

use super::condition::{path, path_from};
use super::value::{NAMES, id, index_keys, number, scalar, set, until, value};
use crate::oracle::{Action, Assigned, Returned, Step, Term, UNTIL, Update};

fn numeric() -> impl Strategy<Value = Term> {
    prop_oneof![
        2 => number().prop_map(|number| Term::Literal(Value::N(number))),
        4 => Just(Term::Path(vec![Step::Name("n")])),
        1 => path().prop_map(Term::Path),
        4 => (path(), number()).prop_map(|(path, number)| Term::PathOr(path, Value::N(number))),
    ]
}

fn list() -> impl Strategy<Value = Term> {
    let values = || prop::collection::vec(scalar(), 0..3).prop_map(Value::L);
    prop_oneof![
        2 => values().prop_map(Term::Literal),
        2 => Just(Term::Path(vec![Step::Name("t")])),
        1 => (path(), values()).prop_map(|(path, value)| Term::PathOr(path, value)),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let term = prop_oneof![6 => value().prop_map(Term::Literal), 1 => path().prop_map(Term::Path), 1 => (path(), value()).prop_map(|(path, value)| Term::PathOr(path, value))];
    let assigned = prop_oneof![
        4 => term.prop_map(Assigned::Term),
        2 => (numeric(), numeric()).prop_map(|(left, right)| Assigned::Sum(left, right)),
        1 => (numeric(), numeric()).prop_map(|(left, right)| Assigned::Difference(left, right)),
        2 => (list(), list()).prop_map(|(left, right)| Assigned::Joined(left, right)),
    ];
    let indexed = index_keys(true)
        .prop_filter_map("one", |keys| keys.into_iter().next())
        .prop_map(|(name, value)| Action::Set(vec![Step::Name(name)], Assigned::Term(Term::Literal(value))));
    let name = || select(vec!["n", "ss", "ns", "bs", "s"]).prop_map(|name| vec![Step::Name(name)]);
    prop_oneof![
        6 => (path(), assigned).prop_map(|(path, value)| Action::Set(path, value)),
        3 => indexed,
        1 => until().prop_map(|until| Action::Set(vec![Step::Name(UNTIL)], Assigned::Term(Term::Literal(until)))),
        1 => Just(Action::Remove(vec![Step::Name(UNTIL)])),
        3 => path_from([&NAMES[..], &["g", "h", "l"]].concat()).prop_map(Action::Remove),
        2 => (prop_oneof![3 => name(), 1 => path()], prop_oneof![number().prop_map(Value::N), set()]).prop_map(|(path, value)| Action::Add(path, value)),
        2 => (name(), set()).prop_map(|(path, value)| Action::Delete(path, value)),
    ]
}

/// Changes whose paths do not overlap: those of one attribute are all of elements of a list.
fn actions() -> impl Strategy<Value = Vec<Action>> {
    prop::collection::vec(action(), 1..4).prop_map(|mut actions| {
        let mut seen: BTreeSet<Step> = BTreeSet::new();
        actions.retain(|action| seen.insert(action.path()[0].clone()));
        actions
    })
}

fn removals() -> impl Strategy<Value = Vec<Action>> {
    let at = |index| vec![Step::Name("t"), Step::At(index)];
    prop::collection::btree_set(0usize..5, 1..4)
        .prop_map(move |indexes| indexes.into_iter().map(|index| Action::Remove(at(index))).collect())
}

pub(super) fn update() -> impl Strategy<Value = Update> {
    use Returned::{AllNew, AllOld, Nothing, UpdatedNew, UpdatedOld};
    let returned = select(vec![Nothing, AllOld, AllNew, UpdatedOld, UpdatedNew]);
    (id(), prop_oneof![5 => actions(), 1 => removals()], returned).prop_map(|(id, actions, returned)| Update { id, actions, returned })
}
