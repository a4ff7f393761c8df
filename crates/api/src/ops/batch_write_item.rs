//! BatchWriteItem: up to 25 puts and deletes that have nothing to do with each other.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Formatter;
use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_engine::receipt::Receipt;
use stator_engine::write::{Action, Checked, Intent, WriteError};
use stator_model::Item;
use stator_model::limits::BATCH_WRITE_REQUESTS_MAX;

use crate::constraint::{Constraints, Spelled, Style};
use crate::fault::Fault;
use crate::json::{Attributes, JsonFault, Reader, Writer};
use crate::messages::{item, read, value};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Wanted};
use crate::shapes::table_name::{check_name, find};
use crate::shapes::write::{collections, write_metrics};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("BatchWriteItem", Class::Write, |body| {
    let mut input = BatchWriteItem::default();
    Reader::body(body, |reader, member| {
        match member {
            "RequestItems" => input.requests = Some(reader.map(|reader| reader.list(WriteRequest::read))?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            "ReturnItemCollectionMetrics" => input.return_metrics = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct BatchWriteItem<'a> {
    requests: Option<Vec<(String, Vec<WriteRequest>)>>,
    return_capacity: Option<Cow<'a, str>>,
    return_metrics: Option<Cow<'a, str>>,
}

#[derive(Debug, Default)]
struct WriteRequest {
    put: Option<Option<Attributes>>,
    delete: Option<Option<Attributes>>,
    /// It is to come back as unprocessed.
    is_withheld: bool,
}

impl WriteRequest {
    fn read(reader: &mut Reader<'_>) -> Result<WriteRequest, JsonFault> {
        let mut request = WriteRequest::default();
        reader.object(|reader, member| {
            match member {
                "PutRequest" => request.put = Some(read_member(reader, "Item")?),
                "DeleteRequest" => request.delete = Some(read_member(reader, "Key")?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(request)
    }

    fn attributes(&self) -> Option<&Attributes> {
        self.put.as_ref().or(self.delete.as_ref()).and_then(Option::as_ref)
    }

    fn into_intent(self) -> Intent {
        let item = |attributes: Option<Attributes>| attributes.map_or_else(Item::empty, |attributes| attributes.item);
        let action = match (self.put, self.delete) {
            (Some(put), _) => Action::Put(item(put)),
            (None, delete) => Action::Delete { key: item(delete.flatten()) },
        };
        Intent { action, condition: None }
    }
}

fn read_member(reader: &mut Reader<'_>, wanted: &str) -> Result<Option<Attributes>, JsonFault> {
    let mut attributes = None;
    reader.object(|reader, member| {
        if member == wanted {
            attributes = Some(Attributes::read(reader)?);
        }
        Ok(())
    })?;
    Ok(attributes)
}

impl BatchWriteItem<'_> {
    /// Everything that can be refused is refused before anything is written. Those that are withheld come last; the second
    /// is how many come before them.
    fn plan(&mut self, context: &Context) -> Result<(Vec<Checked>, usize), Fault> {
        let (mut intents, mut withheld) = (Vec::with_capacity(BATCH_WRITE_REQUESTS_MAX), Vec::new());
        for (name, requests) in self.requests.iter_mut().flatten() {
            let table = find(name, context)?;
            for request in std::mem::take(requests) {
                let its_place = if request.is_withheld { &mut withheld } else { &mut intents };
                let intent = request.into_intent();
                let written = written_of(&intent);
                its_place.push(Checked::new(&table, intent).map_err(|error| item::refuse(error, written))?);
            }
        }
        let kept = intents.len();
        intents.append(&mut withheld);
        let keys: HashSet<_> = intents.iter().map(Checked::key).collect();
        if keys.len() < intents.len() { Err(Fault::validation(item::DUPLICATE_KEYS)) } else { Ok((intents, kept)) }
    }

    async fn write(
        &self,
        context: &Context,
        names: &[String],
        intents: &[Checked],
        receipts: &[Option<Receipt>],
    ) -> Result<Vec<u8>, Fault> {
        let wanted = Wanted::of(self.return_capacity.as_deref());
        let tables: Vec<(&str, Arc<Table>, Receipt)> = tables_of(names, context)
            .into_iter()
            .map(|(name, table)| {
                let receipt = receipt_of(&table, intents, receipts);
                (name, table, receipt)
            })
            .collect();
        tables.iter().for_each(|(name, _, receipt)| context.consumed(name, receipt));
        let mut metrics = Vec::new();
        if self.return_metrics.as_deref() == Some("SIZE") {
            for (name, table, _) in tables.iter().filter(|(_, table, _)| table.has_local_index()) {
                // Those that come back as unprocessed have changed nothing.
                let written = intents.iter().zip(receipts).filter(|(written, receipt)| written.table().id == table.id && receipt.is_some());
                let keys = written.map(|(written, _)| written.intent().action.key_source().map());
                metrics.push((*name, table, collections(context, table, keys).await?));
            }
            metrics.retain(|(_, _, collections)| !collections.is_empty());
        }
        Ok(Writer::answer(|writer| {
            writer.name("UnprocessedItems").object(|writer| write_unprocessed(writer, &tables, intents, receipts));
            if !metrics.is_empty() {
                writer.name("ItemCollectionMetrics").object(|writer| {
                    for (name, table, collections) in &metrics {
                        writer.name(name).array(collections, |writer, collection| write_metrics(writer, table, *collection));
                    }
                });
            }
            if wanted != Wanted::None {
                writer.name("ConsumedCapacity").array(&tables, |writer, (name, _, receipt)| wanted.write(writer, name, receipt));
            }
        }))
    }
}

fn tables_of<'n>(names: &'n [String], context: &Context) -> Vec<(&'n str, Arc<Table>)> {
    names.iter().filter_map(|name| find(name, context).ok().map(|table| (name.as_str(), table))).collect()
}

/// What the writes to a table have consumed together.
fn receipt_of(table: &Table, intents: &[Checked], receipts: &[Option<Receipt>]) -> Receipt {
    let mut sum = Receipt::default();
    let own = intents.iter().zip(receipts).filter(|(written, _)| written.table().id == table.id);
    own.for_each(|(_, receipt)| sum.merge(receipt.clone().unwrap_or_default()));
    sum
}

/// The requests without a receipt, as they were given.
fn write_unprocessed(writer: &mut Writer, tables: &[(&str, Arc<Table>, Receipt)], intents: &[Checked], receipts: &[Option<Receipt>]) {
    for (name, table, _) in tables {
        let is_own = |(written, receipt): &(&Checked, &Option<Receipt>)| written.table().id == table.id && receipt.is_none();
        let own: Vec<_> = intents.iter().zip(receipts).filter(is_own).map(|(written, _)| written.intent()).collect();
        if own.is_empty() {
            continue;
        }
        writer.name(name).array(own, |writer, intent| {
            writer.object(|writer| {
                let (request, member) =
                    if matches!(intent.action, Action::Put(_)) { ("PutRequest", "Item") } else { ("DeleteRequest", "Key") };
                writer.name(request).object(|writer| writer.name(member).attributes(intent.action.key_source().map()));
            });
        });
    }
}

fn written_of(intent: &Intent) -> item::Written {
    match intent.action {
        Action::Put(_) => item::Written::BatchPut,
        Action::Update { .. } => item::Written::Update,
        Action::Delete { .. } | Action::Expire { .. } | Action::Check { .. } => item::Written::Delete,
    }
}

impl Prepared for BatchWriteItem<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("RequestItems", self.requests.as_ref());
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.one_of("ReturnItemCollectionMetrics", self.return_metrics.as_deref(), &["SIZE", "NONE"]);
        let requests = self.requests.get_or_insert_default();
        if constraints.is_clean() {
            constraints.count("RequestItems", "{}", requests.len(), 1, BATCH_WRITE_REQUESTS_MAX);
        }
        constraints.map_counts("RequestItems", requests.iter().map(|(_, requests)| requests.len()), 1, BATCH_WRITE_REQUESTS_MAX);
        for (table, at, request) in
            requests.iter().flat_map(|(table, requests)| (1..).zip(requests).map(move |(at, request)| (table, at, request)))
        {
            let path = |member: &'static str| {
                Spelled(move |out: &mut Formatter<'_>| write!(out, "RequestItems.{table}.member.{at}.member.{member}"))
            };
            if let Some(item) = &request.put {
                constraints.required(path("PutRequest.Item"), item.as_ref());
            }
            if let Some(key) = &request.delete {
                constraints.required(path("DeleteRequest.Key"), key.as_ref());
            }
        }
        constraints.finish()?;
        requests.iter().try_for_each(|(table, _)| check_name(table))?;
        if requests.iter().map(|(_, requests)| requests.len()).sum::<usize>() > BATCH_WRITE_REQUESTS_MAX {
            return Err(Fault::validation(read::BATCH_WRITE_TOO_MANY));
        }
        for request in requests.iter().flat_map(|(_, requests)| requests) {
            if request.put.is_some() == request.delete.is_some() {
                return Err(item::one_request(request.put.is_some()));
            }
            value::check(request.attributes())?;
            item::check_size(request.put.as_ref().and_then(Option::as_ref))?;
        }
        Ok(())
    }

    fn withhold(&mut self, choose: &mut dyn FnMut(&str, &Item) -> bool) {
        for (table, requests) in self.requests.iter_mut().flatten() {
            for request in requests {
                request.is_withheld = request.attributes().is_some_and(|attributes| choose(table, &attributes.item));
            }
        }
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let names: Vec<String> = self.requests.iter().flatten().map(|(name, _)| name.clone()).collect();
            let (intents, kept) = self.plan(context)?;
            let mut receipts = Vec::with_capacity(intents.len());
            for (outcome, written) in context.engine.write_many(&intents[..kept]).await.into_iter().zip(&intents) {
                receipts.push(match outcome {
                    Ok(done) => Some(done.receipt),
                    // A transaction has the item: the caller is to send this one again.
                    Err(WriteError::Held) => None,
                    Err(error) => return Err(item::refuse(error, written_of(written.intent()))),
                });
            }
            receipts.resize(intents.len(), None);
            let body = self.write(context, &names, &intents, &receipts).await?;
            Ok(Answer { body })
        })
    }
}
