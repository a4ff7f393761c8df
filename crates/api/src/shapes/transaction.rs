//! The actions of a transaction of writes: Put, Update, Delete and ConditionCheck.
//!
//! What must stay true: an action comes to the same intent as the operation of its name.

use std::borrow::Cow;
use std::fmt::Formatter;

use stator_engine::write::{Action, Intent, WriteError};
use stator_expr::{Condition, ExpressionKind, Update};
use stator_model::Item;

use super::expressions::{Substitutions, Use, Wording, finish};
use super::table_name::TableName;
use crate::constraint::{Constraints, Spelled};
use crate::fault::Fault;
use crate::json::{Attributes, JsonFault, Reader};
use crate::messages::transaction::{self, Reason};
use crate::messages::{item, value};

/// Which action it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// ConditionCheck
    Check,
    /// Put
    Put,
    /// Update
    Update,
    /// Delete
    Delete,
}

impl Verb {
    fn of_member(member: &str) -> Option<Verb> {
        Some(match member {
            "ConditionCheck" => Verb::Check,
            "Put" => Verb::Put,
            "Update" => Verb::Update,
            "Delete" => Verb::Delete,
            _ => return None,
        })
    }

    fn member(self) -> &'static str {
        match self {
            Verb::Check => "ConditionCheck",
            Verb::Put => "Put",
            Verb::Update => "Update",
            Verb::Delete => "Delete",
        }
    }
}

/// A member of TransactItems: one action, if the request is right.
#[derive(Debug, Default)]
pub(crate) struct Member<'a> {
    actions: Vec<(Verb, Change<'a>)>,
}

/// An action as read.
#[derive(Debug, Default)]
struct Change<'a> {
    table: TableName<'a>,
    /// Item or Key.
    source: Option<Attributes>,
    update_text: Option<Cow<'a, str>>,
    condition_text: Option<Cow<'a, str>>,
    substitutions: Substitutions<'a>,
    return_on_failure: Option<Cow<'a, str>>,
    condition: Option<Condition>,
    update: Option<Update>,
}

impl<'a> Member<'a> {
    /// Reads a member of TransactItems.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Member<'a>, JsonFault> {
        let mut member = Member::default();
        reader.object(|reader, name| {
            if let Some(verb) = Verb::of_member(name) {
                member.actions.push((verb, Change::read(reader, verb)?));
            }
            Ok(())
        })?;
        Ok(member)
    }

    /// The constraints; `at` counts from 1.
    pub(crate) fn constrain(&self, constraints: &mut Constraints, at: usize) {
        for (verb, change) in &self.actions {
            let path = |member: &'static str| {
                Spelled(move |out: &mut Formatter<'_>| write!(out, "TransactItems.{at}.member.{}.{member}", verb.member()))
            };
            constraints.required(path(if *verb == Verb::Put { "Item" } else { "Key" }), change.source.as_ref());
            constraints.required(path("TableName"), change.table.0.as_ref());
            constraints.length(path("TableName"), change.table.0.as_deref(), 1, 1024);
            if *verb == Verb::Update {
                constraints.required(path("UpdateExpression"), change.update_text.as_ref());
            }
            if *verb == Verb::Check {
                constraints.required(path("ConditionExpression"), change.condition_text.as_ref());
            }
            let on_failure = change.return_on_failure.as_deref();
            constraints.one_of(path("ReturnValuesOnConditionCheckFailure"), on_failure, &["ALL_OLD", "NONE"]);
        }
    }

    /// Everything else that can be said without a table.
    pub(crate) fn check(&mut self) -> Result<(), Fault> {
        match self.actions.as_mut_slice() {
            [(_, change)] => change.check(),
            actions => Err(transaction::one_action(actions.len() > 1)),
        }
    }

    /// The table as given.
    pub(crate) fn table(&self) -> &str {
        self.actions.first().map_or("", |(_, change)| change.table.given())
    }

    /// Appends what distinguishes this action from others.
    pub(crate) fn put_fingerprint(&self, out: &mut Vec<u8>) {
        for (verb, change) in &self.actions {
            let texts = [verb.member(), change.table.given()];
            let options = [&change.update_text, &change.condition_text, &change.return_on_failure];
            out.extend_from_slice(format!("{texts:?}{options:?}").as_bytes());
            out.extend_from_slice(change.source.as_ref().map_or(&[], |source| source.item.as_bytes()));
            change.substitutions.put_fingerprint(out);
        }
    }

    /// The intent; comes once, after the check.
    pub(crate) fn take_intent(&mut self) -> Option<Intent> {
        let (verb, change) = self.actions.first_mut()?;
        let source = change.source.take().map_or_else(Item::empty, |attributes| attributes.item);
        let action = match verb {
            Verb::Check => Action::Check { key: source },
            Verb::Put => Action::Put(source),
            Verb::Update => Action::Update { key: source, update: change.update.take().unwrap_or_else(Update::nothing) },
            Verb::Delete => Action::Delete { key: source },
        };
        Some(Intent { action, condition: change.condition.take() })
    }

    /// What this member of a cancelled transaction is told.
    pub(crate) fn reason(&self, error: Option<WriteError>) -> Reason {
        let (Some(error), Some((verb, change))) = (error, self.actions.first()) else { return Reason::NONE };
        let written = match verb {
            Verb::Put => item::Written::Put,
            Verb::Update => item::Written::Update,
            Verb::Check | Verb::Delete => item::Written::Delete,
        };
        transaction::reason(error, written, change.return_on_failure.as_deref() == Some("ALL_OLD"))
    }
}

impl<'a> Change<'a> {
    fn read(reader: &mut Reader<'a>, verb: Verb) -> Result<Change<'a>, JsonFault> {
        let mut change = Change::default();
        reader.object(|reader, member| {
            match member {
                "TableName" => change.table.0 = Some(reader.string()?),
                "Item" if verb == Verb::Put => change.source = Some(Attributes::read(reader)?),
                "Key" if verb != Verb::Put => change.source = Some(Attributes::read(reader)?),
                "UpdateExpression" if verb == Verb::Update => change.update_text = Some(reader.string()?),
                "ConditionExpression" => change.condition_text = Some(reader.string()?),
                "ReturnValuesOnConditionCheckFailure" => change.return_on_failure = Some(reader.string()?),
                other => change.substitutions.read(reader, other)?,
            }
            Ok(())
        })?;
        Ok(change)
    }

    fn check(&mut self) -> Result<(), Fault> {
        self.table.check()?;
        value::check(self.source.as_ref())?;
        let mut binder = self.substitutions.binder(Wording::Bare, Use::Stored)?;
        if let Some(text) = &self.update_text {
            let update = stator_expr::update(text, &mut binder);
            self.update = Some(update.map_err(|error| Wording::Bare.expression(&error, ExpressionKind::Update))?);
        }
        if let Some(text) = &self.condition_text {
            let condition = stator_expr::condition(text, &mut binder);
            self.condition = Some(condition.map_err(|error| Wording::Bare.expression(&error, ExpressionKind::Condition))?);
        }
        // Unlike the operation of its name, an action without an expression may have substitutions.
        if self.condition_text.is_none() && self.update_text.is_none() {
            return Ok(());
        }
        finish(&binder, Wording::Bare)
    }
}
