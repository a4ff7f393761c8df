//! The same trees as PartiQL statements.
//!
//! What must stay true: short texts and whole numbers stand in the statement, everything else is a parameter, so that both
//! ways in are used; names are quoted, so that none is a word of the language.

use std::fmt::Write;

use stator_model::Value;

use super::request::{key, symbol};
use super::tree::{Action, Assigned, Condition, Find, Operand, Path, Returned, Statement, Step, Term, View};
use super::wire::json_of;
use crate::json::Json;

/// A statement and the parameters of its question marks.
#[derive(Default)]
struct Text {
    parameters: Vec<Json>,
}

fn path(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Name(name) if text.is_empty() => write!(text, "\"{name}\""),
            Step::Name(name) => write!(text, ".\"{name}\""),
            Step::At(index) => write!(text, "[{index}]"),
        }
        .expect("a string takes all");
    }
    text
}

impl Text {
    fn value(&mut self, value: &Value) -> String {
        const LENGTH: usize = 8;
        match value {
            Value::S(text) if text.len() < LENGTH => format!("'{}'", text.replace('\'', "''")),
            Value::N(number) if number.to_string().bytes().all(|byte| byte.is_ascii_digit()) => number.to_string(),
            other => {
                self.parameters.push(json_of(other));
                "?".to_owned()
            }
        }
    }

    fn operand(&mut self, operand: &Operand) -> String {
        match operand {
            Operand::Path(of) => path(of),
            Operand::Size(of) => format!("size({})", path(of)),
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
                format!("{tested} IN [{}]", candidates.iter().map(|one| self.operand(one)).collect::<Vec<_>>().join(", "))
            }
            Condition::Exists(of) => format!("{} IS NOT MISSING", path(of)),
            Condition::Missing(of) => format!("{} IS MISSING", path(of)),
            Condition::HasType(of, kind) => format!("attribute_type({}, '{kind}')", path(of)),
            Condition::BeginsWith(of, prefix) => format!("begins_with({}, {})", path(of), self.value(prefix)),
            Condition::Contains(of, part) => format!("contains({}, {})", path(of), self.value(part)),
            Condition::Not(inner) => format!("NOT ({})", self.condition(inner)),
            Condition::And(left, right) => format!("({}) AND ({})", self.condition(left), self.condition(right)),
            Condition::Or(left, right) => format!("({}) OR ({})", self.condition(left), self.condition(right)),
        }
    }

    fn term(&mut self, term: &Term) -> String {
        match term {
            Term::Path(of) => path(of),
            Term::Literal(value) | Term::PathOr(_, value) => self.value(value),
        }
    }

    fn action(&mut self, action: &Action) -> String {
        match action {
            Action::Set(of, assigned) => {
                let value = match assigned {
                    Assigned::Term(term) => self.term(term),
                    Assigned::Sum(left, right) => format!("{} + {}", self.term(left), self.term(right)),
                    Assigned::Difference(left, right) => format!("{} - {}", self.term(left), self.term(right)),
                    Assigned::Joined(left, right) => format!("list_append({}, {})", self.term(left), self.term(right)),
                };
                format!(" SET {} = {value}", path(of))
            }
            Action::Remove(of) | Action::Add(of, _) | Action::Delete(of, _) => format!(" REMOVE {}", path(of)),
        }
    }

    /// The key of an item, and what more has to hold.
    fn place(&mut self, id: &super::Id, condition: Option<&Condition>) -> String {
        let equal: Vec<String> = key(id).iter().map(|(name, value)| format!("\"{name}\" = {}", self.value(value))).collect();
        let more = condition.map_or(String::new(), |condition| format!(" AND ({})", self.condition(condition)));
        format!(" WHERE {}{more}", equal.join(" AND "))
    }

    fn select(&mut self, find: &Find) -> String {
        let shown = match find.projection.as_slice() {
            [] => "*".to_owned(),
            paths => paths.iter().map(|shown| path(shown)).collect::<Vec<_>>().join(", "),
        };
        let (from, partition, sort) = match find.view {
            View::Table => ("Tab", "pk", "sk"),
            View::ByL => ("\"Tab\".\"byL\"", "pk", "l"),
            View::ByG => ("\"Tab\".\"byG\"", "g", "h"),
            View::ByH => ("\"Tab\".\"byH\"", "h", ""),
        };
        let mut tests = Vec::new();
        if let Some((value, sorted)) = &find.partition {
            tests.push(format!("\"{partition}\" = {}", self.value(value)));
            if let Some((comparator, value)) = sorted {
                tests.push(format!("\"{sort}\" {} {}", symbol(*comparator), self.value(value)));
            }
        }
        if let Some(filter) = &find.filter {
            tests.push(format!("({})", self.condition(filter)));
        }
        let tests = if tests.is_empty() { String::new() } else { format!(" WHERE {}", tests.join(" AND ")) };
        let order = if find.partition.is_some() && find.backward && !sort.is_empty() {
            format!(" ORDER BY \"{sort}\" DESC")
        } else {
            String::new()
        };
        format!("SELECT {shown} FROM {from}{tests}{order}")
    }
}

/// The members of ExecuteStatement.
pub(super) fn members(statement: &Statement) -> Vec<(String, Json)> {
    let mut text = Text::default();
    let written = match statement {
        Statement::Insert(attributes) => {
            let pairs: Vec<String> = attributes.iter().map(|(name, value)| format!("'{name}': {}", text.value(value))).collect();
            format!("INSERT INTO Tab VALUE {{{}}}", pairs.join(", "))
        }
        Statement::Update(update, condition) => {
            let actions: String = update.actions.iter().map(|action| text.action(action)).collect();
            let place = text.place(&update.id, condition.as_ref());
            let returning = match update.returned {
                Returned::Nothing => "",
                Returned::AllOld => " RETURNING ALL OLD *",
                Returned::AllNew => " RETURNING ALL NEW *",
                Returned::UpdatedOld => " RETURNING MODIFIED OLD *",
                Returned::UpdatedNew => " RETURNING MODIFIED NEW *",
            };
            format!("UPDATE Tab{actions}{place}{returning}")
        }
        Statement::Delete(id, condition, is_returned) => {
            let returning = if *is_returned { " RETURNING ALL OLD *" } else { "" };
            format!("DELETE FROM Tab{}{returning}", text.place(id, condition.as_ref()))
        }
        Statement::Select(find) => text.select(find),
    };
    let mut members = vec![("Statement".to_owned(), Json::String(written))];
    if !text.parameters.is_empty() {
        members.push(("Parameters".to_owned(), Json::Array(text.parameters)));
    }
    if matches!(statement, Statement::Update(..) | Statement::Delete(..)) {
        members.push(("ReturnValuesOnConditionCheckFailure".to_owned(), Json::text("ALL_OLD")));
    }
    members
}

/// Whether a statement can say it: there is no if_not_exists, and sets change otherwise.
pub fn can_be_said(action: &Action) -> bool {
    let term = |term: &Term| !matches!(term, Term::PathOr(..));
    match action {
        Action::Set(_, Assigned::Term(one)) => term(one),
        Action::Set(_, Assigned::Sum(left, right) | Assigned::Difference(left, right) | Assigned::Joined(left, right)) => {
            term(left) && term(right)
        }
        Action::Remove(_) => true,
        Action::Add(..) | Action::Delete(..) => false,
    }
}

/// The path of a value that statements may name: what is shown of a longer one has a name of its own.
pub fn is_short(path: &Path) -> bool {
    path.len() == 1
}
