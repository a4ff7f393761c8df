//! Random histories on the operations in process and on the oracle, which have to agree; and callers side by side, whose
//! observations have to have an order.
//!
//! The histories of an ordinary run are the same each time. `STATOR_HISTORIES=5000` runs so many others. A failure shrinks
//! and is printed as a golden script.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use stator_kv::MemoryStore;
use stator_model::{Number, Value};
use stator_testkit::history::{Concurrent, run, serializable};
use stator_testkit::oracle::{
    Action, Assigned, Attributes, Comparator, Condition, Find, Id, Member, Operand, Operation, Path, Returned, Step, Term, Update, View,
};
use stator_testkit::target::InProcess;

/// Histories of an ordinary run.
const HISTORIES: u32 = 150;
const OPERATIONS_MAX: usize = 40;

/// Attributes that are no keys.
const NAMES: [&str; 9] = ["n", "s", "b", "f", "t", "m", "ss", "ns", "bs"];

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![5 => (-1i64..5).prop_map(Number::from), 1 => select(vec!["0.5", "-2.25", "1E20", "3E-7", "9.5E125", "1E-130"]).prop_map(|text| Number::parse(text).unwrap())]
}

fn text() -> impl Strategy<Value = String> {
    "[abé]{0,3}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(select(vec![0u8, 1, 255]), 0..3)
}

fn set() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::collection::btree_set("[abc]", 1..3).prop_map(Value::SS),
        prop::collection::btree_set(number(), 1..3).prop_map(Value::NS),
        prop::collection::btree_set(prop::collection::vec(0u8..2, 1..2), 1..3).prop_map(Value::BS),
    ]
}

fn ordered() -> impl Strategy<Value = Value> {
    prop_oneof![3 => number().prop_map(Value::N), 2 => text().prop_map(Value::S), 1 => bytes().prop_map(Value::B)]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![6 => ordered(), 1 => Just(Value::Null), 1 => any::<bool>().prop_map(Value::Bool), 2 => set()]
}

fn value() -> impl Strategy<Value = Value> {
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
        "s" => text().prop_map(Value::S).boxed(),
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

fn id() -> impl Strategy<Value = Id> {
    (select(vec!["a", "a", "a", "b", "b", "c"]), select(vec![-1i64, 2, 10])).prop_map(|(partition, sort)| Id { partition, sort })
}

/// Keys of indexes; now and then one that does not fit.
fn index_keys(misfits: bool) -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let letter = || select(vec!["x", "y"]).prop_map(|text| Value::S(text.to_owned())).boxed();
    let digit = (1i64..4).prop_map(|digit| Value::N(Number::from(digit))).boxed();
    let of = move |name: &'static str, fit: BoxedStrategy<Value>| {
        let odd = select(vec![Value::Bool(true), Value::B(vec![1])]).boxed();
        let value = if misfits { prop_oneof![40 => fit, 1 => odd].boxed() } else { fit };
        prop::option::weighted(0.8, value).prop_map(move |value| value.map(|value| (name, value)))
    };
    (of("g", letter()), of("h", digit), of("l", letter())).prop_map(|(g, h, l)| [g, h, l].into_iter().flatten().collect())
}

fn item(misfits: bool) -> impl Strategy<Value = Attributes> {
    let some = select(NAMES.to_vec()).prop_flat_map(|name| value_of(name).prop_map(move |value| (name, value)));
    (id(), index_keys(misfits), prop::collection::vec(some, 2..10)).prop_map(|(id, keys, others)| {
        let own = [("pk", Value::S(id.partition.to_owned())), ("sk", Value::N(Number::from(id.sort)))];
        own.into_iter().chain(keys).chain(others).map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

/// A path that begins with one of some names.
fn path_from(names: Vec<&'static str>) -> impl Strategy<Value = Path> {
    let below = prop_oneof![
        12 => Just(Vec::new()),
        2 => select(vec!["x", "y"]).prop_map(|name| vec![Step::Name(name)]),
        2 => (0usize..4).prop_map(|index| vec![Step::At(index)]),
        1 => (0usize..2, select(vec!["x", "y"])).prop_map(|(index, name)| vec![Step::At(index), Step::Name(name)]),
        1 => (select(vec!["x", "y"]), 0usize..2).prop_map(|(name, index)| vec![Step::Name(name), Step::At(index)]),
    ];
    (select(names), below).prop_map(|(name, below)| std::iter::once(Step::Name(name)).chain(below).collect())
}

fn path() -> impl Strategy<Value = Path> {
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

fn condition(names: Vec<&'static str>) -> BoxedStrategy<Condition> {
    let tree = test(names).prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Condition::Not(Box::new(inner))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Condition::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner).prop_map(|(left, right)| Condition::Or(Box::new(left), Box::new(right))),
        ]
    });
    tree.boxed()
}

fn any_condition() -> impl Strategy<Value = Option<Condition>> {
    prop::option::weighted(0.3, condition([&NAMES[..], &["g", "h", "l", "pk"]].concat()))
}

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

fn update() -> impl Strategy<Value = Update> {
    use Returned::{AllNew, AllOld, Nothing, UpdatedNew, UpdatedOld};
    let returned = select(vec![Nothing, AllOld, AllNew, UpdatedOld, UpdatedNew]);
    (id(), prop_oneof![5 => actions(), 1 => removals()], returned).prop_map(|(id, actions, returned)| Update { id, actions, returned })
}

fn projection(names: Vec<&'static str>) -> impl Strategy<Value = Vec<Path>> {
    let paths = prop::collection::vec(path_from(names), 1..4).prop_map(|mut paths| {
        let mut seen: BTreeSet<Step> = BTreeSet::new();
        paths.retain(|path| seen.insert(path[0].clone()));
        paths
    });
    prop_oneof![2 => Just(Vec::new()), 1 => paths]
}

/// A sort condition of a view.
fn sorted(view: View) -> BoxedStrategy<Option<(Comparator, Value)>> {
    use Comparator::{AtLeast, AtMost, Equal, Greater, Less};
    let value = match view {
        View::Table => select(vec![-1i64, 1, 2, 3, 10]).prop_map(|number| Value::N(Number::from(number))).boxed(),
        View::ByL => select(vec!["x", "y", "xx"]).prop_map(|text| Value::S(text.to_owned())).boxed(),
        View::ByG => (0i64..4).prop_map(|number| Value::N(Number::from(number))).boxed(),
        View::ByH => return Just(None).boxed(),
    };
    prop::option::of((select(vec![Equal, Less, AtMost, Greater, AtLeast]), value)).boxed()
}

fn find_in(view: View) -> BoxedStrategy<Operation> {
    let partition = match view {
        View::Table | View::ByL => select(vec!["a", "b", "c"]).prop_map(|text| Value::S(text.to_owned())).boxed(),
        View::ByG => select(vec!["x", "y"]).prop_map(|text| Value::S(text.to_owned())).boxed(),
        View::ByH => (1i64..4).prop_map(|number| Value::N(Number::from(number))).boxed(),
    };
    // What a view carries may be asked for and looked at; a query of the local index reaches further.
    let (shown, looked_at): (Vec<&str>, Vec<&str>) = match view {
        View::Table | View::ByG => (NAMES.to_vec(), NAMES.to_vec()),
        View::ByL => (NAMES.to_vec(), vec!["n"]),
        View::ByH => (vec!["pk", "sk"], Vec::new()),
    };
    let filter = if looked_at.is_empty() { Just(None).boxed() } else { prop::option::weighted(0.4, condition(looked_at)).boxed() };
    let limit = prop::option::weighted(0.4, 1usize..5);
    let shape = (filter, projection(shown), any::<bool>(), limit, 1usize..4, prop::bool::weighted(0.15));
    let asked = prop_oneof![3 => (partition, sorted(view)).prop_map(Some), 1 => Just(None)];
    (asked, shape)
        .prop_map(move |(partition, (filter, mut projection, backward, limit, segments, counts_only))| {
            if partition.is_none() && view == View::ByL {
                // A scan of a local index shows what it carries.
                projection.retain(|path| path[0] == Step::Name("n"));
            }
            if view == View::ByH {
                projection.iter_mut().for_each(|path| path.truncate(1));
            }
            let segments = if partition.is_some() { 1 } else { segments };
            Operation::Find(Find { view, partition, filter, projection, backward, limit, segments, counts_only })
        })
        .boxed()
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
        1 => prop::collection::vec((id(), projection(NAMES.to_vec())), 1..4).prop_map(|gets| {
            let mut seen = BTreeSet::new();
            Operation::TransactGet(gets.into_iter().filter(|(id, _)| seen.insert(id.clone())).collect())
        }),
    ]
}

#[test]
fn random_histories_answer_as_the_oracle_does() {
    // Generators of trees are deep where nothing is inlined.
    #[expect(clippy::disallowed_methods, reason = "a stack of another size needs a thread of its own")]
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(compare_histories).unwrap();
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

fn compare_histories() {
    let asked = std::env::var("STATOR_HISTORIES").ok().and_then(|text| text.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(HISTORIES),
        max_shrink_time: 60_000,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = match asked {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let begins = prop::collection::vec(item(false).prop_map(|item| Operation::Put(item, None, false)), 0..8);
    let history = (begins, prop::collection::vec(operation(), 1..OPERATIONS_MAX));
    let ran = runner.run(&history, |(begins, operations)| {
        let mut target = InProcess::open(Arc::new(MemoryStore::new()));
        run(&mut target, &[begins, operations].concat()).map_err(TestCaseError::fail)
    });
    if let Err(proptest::test_runner::TestError::Fail(script, _)) = ran {
        panic!("\n{}", script.message());
    }
    ran.unwrap();
}

#[test]
fn callers_side_by_side_see_one_order() {
    let target = InProcess::open(Arc::new(MemoryStore::new()));
    let plan = Concurrent { callers: 8, calls: 60, items: 4 };
    serializable(plan, || target.clone()).unwrap();
}
