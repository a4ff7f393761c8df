//! BatchExecuteStatement: up to 25 statements of PartiQL, each for itself, all reads or all writes.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchExecuteStatement.html>

use std::borrow::Cow;

use stator_engine::partiql::{Cursor, Plan};
use stator_engine::receipt::Receipt;
use stator_expr::partiql::Statement;
use stator_model::Item;
use stator_model::limits::BATCH_STATEMENTS_MAX;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::statement;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Wanted};
use crate::shapes::statement::{StatementInput, refuse_exists};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("BatchExecuteStatement", Class::Write, |body| {
    let mut input = BatchExecuteStatement::default();
    Reader::body(body, |reader, member| {
        match member {
            "Statements" => input.inputs = Some(reader.list(StatementInput::read)?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct BatchExecuteStatement<'a> {
    inputs: Option<Vec<StatementInput<'a>>>,
    return_capacity: Option<Cow<'a, str>>,
    /// Set by validation, one per input: a statement that is none fails alone.
    statements: Vec<Result<Statement, Fault>>,
}

/// What became of one statement.
type Executed = Result<(Option<Item>, Receipt), Fault>;

/// Carries out one statement.
async fn execute(input: &StatementInput<'_>, statement: &Result<Statement, Fault>, context: &Context) -> Executed {
    let planned = input.plan(statement.as_ref().map_err(Fault::clone)?, context)?;
    match &planned.plan {
        Plan::Read(plan) if plan.whole_key.is_none() => Err(statement::several_items("BatchExecuteStatement")),
        Plan::Read(_) => {
            let page = input.select(context, &planned, None, Cursor::default()).await?;
            Ok((page.items.into_iter().next(), page.receipt))
        }
        Plan::Write(plan) => {
            let (written, returned) = input.write(context, &planned.table, plan).await?;
            Ok((returned, written.receipt))
        }
    }
}

fn write_response(writer: &mut Writer, table: Option<&str>, executed: &Executed) {
    writer.object(|writer| {
        if let Some(table) = table {
            writer.name("TableName").string(table);
        }
        match executed {
            Ok((None, _)) => {}
            Ok((Some(item), _)) => writer.name("Item").attributes(item.map()),
            Err(fault) => writer.name("Error").object(|writer| {
                writer.name("Code").string(statement::batch_code(fault));
                if let Some(message) = &fault.message {
                    writer.name("Message").string(message);
                }
                fault.members.iter().for_each(|member| writer.member(member));
            }),
        }
    });
}

impl Prepared for BatchExecuteStatement<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.required("Statements", self.inputs.as_ref());
        let inputs = self.inputs.get_or_insert_default();
        if constraints.is_clean() {
            constraints.count("Statements", "[]", inputs.len(), 1, BATCH_STATEMENTS_MAX);
        }
        for (at, input) in inputs.iter().enumerate() {
            input.constrain(&mut constraints, &format!("Statements.{}.member.", at + 1));
        }
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.finish()?;
        self.statements =
            inputs.iter().map(|input| input.parse().and_then(|statement| refuse_exists(&statement).map(|()| statement))).collect();
        let mut kinds = self.statements.iter().flatten().map(Statement::is_read);
        let first = kinds.next();
        if kinds.any(|kind| Some(kind) != first) { Err(statement::mixed("BatchExecuteStatement")) } else { Ok(()) }
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let inputs = self.inputs.as_deref().unwrap_or_default();
            let mut executed = Vec::with_capacity(inputs.len());
            for (input, statement) in inputs.iter().zip(&self.statements) {
                executed.push(execute(input, statement, context).await);
            }
            let tables = || self.statements.iter().map(|statement| statement.as_ref().ok().map(Statement::table));
            let body = Writer::answer(|writer| {
                let responses = tables().zip(&executed);
                writer.name("Responses").array(responses, |writer, (table, executed)| write_response(writer, table, executed));
                let receipts = tables().zip(&executed).filter_map(|(table, executed)| Some((table?, &executed.as_ref().ok()?.1)));
                Wanted::of(self.return_capacity.as_deref()).write_list(writer, receipts, capacity::Kind::Plain);
            });
            Ok(Answer { body })
        })
    }
}
