//! ExecuteStatement: one statement of PartiQL.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteStatement.html>

use std::borrow::Cow;

use stator_engine::partiql::{Cursor, Plan, StatementPage};
use stator_expr::partiql::Statement;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Wanted};
use crate::shapes::statement::{StatementInput, constrain_token, refuse_exists};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("ExecuteStatement", Class::Write, |body| {
    let mut input = ExecuteStatement::default();
    Reader::body(body, |reader, member| {
        match member {
            "NextToken" => input.token = Some(reader.string()?),
            "Limit" => input.limit = Some(reader.integer("Integer")?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            other => input.input.read_member(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct ExecuteStatement<'a> {
    input: StatementInput<'a>,
    token: Option<Cow<'a, str>>,
    limit: Option<i64>,
    return_capacity: Option<Cow<'a, str>>,
    /// Set by validation.
    statement: Option<Statement>,
    from: Cursor,
}

impl ExecuteStatement<'_> {
    fn write_page(&self, table: &str, page: &StatementPage) -> Vec<u8> {
        Writer::answer(|writer| {
            writer.name("Items").array(&page.items, |writer, item| writer.attributes(item.map()));
            if let Some(cursor) = &page.next {
                writer.name("NextToken").string(&self.input.token(cursor));
                if let Some(key) = &cursor.start {
                    writer.name("LastEvaluatedKey").attributes(key.map());
                }
            }
            Wanted::of(self.return_capacity.as_deref()).write_member(writer, table, &page.receipt);
        })
    }
}

impl Prepared for ExecuteStatement<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        self.input.constrain(&mut constraints, "");
        constrain_token(&mut constraints, self.token.as_deref());
        constraints.range("Limit", self.limit, 1, i64::MAX);
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.finish()?;
        let statement = self.input.parse()?;
        refuse_exists(&statement)?;
        self.statement = Some(statement);
        if let Some(token) = &self.token {
            self.from = self.input.cursor(token)?;
        }
        Ok(())
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let statement = self.statement.take().ok_or_else(Fault::internal)?;
            let planned = self.input.plan(&statement, context)?;
            let Plan::Write(plan) = &planned.plan else {
                let limit = self.limit.and_then(|limit| usize::try_from(limit).ok());
                let from = std::mem::take(&mut self.from);
                let page = self.input.select(context, &planned, limit, from).await?;
                return Ok(Answer { body: self.write_page(statement.table(), &page) });
            };
            let (written, returned) = self.input.write(context, &planned.table, plan).await?;
            let body = Writer::answer(|writer| {
                writer.name("Items").array(&returned, |writer, item| writer.attributes(item.map()));
                Wanted::of(self.return_capacity.as_deref()).write_member(writer, statement.table(), &written.receipt);
            });
            Ok(Answer { body })
        })
    }
}
