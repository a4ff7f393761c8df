//! Operations written out as requests.
//!
//! What must stay true: every name is substituted, so that no word is reserved, and every substitution is used.

use std::fmt::Write;

use stator_model::{Number, Value};

use super::Attributes;
use super::legacy;
use super::statement;
use super::tree::{
    Action, Assigned, Comparator, Condition, Find, Id, Member, Operand, Operation, Path, Returned, Step, Term, Update, View,
};
use super::wire::{item, json_of};
use crate::json::Json;

/// Name of the table.
const NAME: &str = "Tab";

/// The substitutions of one request or member.
#[derive(Default)]
struct Text {
    names: Vec<&'static str>,
    values: Vec<Value>,
}

impl Text {
    fn name(&mut self, name: &'static str) -> String {
        let known = self.names.iter().position(|known| *known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        format!("#n{at}")
    }

    fn value(&mut self, value: &Value) -> String {
        self.values.push(value.clone());
        format!(":v{}", self.values.len() - 1)
    }

    fn path(&mut self, path: &[Step]) -> String {
        let mut text = String::new();
        for step in path {
            match step {
                Step::Name(name) => {
                    let separator = if text.is_empty() { "" } else { "." };
                    text = format!("{text}{separator}{}", self.name(name));
                }
                Step::At(index) => write!(text, "[{index}]").expect("a string takes all"),
            }
        }
        text
    }

    fn paths(&mut self, paths: &[Path]) -> String {
        paths.iter().map(|path| self.path(path)).collect::<Vec<_>>().join(", ")
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Path(path) => self.path(path),
            Operand::Size(path) => format!("size({})", self.path(path)),
            Operand::Literal(value) => self.value(value),
        }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Compare(comparator, left, right) => {
                format!("{} {} {}", self.operand(left), symbol(*comparator), self.operand(right))
            }
            Condition::Between(tested, lower, upper) => {
                format!("{} BETWEEN {} AND {}", self.operand(tested), self.operand(lower), self.operand(upper))
            }
            Condition::In(tested, candidates) => {
                let tested = self.operand(tested);
                format!("{tested} IN ({})", candidates.iter().map(|one| self.operand(one)).collect::<Vec<_>>().join(", "))
            }
            Condition::Exists(path) => format!("attribute_exists({})", self.path(path)),
            Condition::Missing(path) => format!("attribute_not_exists({})", self.path(path)),
            Condition::HasType(path, kind) => format!("attribute_type({}, {})", self.path(path), self.value(&Value::S((*kind).to_owned()))),
            Condition::BeginsWith(path, prefix) => format!("begins_with({}, {})", self.path(path), self.value(prefix)),
            Condition::Contains(path, part) => format!("contains({}, {})", self.path(path), self.value(part)),
            Condition::Not(inner) => format!("NOT ({})", self.condition(inner)),
            Condition::And(left, right) => format!("({}) AND ({})", self.condition(left), self.condition(right)),
            Condition::Or(left, right) => format!("({}) OR ({})", self.condition(left), self.condition(right)),
        }
    }

    fn term(&mut self, term: &Term) -> String {
        match term {
            Term::Path(path) => self.path(path),
            Term::Literal(value) => self.value(value),
            Term::PathOr(path, value) => format!("if_not_exists({}, {})", self.path(path), self.value(value)),
        }
    }

    fn update(&mut self, actions: &[Action]) -> String {
        let mut sections: [(&str, Vec<String>); 4] =
            [("SET", Vec::new()), ("REMOVE", Vec::new()), ("ADD", Vec::new()), ("DELETE", Vec::new())];
        for action in actions {
            let (section, text) = match action {
                Action::Set(path, value) => {
                    let path = self.path(path);
                    let value = match value {
                        Assigned::Term(term) => self.term(term),
                        Assigned::Sum(left, right) => format!("{} + {}", self.term(left), self.term(right)),
                        Assigned::Difference(left, right) => format!("{} - {}", self.term(left), self.term(right)),
                        Assigned::Joined(left, right) => format!("list_append({}, {})", self.term(left), self.term(right)),
                    };
                    (0, format!("{path} = {value}"))
                }
                Action::Remove(path) => (1, self.path(path)),
                Action::Add(path, value) => (2, format!("{} {}", self.path(path), self.value(value))),
                Action::Delete(path, value) => (3, format!("{} {}", self.path(path), self.value(value))),
            };
            sections[section].1.push(text);
        }
        let written = sections.into_iter().filter(|(_, texts)| !texts.is_empty());
        written.map(|(name, texts)| format!("{name} {}", texts.join(", "))).collect::<Vec<_>>().join(" ")
    }

    /// The members that explain the substitutions.
    fn finish(self, members: &mut Members) {
        let names: Vec<_> = (0..).zip(self.names).map(|(at, name): (usize, _)| (format!("#n{at}"), Json::text(name))).collect();
        if !names.is_empty() {
            members.push(("ExpressionAttributeNames".to_owned(), Json::Object(names)));
        }
        let values: Vec<_> = (0..).zip(&self.values).map(|(at, value): (usize, _)| (format!(":v{at}"), json_of(value))).collect();
        if !values.is_empty() {
            members.push(("ExpressionAttributeValues".to_owned(), Json::Object(values)));
        }
    }
}

pub(super) type Members = Vec<(String, Json)>;

pub(super) fn symbol(comparator: Comparator) -> &'static str {
    match comparator {
        Comparator::Equal => "=",
        Comparator::Unequal => "<>",
        Comparator::Less => "<",
        Comparator::AtMost => "<=",
        Comparator::Greater => ">",
        Comparator::AtLeast => ">=",
    }
}

pub(super) fn add(members: &mut Members, name: &str, value: Json) {
    members.push((name.to_owned(), value));
}

/// The key of an item as attributes.
pub fn key(id: &Id) -> Attributes {
    [("pk".to_owned(), Value::S(id.partition.to_owned())), ("sk".to_owned(), Value::N(Number::from(id.sort)))].into()
}

pub(super) fn returned(returned: Returned) -> Json {
    Json::text(match returned {
        Returned::Nothing => "NONE",
        Returned::AllOld => "ALL_OLD",
        Returned::AllNew => "ALL_NEW",
        Returned::UpdatedOld => "UPDATED_OLD",
        Returned::UpdatedNew => "UPDATED_NEW",
    })
}

/// Table, item or key, update and condition of one write.
fn write(what: (&str, Json), actions: &[Action], condition: Option<&Condition>) -> Members {
    let mut members = vec![("TableName".to_owned(), Json::text(NAME)), (what.0.to_owned(), what.1)];
    let mut text = Text::default();
    if !actions.is_empty() {
        add(&mut members, "UpdateExpression", Json::String(text.update(actions)));
    }
    if let Some(condition) = condition {
        add(&mut members, "ConditionExpression", Json::String(text.condition(condition)));
        add(&mut members, "ReturnValuesOnConditionCheckFailure", Json::text("ALL_OLD"));
    }
    text.finish(&mut members);
    members
}

fn read(what: (&str, Json), projection: &[Path]) -> Members {
    let mut members = vec![(what.0.to_owned(), what.1)];
    let mut text = Text::default();
    if !projection.is_empty() {
        add(&mut members, "ProjectionExpression", Json::String(text.paths(projection)));
    }
    text.finish(&mut members);
    members
}

fn member((member, condition): &(Member, Option<Condition>)) -> Json {
    let condition = condition.as_ref();
    let (name, members) = match member {
        Member::Put(attributes) => ("Put", write(("Item", item(attributes)), &[], condition)),
        Member::Update(Update { id, actions, .. }) => ("Update", write(("Key", item(&key(id))), actions, condition)),
        Member::Delete(id) => ("Delete", write(("Key", item(&key(id))), &[], condition)),
        Member::Check(id) => ("ConditionCheck", write(("Key", item(&key(id))), &[], condition)),
    };
    Json::single(name, Json::Object(members))
}

/// Index, partition key and sort key of a view.
pub(super) fn keys_of(view: View) -> (Option<&'static str>, &'static str, &'static str) {
    match view {
        View::Table => (None, "pk", "sk"),
        View::ByL => (Some("byL"), "pk", "l"),
        View::ByG => (Some("byG"), "g", "h"),
        View::ByH => (Some("byH"), "h", ""),
    }
}

/// What a page of a query or scan says beside its expressions.
pub(super) fn frame(find: &Find, segment: usize, start: Option<&Json>) -> Members {
    let mut members = vec![("TableName".to_owned(), Json::text(NAME))];
    if let (Some(index), ..) = keys_of(find.view) {
        add(&mut members, "IndexName", Json::text(index));
    }
    if find.partition.is_some() {
        add(&mut members, "ScanIndexForward", Json::Bool(!find.backward));
    } else if find.segments > 1 {
        add(&mut members, "Segment", Json::Number(segment.to_string()));
        add(&mut members, "TotalSegments", Json::Number(find.segments.to_string()));
    }
    if find.counts_only {
        add(&mut members, "Select", Json::text("COUNT"));
    }
    if let Some(limit) = find.limit {
        add(&mut members, "Limit", Json::Number(limit.to_string()));
    }
    if let Some(start) = start {
        add(&mut members, "ExclusiveStartKey", start.clone());
    }
    members
}

fn find(find: &Find, segment: usize, start: Option<&Json>) -> (&'static str, Members) {
    let mut members = frame(find, segment, start);
    let mut text = Text::default();
    let (_, partition, sort) = keys_of(find.view);
    if let Some((value, sorted)) = &find.partition {
        let mut condition = format!("{} = {}", text.name(partition), text.value(value));
        if let Some((comparator, value)) = sorted {
            write!(condition, " AND {} {} {}", text.name(sort), symbol(*comparator), text.value(value)).expect("a string takes all");
        }
        add(&mut members, "KeyConditionExpression", Json::String(condition));
    }
    if let Some(filter) = &find.filter {
        add(&mut members, "FilterExpression", Json::String(text.condition(filter)));
    }
    if !find.counts_only && !find.projection.is_empty() {
        add(&mut members, "ProjectionExpression", Json::String(text.paths(&find.projection)));
    }
    text.finish(&mut members);
    (if find.partition.is_some() { "Query" } else { "Scan" }, members)
}

fn batch_write(items: &[Attributes], ids: &[Id]) -> Members {
    let put = |attributes| Json::single("PutRequest", Json::single("Item", item(attributes)));
    let delete = |id| Json::single("DeleteRequest", Json::single("Key", item(&key(id))));
    let requests = items.iter().map(put).chain(ids.iter().map(delete)).collect();
    vec![("RequestItems".to_owned(), Json::single(NAME, Json::Array(requests)))]
}

/// Name and body of an operation; of one that goes page by page, those of the page of a segment that begins at a key.
pub fn request(operation: &Operation, segment: usize, start: Option<&Json>) -> (&'static str, Json) {
    let (name, mut members) = match operation {
        Operation::Put(attributes, condition, is_returned) => {
            let mut members = write(("Item", item(attributes)), &[], condition.as_ref());
            if *is_returned {
                add(&mut members, "ReturnValues", Json::text("ALL_OLD"));
            }
            ("PutItem", members)
        }
        Operation::Update(update, condition) => {
            let mut members = write(("Key", item(&key(&update.id))), &update.actions, condition.as_ref());
            add(&mut members, "ReturnValues", returned(update.returned));
            ("UpdateItem", members)
        }
        Operation::Delete(id, condition, is_returned) => {
            let mut members = write(("Key", item(&key(id))), &[], condition.as_ref());
            if *is_returned {
                add(&mut members, "ReturnValues", Json::text("ALL_OLD"));
            }
            ("DeleteItem", members)
        }
        Operation::Get(id, projection) => {
            let mut members = read(("Key", item(&key(id))), projection);
            add(&mut members, "TableName", Json::text(NAME));
            ("GetItem", members)
        }
        Operation::Find(wanted) => find(wanted, segment, start),
        Operation::BatchGet(ids, projection) => {
            let keys = Json::Array(ids.iter().map(|id| item(&key(id))).collect());
            let of_table = Json::Object(read(("Keys", keys), projection));
            ("BatchGetItem", vec![("RequestItems".to_owned(), Json::single(NAME, of_table))])
        }
        Operation::BatchWrite(items, ids) => ("BatchWriteItem", batch_write(items, ids)),
        Operation::TransactWrite(members) => {
            ("TransactWriteItems", vec![("TransactItems".to_owned(), Json::Array(members.iter().map(member).collect()))])
        }
        Operation::TransactGet(gets) => {
            let get = |(id, projection): &(Id, Vec<Path>)| {
                let mut members = read(("Key", item(&key(id))), projection);
                add(&mut members, "TableName", Json::text(NAME));
                Json::single("Get", Json::Object(members))
            };
            ("TransactGetItems", vec![("TransactItems".to_owned(), Json::Array(gets.iter().map(get).collect()))])
        }
        Operation::Statement(said) => ("ExecuteStatement", statement::members(said)),
        Operation::Pass(_) => unreachable!("time passes without a request"),
        Operation::Legacy(operation) => legacy::request(operation, segment, start),
    };
    add(&mut members, "ReturnConsumedCapacity", Json::text("INDEXES"));
    (name, Json::Object(members))
}
