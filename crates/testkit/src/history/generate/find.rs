//! Queries and scans of the table and of its indexes.
//!
//! What must stay true: nothing is asked of a view that it does not carry, but for what a local index fetches.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use stator_model::{Number, Value};

use super::condition::{condition, path_from};
use super::value::NAMES;
use crate::oracle::{Comparator, Find, Operation, Path, Step, View};

pub(super) fn projection(names: Vec<&'static str>) -> impl Strategy<Value = Vec<Path>> {
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

pub(super) fn find_in(view: View) -> BoxedStrategy<Operation> {
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
