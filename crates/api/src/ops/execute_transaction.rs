//! ExecuteTransaction: up to 100 statements of PartiQL, all or nothing; all reads, or all writes and EXISTS.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExecuteTransaction.html>

use std::borrow::Cow;
use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::partiql::{Plan, ReadPlan};
use stator_engine::receipt::Receipt;
use stator_engine::transact::{Token, TransactError, Transacted};
use stator_engine::write::Intent;
use stator_expr::partiql::Statement;
use stator_model::Item;
use stator_model::limits::{TRANSACTION_ACTIONS_MAX, TRANSACTION_TOKEN_CHARACTERS_MAX};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::transaction::Reason;
use crate::messages::{statement, transaction};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Kind, Wanted};
use crate::shapes::statement::StatementInput;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("ExecuteTransaction", Class::Write, |body| {
    let mut input = ExecuteTransaction::default();
    Reader::body(body, |reader, member| {
        match member {
            "TransactStatements" => input.inputs = Some(reader.list(StatementInput::read)?),
            "ClientRequestToken" => input.token = Some(reader.string()?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct ExecuteTransaction<'a> {
    inputs: Option<Vec<StatementInput<'a>>>,
    token: Option<Cow<'a, str>>,
    return_capacity: Option<Cow<'a, str>>,
    /// Set by validation, one per input.
    statements: Vec<Statement>,
}

/// A write and its table.
type TableIntent = (Arc<Table>, Intent);

/// A read of one item.
struct Get {
    table: Arc<Table>,
    key: Item,
    plan: ReadPlan,
}

impl Get {
    fn of(table: Arc<Table>, mut plan: ReadPlan) -> Result<Get, Fault> {
        let key = plan.whole_key.take().ok_or_else(|| statement::several_items("ExecuteTransaction"))?;
        Ok(Get { table, key, plan })
    }

    /// What is answered of the item that was found.
    fn answered(&self, found: &Item) -> Option<Item> {
        if self.plan.filter.as_ref().is_some_and(|filter| !filter.matches(found.map())) {
            return None;
        }
        Some(self.plan.columns.as_ref().map_or_else(|| found.clone(), |columns| columns.pick(found.map())))
    }
}

impl ExecuteTransaction<'_> {
    /// Everything that the request asks for, in one form, so that a token stands for one request.
    fn fingerprint(&self) -> Vec<u8> {
        let mut out = format!("{:?}", self.return_capacity).into_bytes();
        self.inputs.iter().flatten().for_each(|input| input.put_fingerprint(&mut out));
        out
    }

    /// Reads and writes, of which one is empty.
    fn plan(&self, context: &Context) -> Result<(Vec<Get>, Vec<TableIntent>), Fault> {
        let (mut gets, mut intents) = (Vec::new(), Vec::new());
        for (input, statement) in self.inputs.iter().flatten().zip(&self.statements) {
            let planned = input.plan(statement, context)?;
            match planned.plan {
                Plan::Read(plan) => gets.push(Get::of(planned.table, plan)?),
                Plan::Write(plan) if plan.returning.is_some() => return Err(statement::returning_in_transaction()),
                Plan::Write(plan) => intents.push((planned.table, plan.intent)),
            }
        }
        Ok((gets, intents))
    }

    async fn read(&self, context: &Context, gets: &[Get]) -> Result<Vec<u8>, Fault> {
        let keys: Vec<_> = gets.iter().map(|get| (Arc::clone(&get.table), get.key.clone())).collect();
        let found = context.engine.transact_get(&keys).await.map_err(transaction::refuse_get)?;
        let answered = gets.iter().zip(&found).map(|(get, (item, _))| item.as_ref().and_then(|item| get.answered(item)));
        let receipts: Vec<&Receipt> = found.iter().map(|(_, receipt)| receipt).collect();
        Ok(self.answer(context, &answered.collect::<Vec<_>>(), &receipts, Kind::Reads))
    }

    async fn write(&self, context: &Context, intents: &[TableIntent]) -> Result<Vec<u8>, Fault> {
        let request = self.fingerprint();
        let token = self.token.as_deref().map(|text| Token { text, request: &request });
        let outcome = context.engine.transact_write(&context.scope, intents, token).await;
        // No response per write, not even an empty one (observed).
        Ok(match &outcome.map_err(|error| self.refuse(error, intents))? {
            Transacted::Written(written) => {
                let receipts: Vec<&Receipt> = written.iter().map(|one| &one.receipt).collect();
                self.answer(context, &[], &receipts, Kind::Writes)
            }
            Transacted::Repeated(receipts) => self.answer(context, &[], &receipts.iter().collect::<Vec<_>>(), Kind::Reads),
        })
    }

    fn refuse(&self, error: TransactError, intents: &[TableIntent]) -> Fault {
        let TransactError::Cancelled(errors) = error else { return transaction::refuse(error) };
        let members = self.inputs.iter().flatten().zip(intents).zip(errors);
        let reason = |((input, (_, intent)), error): ((&StatementInput<'_>, &TableIntent), Option<_>)| {
            error.map_or(Reason::NONE, |error| statement::reason(error, intent, input.shows_item()))
        };
        transaction::cancelled(&members.map(reason).collect::<Vec<_>>())
    }

    fn answer(&self, context: &Context, items: &[Option<Item>], receipts: &[&Receipt], kind: Kind) -> Vec<u8> {
        self.statements.iter().zip(receipts).for_each(|(statement, receipt)| context.consumed(statement.table(), receipt));
        Writer::answer(|writer| {
            writer.name("Responses").array(items, |writer, item| {
                writer.object(|writer| {
                    if let Some(item) = item {
                        writer.name("Item").attributes(item.map());
                    }
                });
            });
            let receipts = self.statements.iter().map(Statement::table).zip(receipts.iter().copied());
            Wanted::of(self.return_capacity.as_deref()).write_list(writer, receipts, kind);
        })
    }
}

impl Prepared for ExecuteTransaction<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.required("TransactStatements", self.inputs.as_ref());
        let inputs = self.inputs.get_or_insert_default();
        if constraints.is_clean() {
            constraints.count("TransactStatements", "[]", inputs.len(), 1, TRANSACTION_ACTIONS_MAX);
        }
        for (at, input) in inputs.iter().enumerate() {
            input.constrain(&mut constraints, &format!("TransactStatements.{}.member.", at + 1));
        }
        constraints.length("ClientRequestToken", self.token.as_deref(), 1, TRANSACTION_TOKEN_CHARACTERS_MAX);
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.finish()?;
        self.statements = inputs.iter().map(StatementInput::parse).collect::<Result<_, _>>()?;
        let reads = self.statements.iter().filter(|statement| statement.is_read()).count();
        if reads > 0 && reads < self.statements.len() { Err(statement::mixed("ExecuteTransaction")) } else { Ok(()) }
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let (gets, intents) = self.plan(context)?;
            let body = if gets.is_empty() { self.write(context, &intents).await? } else { self.read(context, &gets).await? };
            Ok(Answer { body })
        })
    }
}
