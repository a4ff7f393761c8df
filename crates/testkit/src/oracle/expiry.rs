//! Time: items whose time has come are gone, and the stream says that nobody asked for it.
//!
//! What must stay true: a time is generated as a number of half hours from now, because nobody knows before how late it will be;
//! it becomes a moment when the operation's turn comes, and that moment is never now or past.

use stator_model::{Number, Value};

use super::tree::{Action, Assigned, Member, Operation, Statement, Step, Term, Update};
use super::{Attributes, Change, Oracle};

/// The attribute that holds an item's time.
pub const UNTIL: &str = "until";
/// Half an hour.
pub const STEP_S: u64 = 30 * 60;

/// A number of half hours as a moment between two steps of the clock.
fn moment(value: &mut Value, now_s: u64) {
    if let Value::N(steps) = value
        && let Some(steps) = steps.to_i64().and_then(|steps| u64::try_from(steps).ok())
    {
        let at_s = now_s + STEP_S * steps + STEP_S / 2;
        *value = Value::N(Number::from(i64::try_from(at_s).unwrap_or(i64::MAX)));
    }
}

fn of_item(attributes: &mut Attributes, now_s: u64) {
    attributes.get_mut(UNTIL).into_iter().for_each(|until| moment(until, now_s));
}

fn of_update(update: &mut Update, now_s: u64) {
    for action in &mut update.actions {
        if let Action::Set(path, Assigned::Term(Term::Literal(value))) = action
            && path.as_slice() == [Step::Name(UNTIL)]
        {
            moment(value, now_s);
        }
    }
}

/// The operation as it is said at a time.
#[must_use]
pub fn said_at(mut operation: Operation, now_s: u64) -> Operation {
    let said = match &mut operation {
        Operation::Legacy(said) => said,
        said => said,
    };
    match said {
        Operation::Put(attributes, ..) | Operation::Statement(Statement::Insert(attributes)) => of_item(attributes, now_s),
        Operation::Update(update, _) | Operation::Statement(Statement::Update(update, _)) => of_update(update, now_s),
        Operation::BatchWrite(items, _) => items.iter_mut().for_each(|item| of_item(item, now_s)),
        Operation::TransactWrite(members) => {
            for (member, _) in members {
                match member {
                    Member::Put(attributes) => of_item(attributes, now_s),
                    Member::Update(update) => of_update(update, now_s),
                    Member::Delete(_) | Member::Check(_) => {}
                }
            }
        }
        _ => {}
    }
    operation
}

impl Oracle {
    /// It is this time: what was due before is gone.
    pub fn expire(&mut self, now_s: u64) {
        let is_due = |attributes: &Attributes| match attributes.get(UNTIL) {
            Some(Value::N(until)) => until.to_i64().and_then(|until| u64::try_from(until).ok()).is_some_and(|until| until <= now_s),
            _ => false,
        };
        let due: Vec<_> = self.items.iter().filter(|(_, item)| is_due(item)).map(|(id, _)| id.clone()).collect();
        for id in due {
            let old = self.items.remove(&id);
            self.changes.push(Change { id, old, new: None, is_expiry: true });
        }
    }
}
