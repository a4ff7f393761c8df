//! The same trees in the parameters from before expressions.
//!
//! What must stay true: only what both ways of saying it mean alike is said this way: tests of whole attributes, all or any of
//! which hold, and changes of whole attributes.

use stator_model::Value;

use super::Path;
use super::request::{Members, add, frame, key, keys_of, returned};
use super::tree::{Action, Assigned, Comparator, Condition, Find, Operand, Operation, Step, Term, Update};
use super::wire::{item, json_of};
use crate::json::Json;

fn literal(operand: &Operand) -> Option<&Value> {
    match operand {
        Operand::Literal(value) => Some(value),
        Operand::Path(_) | Operand::Size(_) => None,
    }
}

/// One test: attribute, operator, arguments.
type Test<'c> = (&'static str, &'static str, Vec<&'c Value>);

fn whole(path: &[Step]) -> Option<&'static str> {
    match path {
        [Step::Name(name)] => Some(*name),
        _ => None,
    }
}

fn operator(comparator: Comparator) -> &'static str {
    match comparator {
        Comparator::Equal => "EQ",
        Comparator::Unequal => "NE",
        Comparator::Less => "LT",
        Comparator::AtMost => "LE",
        Comparator::Greater => "GT",
        Comparator::AtLeast => "GE",
    }
}

fn test(condition: &Condition) -> Option<Test<'_>> {
    let tested = |operand: &Operand| match operand {
        Operand::Path(path) => whole(path),
        Operand::Size(_) | Operand::Literal(_) => None,
    };
    match condition {
        Condition::Compare(comparator, left, right) => Some((tested(left)?, operator(*comparator), vec![literal(right)?])),
        Condition::Between(of, lower, upper) => Some((tested(of)?, "BETWEEN", vec![literal(lower)?, literal(upper)?])),
        Condition::In(of, candidates) => {
            let values: Vec<&Value> = candidates.iter().map(literal).collect::<Option<_>>()?;
            let is_one_type = |kind: fn(&Value) -> bool| values.iter().all(|value| kind(value));
            let are_alike = is_one_type(|value| matches!(value, Value::S(_)))
                || is_one_type(|value| matches!(value, Value::N(_)))
                || is_one_type(|value| matches!(value, Value::B(_)));
            are_alike.then_some((tested(of)?, "IN", values))
        }
        Condition::Exists(path) => Some((whole(path)?, "NOT_NULL", Vec::new())),
        Condition::Missing(path) => Some((whole(path)?, "NULL", Vec::new())),
        Condition::BeginsWith(path, prefix) => Some((whole(path)?, "BEGINS_WITH", vec![prefix])),
        Condition::Contains(path, part) => Some((whole(path)?, "CONTAINS", vec![part])),
        Condition::HasType(..) | Condition::Not(_) | Condition::And(..) | Condition::Or(..) => None,
    }
}

/// Tests of different attributes, and how they are joined.
fn tests(condition: &Condition) -> Option<(Vec<Test<'_>>, Option<&'static str>)> {
    let (left, right, joined) = match condition {
        Condition::And(left, right) => (left, right, "AND"),
        Condition::Or(left, right) => (left, right, "OR"),
        one => return Some((vec![test(one)?], None)),
    };
    let (left, right) = (test(left)?, test(right)?);
    (left.0 != right.0).then(|| (vec![left, right], Some(joined)))
}

fn add_tests(members: &mut Members, name: &str, condition: Option<&Condition>) {
    let Some((tests, joined)) = condition.and_then(tests) else { return };
    let written = tests.into_iter().map(|(attribute, operator, arguments)| (attribute.to_owned(), comparison(operator, &arguments)));
    add(members, name, Json::Object(written.collect()));
    if let Some(joined) = joined {
        add(members, "ConditionalOperator", Json::text(joined));
    }
}

fn comparison(operator: &str, arguments: &[&Value]) -> Json {
    let mut members = vec![("ComparisonOperator".to_owned(), Json::text(operator))];
    if !arguments.is_empty() {
        add(&mut members, "AttributeValueList", Json::Array(arguments.iter().map(|value| json_of(value)).collect()));
    }
    Json::Object(members)
}

fn change(action: &Action) -> Option<(String, Json)> {
    let name = whole(action.path())?;
    let (kind, value) = match action {
        Action::Set(_, Assigned::Term(Term::Literal(value))) => ("PUT", Some(value)),
        Action::Remove(_) => ("DELETE", None),
        Action::Add(_, value) => ("ADD", Some(value)),
        Action::Delete(_, value) => ("DELETE", Some(value)),
        Action::Set(..) => return None,
    };
    let mut members = vec![("Action".to_owned(), Json::text(kind))];
    members.extend(value.map(|value| ("Value".to_owned(), json_of(value))));
    Some((name.to_owned(), Json::Object(members)))
}

fn add_names(members: &mut Members, projection: &[Path]) {
    if !projection.is_empty() {
        let names = projection.iter().filter_map(|path| whole(path)).map(Json::text).collect();
        add(members, "AttributesToGet", Json::Array(names));
    }
}

/// Whether an operation can be said this way, and differs then.
pub fn is_legacy(operation: &Operation) -> bool {
    let tested = |condition: &Option<Condition>| condition.as_ref().is_none_or(|condition| tests(condition).is_some());
    let named = |projection: &[Path]| projection.iter().all(|path| whole(path).is_some());
    match operation {
        Operation::Put(_, condition, _) | Operation::Delete(_, condition, _) => condition.is_some() && tested(condition),
        Operation::Update(update, condition) => {
            // What removals alone make of an item that is not there is another thing here.
            let sets = update.actions.iter().any(|action| matches!(action, Action::Set(..)));
            sets && update.actions.iter().all(|action| change(action).is_some()) && tested(condition)
        }
        Operation::Get(_, projection) => !projection.is_empty() && named(projection),
        Operation::Find(find) => {
            let says_something = find.partition.is_some() || find.filter.is_some() || !find.projection.is_empty();
            says_something && tested(&find.filter) && named(&find.projection)
        }
        _ => false,
    }
}

fn write(what: (&str, Json), condition: Option<&Condition>) -> Members {
    let mut members = vec![("TableName".to_owned(), Json::text("Tab")), (what.0.to_owned(), what.1)];
    add_tests(&mut members, "Expected", condition);
    members
}

fn find(find: &Find, segment: usize, start: Option<&Json>) -> (&'static str, Members) {
    let mut members = frame(find, segment, start);
    let (_, partition, sort) = keys_of(find.view);
    if let Some((value, sorted)) = &find.partition {
        let mut conditions = vec![(partition.to_owned(), comparison("EQ", &[value]))];
        conditions.extend(sorted.iter().map(|(comparator, value)| (sort.to_owned(), comparison(operator(*comparator), &[value]))));
        add(&mut members, "KeyConditions", Json::Object(conditions));
    }
    let is_query = find.partition.is_some();
    add_tests(&mut members, if is_query { "QueryFilter" } else { "ScanFilter" }, find.filter.as_ref());
    if !find.counts_only {
        add_names(&mut members, &find.projection);
    }
    (if is_query { "Query" } else { "Scan" }, members)
}

/// Name and members of an operation that can be said this way.
pub(super) fn request(operation: &Operation, segment: usize, start: Option<&Json>) -> (&'static str, Members) {
    let all_old = |mut members: Members, is_returned: bool| {
        if is_returned {
            add(&mut members, "ReturnValues", Json::text("ALL_OLD"));
        }
        members
    };
    match operation {
        Operation::Put(attributes, condition, is_returned) => {
            ("PutItem", all_old(write(("Item", item(attributes)), condition.as_ref()), *is_returned))
        }
        Operation::Delete(id, condition, is_returned) => {
            ("DeleteItem", all_old(write(("Key", item(&key(id))), condition.as_ref()), *is_returned))
        }
        Operation::Update(Update { id, actions, returned: wanted }, condition) => {
            let mut members = write(("Key", item(&key(id))), condition.as_ref());
            add(&mut members, "AttributeUpdates", Json::Object(actions.iter().filter_map(change).collect()));
            add(&mut members, "ReturnValues", returned(*wanted));
            ("UpdateItem", members)
        }
        Operation::Get(id, projection) => {
            let mut members = vec![("TableName".to_owned(), Json::text("Tab")), ("Key".to_owned(), item(&key(id)))];
            add_names(&mut members, projection);
            ("GetItem", members)
        }
        Operation::Find(wanted) => find(wanted, segment, start),
        other => unreachable!("{other:?} cannot be said this way"),
    }
}
