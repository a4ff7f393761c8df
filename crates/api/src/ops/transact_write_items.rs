//! TransactWriteItems: up to 100 puts, updates, deletes and checks of different items, all or nothing.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>

use std::borrow::Cow;
use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::receipt::Receipt;
use stator_engine::transact::{Token, TransactError, Transacted};
use stator_engine::write::Intent;
use stator_model::limits::{TRANSACTION_ACTIONS_MAX, TRANSACTION_TOKEN_CHARACTERS_MAX};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::transaction;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Kind, Wanted};
use crate::shapes::table_name::find;
use crate::shapes::transaction::Member;
use crate::shapes::write::{Collection, collections, write_metrics};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("TransactWriteItems", Class::Write, |body| {
    let mut input = TransactWriteItems::default();
    Reader::body(body, |reader, member| {
        match member {
            "TransactItems" => input.members = Some(reader.list(Member::read)?),
            "ClientRequestToken" => input.token = Some(reader.string()?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            "ReturnItemCollectionMetrics" => input.return_metrics = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct TransactWriteItems<'a> {
    members: Option<Vec<Member<'a>>>,
    token: Option<Cow<'a, str>>,
    return_capacity: Option<Cow<'a, str>>,
    return_metrics: Option<Cow<'a, str>>,
    /// Set by validation, before it takes the members apart: what the token stands for.
    fingerprint: Vec<u8>,
}

impl TransactWriteItems<'_> {
    fn intents(&mut self, context: &Context) -> Result<Vec<(Arc<Table>, Intent)>, Fault> {
        let mut intents = Vec::new();
        for member in self.members.iter_mut().flatten() {
            let table = find(member.table(), context)?;
            intents.extend(member.take_intent().map(|intent| (table, intent)));
        }
        Ok(intents)
    }

    /// Everything that the request asks for, in one form, so that a token stands for one request.
    fn fingerprint(&self) -> Vec<u8> {
        let mut out = format!("{:?}{:?}", self.return_capacity, self.return_metrics).into_bytes();
        self.members.iter().flatten().for_each(|member| member.put_fingerprint(&mut out));
        out
    }

    fn refuse(&self, error: TransactError) -> Fault {
        let TransactError::Cancelled(reasons) = error else { return transaction::refuse(error) };
        let members = self.members.iter().flatten();
        transaction::cancelled(&members.zip(reasons).map(|(member, reason)| member.reason(reason)).collect::<Vec<_>>())
    }

    async fn answer(&self, context: &Context, intents: &[(Arc<Table>, Intent)], outcome: &Transacted) -> Result<Vec<u8>, Fault> {
        let (receipts, kind): (Vec<&Receipt>, Kind) = match outcome {
            Transacted::Written(written) => (written.iter().map(|one| &one.receipt).collect(), Kind::Writes),
            Transacted::Repeated(receipts) => (receipts.iter().collect(), Kind::Reads),
        };
        let tables = || self.members.iter().flatten().map(Member::table);
        tables().zip(&receipts).for_each(|(table, receipt)| context.consumed(table, receipt));
        let mut metrics: Vec<(&str, &Arc<Table>, Vec<Collection<'_>>)> = Vec::new();
        if self.return_metrics.as_deref() == Some("SIZE") {
            for (name, (table, _)) in tables().zip(intents).filter(|(_, (table, _))| table.has_local_index()) {
                if !metrics.iter().any(|(known, _, _)| *known == name) {
                    let own = intents.iter().filter(|(written, _)| written.id == table.id);
                    let keys = own.map(|(_, intent)| intent.action.key_source().map());
                    metrics.push((name, table, collections(context, table, keys).await?));
                }
            }
        }
        Ok(Writer::answer(|writer| {
            let wanted = Wanted::of(self.return_capacity.as_deref());
            wanted.write_tables(writer, tables().zip(receipts.iter().copied()), kind);
            if !metrics.is_empty() {
                writer.name("ItemCollectionMetrics").object(|writer| {
                    for (name, table, collections) in &metrics {
                        writer.name(name).array(collections, |writer, collection| write_metrics(writer, table, *collection));
                    }
                });
            }
        }))
    }
}

impl Prepared for TransactWriteItems<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("TransactItems", self.members.as_ref());
        let members = self.members.get_or_insert_default();
        if constraints.is_clean() {
            constraints.count("TransactItems", "[]", members.len(), 1, TRANSACTION_ACTIONS_MAX);
        }
        for (at, member) in members.iter().enumerate() {
            member.constrain(&mut constraints, at + 1);
        }
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.one_of("ReturnItemCollectionMetrics", self.return_metrics.as_deref(), &["SIZE", "NONE"]);
        constraints.length("ClientRequestToken", self.token.as_deref(), 1, TRANSACTION_TOKEN_CHARACTERS_MAX);
        constraints.finish()?;
        if self.token.is_some() {
            self.fingerprint = self.fingerprint();
        }
        let members = self.members.get_or_insert_default();
        members.iter_mut().try_for_each(Member::check)
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let request = std::mem::take(&mut self.fingerprint);
            let intents = self.intents(context)?;
            let token = self.token.as_deref().map(|text| Token { text, request: &request });
            let outcome = context.engine.transact_write(&context.scope, &intents, token).await.map_err(|error| self.refuse(error))?;
            let body = self.answer(context, &intents, &outcome).await?;
            Ok(Answer { body })
        })
    }
}
