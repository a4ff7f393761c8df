//! The table of the oracle: items in a map, indexes worked out anew for each question.
//!
//! What must stay true: an operation that is refused changes nothing.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use stator_model::Value;

use super::capacity::{Consumed, Named, bytes};
use super::condition::{compares, holds, order};
use super::request::key;
use super::tree::{Action, Condition, Find, Id, Member, Operation, Returned, Statement, Step, Update, View};
use super::update::{apply, parts};
use super::wire::item;
use super::{Attributes, Path};
use crate::json::Json;

/// The table in the notation of scripts.
pub const TABLE: &str = "Tab pk:S sk:N; lsi byL l:S include:n; gsi byG g:S h:N all; gsi byH h:N keys; stream NEW_AND_OLD_IMAGES";

/// What an operation has to answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// This body.
    Body(Json),
    /// Success; what the body holds is not for the oracle to say.
    Success,
    /// An exception, and what its body holds beside type and messages.
    Exception(&'static str, Json),
    /// These rows, over all pages.
    Rows(Rows),
    /// These rows, in one page that says no more of them.
    Listed(Rows),
}

/// Rows of a query or scan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// What is shown of those that pass the filter, in order; rows that the view does not tell apart have no order.
    pub groups: Vec<Vec<Json>>,
    /// How many rows there are to be looked at.
    pub scanned: usize,
    /// How large they are together.
    pub bytes: usize,
    /// Whether everything that is shown lies in them, so that nothing else has to be read.
    pub has_all: bool,
}

/// A table of the naive kind.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    pub(super) items: BTreeMap<Id, Attributes>,
    pub(super) changes: Vec<Change>,
}

/// What a write made of an item that was another before: a record of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which item.
    pub id: Id,
    /// What it was.
    pub old: Option<Attributes>,
    /// What it is.
    pub new: Option<Attributes>,
    /// Nobody asked for it: its time had come.
    pub is_expiry: bool,
}

const CONDITION_FAILED: &str = "ConditionalCheckFailedException";
const INVALID: &str = "ValidationException";

const DUPLICATE: &str = "DuplicateItemException";

/// Why a member changes nothing.
enum Refusal {
    Condition(Option<Attributes>),
    Invalid,
}

fn attributes_member(attributes: Option<&Attributes>, consumed: Consumed) -> Json {
    let attributes = attributes.map(|attributes| ("Attributes".to_owned(), item(attributes)));
    Json::Object(attributes.into_iter().chain([("ConsumedCapacity".to_owned(), consumed.json(Named::Plain))]).collect())
}

/// What several calls of one request consume together.
fn together(consumed: Consumed, named: Named) -> (String, Json) {
    ("ConsumedCapacity".to_owned(), Json::Array(vec![consumed.json(named)]))
}

fn by_write(old: Option<&Attributes>, new: Option<&Attributes>) -> Consumed {
    Consumed::by_write(old, new, &carried)
}

/// Whether the attributes that are keys of indexes have their types.
fn fits_indexes(attributes: &Attributes) -> bool {
    let is_text = |name: &str| attributes.get(name).is_none_or(|value| matches!(value, Value::S(text) if !text.is_empty()));
    is_text("g") && is_text("l") && attributes.get("h").is_none_or(|value| matches!(value, Value::N(_)))
}

fn id_of(attributes: &Attributes) -> Id {
    let (Some(Value::S(partition)), Some(Value::N(sort))) = (attributes.get("pk"), attributes.get("sk")) else {
        panic!("an item has its key")
    };
    let partition = ["a", "b", "c"].into_iter().find(|known| known == partition).expect("there are three partitions");
    Id { partition, sort: sort.to_i64().expect("sort keys are whole") }
}

/// The attributes of an item that a view carries; nothing if the item is not in it.
fn carried(view: View, attributes: &Attributes) -> Option<Attributes> {
    let only = |names: &[&str]| -> Attributes {
        attributes.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let (needed, carried): (&[&str], Attributes) = match view {
        View::Table => (&[], attributes.clone()),
        View::ByL => (&["l"], only(&["pk", "sk", "l", "n"])),
        View::ByG => (&["g", "h"], attributes.clone()),
        View::ByH => (&["h"], only(&["pk", "sk", "h"])),
    };
    needed.iter().all(|name| attributes.contains_key(*name)).then_some(carried)
}

fn is_carried_by_l(step: &Step) -> bool {
    matches!(step, Step::Name("pk" | "sk" | "l" | "n"))
}

/// Names of partition and sort key.
fn keys(view: View) -> (&'static str, Option<&'static str>) {
    match view {
        View::Table => ("pk", Some("sk")),
        View::ByL => ("pk", Some("l")),
        View::ByG => ("g", Some("h")),
        View::ByH => ("h", None),
    }
}

impl Oracle {
    /// All changes; those of one item in their order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Carries out an operation.
    pub fn perform(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Put(attributes, condition, is_returned) => {
                if !fits_indexes(attributes) {
                    return Answer::Exception(INVALID, Json::Object(Vec::new()));
                }
                self.write(&Member::Put(attributes.clone()), condition.as_ref(), *is_returned)
            }
            Operation::Delete(id, condition, is_returned) => self.write(&Member::Delete(id.clone()), condition.as_ref(), *is_returned),
            Operation::Update(update, condition) => self.update(update, condition.as_ref()),
            Operation::Get(id, projection) => {
                let Json::Object(mut members) = self.shown(id, projection) else { unreachable!("an answer has members") };
                members.push(("ConsumedCapacity".to_owned(), Consumed::by_read(self.items.get(id)).json(Named::Plain)));
                Answer::Body(Json::Object(members))
            }
            Operation::Find(find) => Answer::Rows(self.find(find)),
            Operation::BatchGet(ids, projection) => {
                let found = ids.iter().filter_map(|id| self.shown(id, projection).get("Item").cloned()).collect();
                let members = [("Responses", Json::single("Tab", Json::Array(found))), ("UnprocessedKeys", Json::Object(Vec::new()))];
                let consumed = together(ids.iter().map(|id| Consumed::by_read(self.items.get(id))).sum(), Named::Plain);
                Answer::Body(Json::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).chain([consumed]).collect()))
            }
            Operation::BatchWrite(items, ids) => {
                if !items.iter().all(fits_indexes) {
                    return Answer::Exception(INVALID, Json::Object(Vec::new()));
                }
                let puts = items.iter().map(|attributes| (id_of(attributes), Some(attributes.clone())));
                let writes: Vec<_> = puts.chain(ids.iter().map(|id| (id.clone(), None))).collect();
                let consumed = writes.iter().map(|(id, new)| by_write(self.items.get(id), new.as_ref())).sum();
                writes.into_iter().for_each(|(id, new)| drop(self.store(id, new)));
                let members = [("UnprocessedItems".to_owned(), Json::Object(Vec::new())), together(consumed, Named::Plain)];
                Answer::Body(Json::Object(members.into()))
            }
            Operation::TransactWrite(members) => self.transact(members),
            Operation::Statement(statement) => self.say(statement),
            Operation::Pass(_) => unreachable!("time passes by itself"),
            // Nothing there asks for the item that a condition was about.
            Operation::Legacy(operation) => match self.perform(operation) {
                Answer::Exception(CONDITION_FAILED, _) => Answer::Exception(CONDITION_FAILED, Json::Object(Vec::new())),
                answer => answer,
            },
            Operation::TransactGet(gets) => {
                let responses = gets.iter().map(|(id, projection)| self.shown(id, projection)).collect();
                // A read in a transaction is consistent, and made twice.
                let consumed: Consumed = gets.iter().map(|(id, _)| Consumed::by_read(self.items.get(id)).times(4)).sum();
                Answer::Body(Json::Object(vec![("Responses".to_owned(), Json::Array(responses)), together(consumed, Named::Reads)]))
            }
        }
    }

    fn say(&mut self, statement: &Statement) -> Answer {
        match statement {
            Statement::Insert(attributes) if self.items.contains_key(&id_of(attributes)) => {
                Answer::Exception(DUPLICATE, Json::Object(Vec::new()))
            }
            Statement::Insert(attributes) => listed(self.write(&Member::Put(attributes.clone()), None, false)),
            // An update of nothing is a condition that does not hold.
            Statement::Update(update, _) if !self.items.contains_key(&update.id) => exception(Refusal::Condition(None)),
            Statement::Update(update, condition) => listed(self.update(update, condition.as_ref())),
            Statement::Delete(id, condition, is_returned) => {
                listed(self.write(&Member::Delete(id.clone()), condition.as_ref(), *is_returned))
            }
            Statement::Select(find) => Answer::Listed(self.find(find)),
        }
    }

    fn shown(&self, id: &Id, projection: &[Path]) -> Json {
        let found = self.items.get(id);
        let shown = found.map(|attributes| if projection.is_empty() { attributes.clone() } else { parts(attributes, projection) });
        Json::Object(shown.map(|attributes| ("Item".to_owned(), item(&attributes))).into_iter().collect())
    }

    /// What is there after a member, or why it changes nothing.
    fn decide(&self, member: &Member, condition: Option<&Condition>) -> Result<(Id, Option<Attributes>), Refusal> {
        let id = match member {
            Member::Put(attributes) => id_of(attributes),
            Member::Update(Update { id, .. }) | Member::Delete(id) | Member::Check(id) => id.clone(),
        };
        let old = self.items.get(&id);
        if condition.is_some_and(|condition| !holds(condition, old.unwrap_or(&Attributes::new()))) {
            return Err(Refusal::Condition(old.cloned()));
        }
        let new = match member {
            Member::Put(attributes) => Some(attributes.clone()),
            Member::Update(update) => Some(apply(old, &key(&id), &update.actions).map_err(|_| Refusal::Invalid)?),
            Member::Delete(_) => None,
            Member::Check(_) => old.cloned(),
        };
        if new.as_ref().is_some_and(|new| !fits_indexes(new)) { Err(Refusal::Invalid) } else { Ok((id, new)) }
    }

    fn store(&mut self, id: Id, new: Option<Attributes>) -> Option<Attributes> {
        let old = match new.clone() {
            Some(new) => self.items.insert(id.clone(), new),
            None => self.items.remove(&id),
        };
        // What leaves an item as it was leaves no record.
        if old != new {
            self.changes.push(Change { id, old: old.clone(), new, is_expiry: false });
        }
        old
    }

    fn write(&mut self, member: &Member, condition: Option<&Condition>, is_returned: bool) -> Answer {
        match self.decide(member, condition) {
            Ok((id, new)) => {
                let consumed = by_write(self.items.get(&id), new.as_ref());
                let old = self.store(id, new);
                Answer::Body(attributes_member(old.as_ref().filter(|_| is_returned), consumed))
            }
            Err(refusal) => exception(refusal),
        }
    }

    fn update(&mut self, update: &Update, condition: Option<&Condition>) -> Answer {
        let (id, new) = match self.decide(&Member::Update(update.clone()), condition) {
            Ok(decided) => decided,
            Err(refusal) => return exception(refusal),
        };
        let new = new.expect("an update leaves an item");
        let consumed = by_write(self.items.get(&id), Some(&new));
        let old = self.store(id, Some(new.clone()));
        let paths: Vec<Path> = update.actions.iter().map(Action::path).cloned().collect();
        let touched = |attributes: &Attributes| Some(parts(attributes, &paths)).filter(|parts| !parts.is_empty());
        // Elements of lists move when others come or go; what is said of them then is not settled.
        let moves = paths.iter().flatten().any(|step| matches!(step, Step::At(_)));
        let shown = match update.returned {
            Returned::Nothing => None,
            Returned::AllOld => old,
            Returned::AllNew => Some(new),
            Returned::UpdatedOld => old.as_ref().and_then(touched),
            Returned::UpdatedNew if moves => return Answer::Success,
            Returned::UpdatedNew => touched(&new),
        };
        Answer::Body(attributes_member(shown.as_ref(), consumed))
    }

    fn transact(&mut self, members: &[(Member, Option<Condition>)]) -> Answer {
        let decided: Vec<_> = members.iter().map(|(member, condition)| self.decide(member, condition.as_ref())).collect();
        if decided.iter().all(Result::is_ok) {
            let decided: Vec<_> = decided.into_iter().flatten().collect();
            let consumed: Consumed = decided.iter().map(|(id, new)| by_write(self.items.get(id), new.as_ref()).times(2)).sum();
            for (id, new) in decided {
                self.store(id, new);
            }
            return Answer::Body(Json::Object(vec![together(consumed, Named::Writes)]));
        }
        let reason = |decided| match decided {
            Ok(_) => Json::single("Code", Json::text("None")),
            Err(Refusal::Invalid) => Json::single("Code", Json::text("ValidationError")),
            Err(Refusal::Condition(found)) => {
                let mut members = vec![("Code".to_owned(), Json::text("ConditionalCheckFailed"))];
                members.extend(found.map(|found| ("Item".to_owned(), item(&found))));
                Json::Object(members)
            }
        };
        let reasons = Json::Array(decided.into_iter().map(reason).collect());
        Answer::Exception("TransactionCanceledException", Json::single("CancellationReasons", reasons))
    }

    fn find(&self, find: &Find) -> Rows {
        let (partition, sort) = keys(find.view);
        let is_within = |carried: &Attributes| {
            find.partition.as_ref().is_none_or(|(value, sorted)| {
                let sorted = sorted.as_ref();
                carried.get(partition) == Some(value)
                    && sorted.is_none_or(|(comparator, value)| compares(*comparator, sort.and_then(|sort| carried.get(sort)), Some(value)))
            })
        };
        let mut rows: Vec<(Attributes, &Attributes)> =
            self.items.values().filter_map(|whole| Some((carried(find.view, whole)?, whole))).filter(|(row, _)| is_within(row)).collect();
        let by_sort = |left: &Attributes, right: &Attributes| {
            let values = sort.and_then(|sort| left.get(sort).zip(right.get(sort)));
            values.and_then(|(left, right)| order(left, right)).unwrap_or(Ordering::Equal)
        };
        let mut groups: Vec<Vec<Json>> = vec![Vec::new()];
        if find.partition.is_some() {
            rows.sort_by(|(left, _), (right, _)| if find.backward { by_sort(right, left) } else { by_sort(left, right) });
        }
        for (at, (row, whole)) in rows.iter().enumerate() {
            let follows = find.partition.is_some() && at > 0 && by_sort(&rows[at - 1].0, row) != Ordering::Equal;
            if follows {
                groups.push(Vec::new());
            }
            if find.filter.as_ref().is_none_or(|filter| holds(filter, row)) {
                // A local index reaches back to the table for what it does not carry.
                let source = if find.view == View::ByL { whole } else { row };
                let shown = if find.projection.is_empty() { row.clone() } else { parts(source, &find.projection) };
                groups.last_mut().expect("there is a group").push(item(&shown));
            }
        }
        let reaches_back =
            find.view == View::ByL && find.projection.iter().any(|path| path.first().is_some_and(|step| !is_carried_by_l(step)));
        let bytes = rows.iter().map(|(row, _)| bytes(row)).sum();
        Rows { groups, scanned: rows.len(), bytes, has_all: !reaches_back }
    }
}

/// What a statement answers where a call answers attributes.
fn listed(answer: Answer) -> Answer {
    let Answer::Body(Json::Object(members)) = answer else { return answer };
    let (attributes, rest): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| name == "Attributes");
    let items = Json::Array(attributes.into_iter().map(|(_, item)| item).collect());
    Answer::Body(Json::Object(rest.into_iter().chain([("Items".to_owned(), items)]).collect()))
}

fn exception(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Invalid => Answer::Exception(INVALID, Json::Object(Vec::new())),
        Refusal::Condition(found) => {
            Answer::Exception(CONDITION_FAILED, Json::Object(found.map(|found| ("Item".to_owned(), item(&found))).into_iter().collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::Comparator;
    use super::*;
    use stator_model::Number;

    #[test]
    fn comparators_are_those_of_the_sort_key() {
        let mut oracle = Oracle::default();
        for sort in 1..=4 {
            let id = Id { partition: "a", sort };
            oracle.perform(&Operation::Put(key(&id), None, false));
        }
        let find = Find {
            view: View::Table,
            partition: Some((Value::S("a".to_owned()), Some((Comparator::AtLeast, Value::N(Number::from(3)))))),
            filter: None,
            projection: vec![vec![Step::Name("sk")]],
            backward: true,
            limit: None,
            segments: 1,
            counts_only: false,
        };
        let Answer::Rows(rows) = oracle.perform(&Operation::Find(find)) else { panic!("rows are found") };
        let shown: Vec<_> = rows.groups.into_iter().flatten().map(|row| row.render()).collect();
        assert_eq!((shown, rows.scanned), (vec![r#"{"sk":{"N":"4"}}"#.to_owned(), r#"{"sk":{"N":"3"}}"#.to_owned()], 2));
    }
}
