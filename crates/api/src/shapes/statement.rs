//! A statement of PartiQL with its parameters, as the three operations take it.
//!
//! What must stay true: a statement is parsed and its table found in one way, whichever operation it came by; a token goes on
//! with the statement that it was made for, and with no other.

use std::borrow::Cow;
use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::partiql::{Cursor, Plan, StatementPage, WritePlan, plan};
use stator_engine::write::{Action, WriteError, Written};
use stator_expr::partiql::{Body, Returning, Statement, parse};
use stator_model::limits::{STATEMENT_CHARACTERS_MAX, STATEMENT_TOKEN_CHARACTERS_MAX};
use stator_model::table::IndexKind;
use stator_model::{Item, RawValue, Value};

use super::page::consistency;
use super::table_name::{check_name, find};
use super::write::push_item;
use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::{AttributeValue, JsonFault, Reader};
use crate::messages::{read, statement, value};
use crate::operation::Context;

/// The members of a statement, as read.
#[derive(Debug, Default)]
pub(crate) struct StatementInput<'a> {
    text: Option<Cow<'a, str>>,
    parameters: Option<Vec<AttributeValue>>,
    consistent: bool,
    return_on_failure: Option<Cow<'a, str>>,
}

/// A statement and what it means for its table.
#[derive(Debug)]
pub(crate) struct Planned {
    /// The table.
    pub table: Arc<Table>,
    /// What is done with it.
    pub plan: Plan,
}

impl<'a> StatementInput<'a> {
    /// Reads a statement of a list.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<StatementInput<'a>, JsonFault> {
        let mut input = StatementInput::default();
        reader.object(|reader, member| input.read_member(reader, member))?;
        Ok(input)
    }

    /// Reads a member, if it is one of these.
    pub(crate) fn read_member(&mut self, reader: &mut Reader<'a>, member: &str) -> Result<(), JsonFault> {
        match member {
            "Statement" => self.text = Some(reader.string()?),
            "Parameters" => self.parameters = Some(reader.list(AttributeValue::read)?),
            "ConsistentRead" => self.consistent = reader.boolean()?,
            "ReturnValuesOnConditionCheckFailure" => self.return_on_failure = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    }

    /// The constraints; `prefix` is the path of the statement, with its dot, if it is one of a list.
    pub(crate) fn constrain(&self, constraints: &mut Constraints, prefix: &str) {
        let path = |member: &str| format!("{prefix}{member}");
        constraints.required(path("Statement"), self.text.as_ref());
        constraints.length(path("Statement"), self.text.as_deref(), 1, STATEMENT_CHARACTERS_MAX);
        constraints.count(&path("Parameters"), "[]", self.parameters.as_ref().map_or(1, Vec::len), 1, usize::MAX);
        let on_failure = self.return_on_failure.as_deref();
        constraints.one_of(path("ReturnValuesOnConditionCheckFailure"), on_failure, &["ALL_OLD", "NONE"]);
    }

    /// What it says.
    pub(crate) fn parse(&self) -> Result<Statement, Fault> {
        let parameters = self.parameters.as_deref().unwrap_or_default();
        if let Some(fault) = parameters.iter().find_map(|parameter| parameter.fault.as_ref()) {
            return Err(value::fault_of(fault));
        }
        let values: Vec<Value> = parameters.iter().map(|parameter| Value::from(RawValue::new(&parameter.encoded))).collect();
        let statement = parse(self.text.as_deref().unwrap_or_default(), &values).map_err(|error| statement::refuse_text(&error))?;
        check_name(statement.table())?;
        Ok(statement)
    }

    /// What it means for its table.
    #[expect(clippy::unused_self, reason = "reads as a step of the statement, like the others")]
    pub(crate) fn plan(&self, statement: &Statement, context: &Context) -> Result<Planned, Fault> {
        let table = find(statement.table(), context)?;
        let plan = plan(&table, statement).map_err(|error| statement::refuse_plan(&error))?;
        Ok(Planned { table, plan })
    }

    /// Reads a page, from a cursor on.
    pub(crate) async fn select(
        &self,
        context: &Context,
        planned: &Planned,
        limit: Option<usize>,
        from: Cursor,
    ) -> Result<StatementPage, Fault> {
        let Plan::Read(plan) = &planned.plan else { return Err(Fault::internal()) };
        let index = plan.index.and_then(|id| planned.table.index_by_id(id));
        if self.consistent && index.is_some_and(|index| index.kind == IndexKind::Global) {
            return Err(read::consistent_global());
        }
        let page = context.engine.select(&planned.table, plan, limit, from, consistency(self.consistent)).await;
        let page = page.map_err(|error| read::refuse(error, plan.partitions.is_empty()))?;
        context.consumed(&planned.table.name, &page.receipt);
        Ok(page)
    }

    /// Writes; the second is what RETURNING asks for.
    pub(crate) async fn write(&self, context: &Context, table: &Arc<Table>, plan: &WritePlan) -> Result<(Written, Option<Item>), Fault> {
        match context.engine.write(table, &plan.intent).await {
            Ok(written) => {
                context.consumed(&table.name, &written.receipt);
                let returned = returned(plan, &written).filter(|item| !item.map().is_empty());
                Ok((written, returned))
            }
            Err(error) => {
                let found = self.found(&error);
                let mut fault = statement::refuse_write(error, &plan.intent);
                found.iter().for_each(|found| push_item(&mut fault, found));
                Err(fault)
            }
        }
    }

    /// The item that made a condition fail, if it is asked for.
    pub(crate) fn found(&self, error: &WriteError) -> Option<Item> {
        let found = if let WriteError::ConditionFailed { found } = error { found.as_ref() } else { None };
        found.filter(|_| self.shows_item()).cloned()
    }

    /// Whether an item that makes a condition fail is told.
    pub(crate) fn shows_item(&self) -> bool {
        self.return_on_failure.as_deref() == Some("ALL_OLD")
    }

    /// Appends what distinguishes this statement from others.
    pub(crate) fn put_fingerprint(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{:?}{:?}", self.text, self.return_on_failure).as_bytes());
        self.parameters.iter().flatten().for_each(|parameter| out.extend_from_slice(&parameter.encoded));
    }

    /// The token that goes on at a cursor.
    pub(crate) fn token(&self, cursor: &Cursor) -> String {
        let mut bytes = u32::try_from(cursor.partition).unwrap_or(u32::MAX).to_be_bytes().to_vec();
        bytes.extend_from_slice(cursor.start.as_ref().map_or(&[], Item::as_bytes));
        let checksum = self.checksum(&bytes);
        bytes.extend_from_slice(&checksum.to_be_bytes());
        base64_simd::STANDARD.encode_to_string(bytes)
    }

    /// The cursor of a token of this statement.
    pub(crate) fn cursor(&self, token: &str) -> Result<Cursor, Fault> {
        let bytes = base64_simd::STANDARD.decode_to_vec(token).map_err(|_| statement::next_token())?;
        self.cursor_of(&bytes).ok_or_else(statement::next_token)
    }

    fn cursor_of(&self, bytes: &[u8]) -> Option<Cursor> {
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        let (partition, start) = body.split_first_chunk::<4>()?;
        if self.checksum(body) != u32::from_be_bytes(*checksum) {
            return None;
        }
        let start = if start.is_empty() { None } else { Some(Item::parse(start.to_vec()).ok()?) };
        Some(Cursor { partition: usize::try_from(u32::from_be_bytes(*partition)).ok()?, start })
    }

    fn checksum(&self, cursor: &[u8]) -> u32 {
        let mut of = cursor.to_vec();
        self.put_fingerprint(&mut of);
        crc32fast::hash(&of)
    }
}

/// The constraint of NextToken.
pub(crate) fn constrain_token(constraints: &mut Constraints, token: Option<&str>) {
    constraints.length("NextToken", token, 1, STATEMENT_TOKEN_CHARACTERS_MAX);
}

/// Refuses what only a transaction takes.
pub(crate) fn refuse_exists(statement: &Statement) -> Result<(), Fault> {
    if matches!(statement.body, Body::Exists { .. }) { Err(statement::exists_alone()) } else { Ok(()) }
}

/// What RETURNING asks for.
fn returned(plan: &WritePlan, written: &Written) -> Option<Item> {
    let (old, new) = (written.old.as_ref(), written.new.as_ref());
    let Action::Update { update, .. } = &plan.intent.action else { return plan.returning.and(old.cloned()) };
    match plan.returning? {
        Returning::AllOld => old.cloned(),
        Returning::AllNew => new.cloned(),
        Returning::ModifiedOld => old.map(|old| update.touched_old(old.map())),
        Returning::ModifiedNew => new.map(|new| update.touched_new(old.map(Item::map), new.map())),
    }
}
