//! Random histories: operations that a table of three partitions and nine items can tell apart.
//!
//! What must stay true: every operation is valid as it stands, so that what it answers depends on what is stored; keys and
//! values are few, so that operations meet.

mod condition;
mod find;
mod update;
mod value;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use stator_model::{Number, Value};

use self::condition::{any_condition, condition};
use self::find::{find_in, projection};
use self::update::update;
use self::value::{NAMES, id, item};
use crate::oracle::{Attributes, Condition, Find, Id, Member, Operation, Statement, Update, View, can_be_said, is_legacy, is_short};

/// A history of up to so many operations, after some items were put.
pub fn history(operations_max: usize) -> impl Strategy<Value = Vec<Operation>> {
    let begins = prop::collection::vec(item(false).prop_map(|item| Operation::Put(item, None, false)), 0..8);
    (begins, prop::collection::vec(operation(), 1..operations_max)).prop_map(|(begins, operations)| [begins, operations].concat())
}

fn ids() -> impl Strategy<Value = Vec<Id>> {
    prop::collection::btree_set(id(), 1..5).prop_map(|ids| ids.into_iter().collect())
}

fn batch_write() -> impl Strategy<Value = Operation> {
    let deleted = prop::collection::btree_set(id(), 1..3).prop_map(|ids| ids.into_iter().collect::<Vec<Id>>());
    (prop::collection::vec(item(true), 0..4), deleted).prop_map(|(items, mut ids)| {
        let key = |item: &Attributes| (item["pk"].clone(), item["sk"].clone());
        let mut kept: Vec<Attributes> = Vec::new();
        for item in items {
            if kept.iter().all(|other| key(other) != key(&item)) {
                kept.push(item);
            }
        }
        let of = |id: &Id| (Value::S(id.partition.to_owned()), Value::N(Number::from(id.sort)));
        ids.retain(|id| kept.iter().all(|item| key(item) != of(id)));
        Operation::BatchWrite(kept, ids)
    })
}

fn transaction() -> impl Strategy<Value = Operation> {
    let member = prop_oneof![
        3 => (item(false), any_condition()).prop_map(|(item, condition)| (Member::Put(item), condition)),
        4 => (update(), any_condition()).prop_map(|(update, condition)| (Member::Update(update), condition)),
        2 => (id(), any_condition()).prop_map(|(id, condition)| (Member::Delete(id), condition)),
        2 => (id(), condition(NAMES.to_vec())).prop_map(|(id, condition)| (Member::Check(id), Some(condition))),
    ];
    prop::collection::vec(member, 1..5).prop_map(|members| {
        let key = |member: &Member| match member {
            Member::Put(item) => (item["pk"].clone(), item["sk"].clone()),
            Member::Update(Update { id, .. }) | Member::Delete(id) | Member::Check(id) => {
                (Value::S(id.partition.to_owned()), Value::N(Number::from(id.sort)))
            }
        };
        let mut kept: Vec<(Member, Option<Condition>)> = Vec::new();
        for one in members {
            if kept.iter().all(|(other, _)| key(other) != key(&one.0)) {
                kept.push(one);
            }
        }
        Operation::TransactWrite(kept)
    })
}

/// Statements say a part of what calls say.
fn statement() -> impl Strategy<Value = Operation> {
    let flat = || prop::option::weighted(0.4, condition(NAMES.to_vec()));
    let update = update().prop_filter_map("what statements say", |mut update| {
        update.actions.retain(can_be_said);
        (!update.actions.is_empty()).then_some(update)
    });
    let view = select(vec![View::Table, View::ByL, View::ByG, View::ByH]);
    let found = view.prop_flat_map(find_in).prop_map(|operation| {
        let Operation::Find(find) = operation else { unreachable!("what is found is a find") };
        let projection = find.projection.into_iter().filter(is_short).collect();
        Statement::Select(Find { projection, limit: None, segments: 1, counts_only: false, ..find })
    });
    prop_oneof![
        2 => item(false).prop_map(Statement::Insert),
        3 => (update, flat()).prop_map(|(update, condition)| Statement::Update(update, condition)),
        1 => (id(), flat(), any::<bool>()).prop_map(|(id, condition, returned)| Statement::Delete(id, condition, returned)),
        3 => found,
    ]
    .prop_map(Operation::Statement)
}

/// What can be said in the parameters from before expressions.
fn legacy() -> impl Strategy<Value = Operation> {
    let view = select(vec![View::Table, View::ByL, View::ByG, View::ByH]);
    prop_oneof![
        1 => (item(true), any_condition(), any::<bool>()).prop_map(|(item, condition, returned)| Operation::Put(item, condition, returned)),
        3 => (update(), any_condition()).prop_map(|(update, condition)| Operation::Update(update, condition)),
        1 => (id(), any_condition(), any::<bool>()).prop_map(|(id, condition, returned)| Operation::Delete(id, condition, returned)),
        1 => (id(), projection(NAMES.to_vec())).prop_map(|(id, projection)| Operation::Get(id, projection)),
        3 => view.prop_flat_map(find_in),
    ]
    .prop_filter_map("what was said before", |operation| is_legacy(&operation).then(|| Operation::Legacy(Box::new(operation))))
}

fn operation() -> impl Strategy<Value = Operation> {
    let view = select(vec![View::Table, View::ByL, View::ByG, View::ByH]);
    prop_oneof![
        6 => (item(true), any_condition(), any::<bool>()).prop_map(|(item, condition, returned)| Operation::Put(item, condition, returned)),
        7 => (update(), any_condition()).prop_map(|(update, condition)| Operation::Update(update, condition)),
        2 => (id(), any_condition(), any::<bool>()).prop_map(|(id, condition, returned)| Operation::Delete(id, condition, returned)),
        2 => (id(), projection(NAMES.to_vec())).prop_map(|(id, projection)| Operation::Get(id, projection)),
        6 => view.prop_flat_map(find_in),
        1 => (ids(), projection(NAMES.to_vec())).prop_map(|(ids, projection)| Operation::BatchGet(ids, projection)),
        2 => batch_write(),
        3 => transaction(),
        5 => statement(),
        4 => legacy(),
        2 => (1u64..4).prop_map(Operation::Pass),
        1 => prop::collection::vec((id(), projection(NAMES.to_vec())), 1..4).prop_map(|gets| {
            let mut seen = BTreeSet::new();
            Operation::TransactGet(gets.into_iter().filter(|(id, _)| seen.insert(id.clone())).collect())
        }),
    ]
}
