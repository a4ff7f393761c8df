//! TransactGetItems: reads up to 100 items of any tables as they were at one moment.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html>

use std::borrow::Cow;
use std::fmt::Formatter;

use stator_model::Item;
use stator_model::limits::TRANSACTION_ACTIONS_MAX;

use crate::constraint::{Constraints, Spelled, Style};
use crate::fault::Fault;
use crate::json::{Attributes, JsonFault, Reader, Writer};
use crate::messages::{transaction, value};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Kind, Wanted};
use crate::shapes::page::Selection;
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("TransactGetItems", Class::Read, |body| {
    let mut input = TransactGetItems::default();
    Reader::body(body, |reader, member| {
        match member {
            "TransactItems" => input.gets = Some(reader.list(read_get)?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct TransactGetItems<'a> {
    /// Each with its Get, if it has one.
    gets: Option<Vec<Option<Get<'a>>>>,
    return_capacity: Option<Cow<'a, str>>,
}

#[derive(Debug, Default)]
struct Get<'a> {
    table: TableName<'a>,
    key: Option<Attributes>,
    selection: Selection<'a>,
}

fn read_get<'a>(reader: &mut Reader<'a>) -> Result<Option<Get<'a>>, JsonFault> {
    let mut get = None;
    reader.object(|reader, member| {
        if member == "Get" {
            get = Some(Get::read(reader)?);
        }
        Ok(())
    })?;
    Ok(get)
}

impl<'a> Get<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Get<'a>, JsonFault> {
        let mut get = Get::default();
        reader.object(|reader, member| {
            match member {
                "TableName" => get.table.0 = Some(reader.string()?),
                "Key" => get.key = Some(Attributes::read(reader)?),
                "AttributesToGet" => {}
                other => get.selection.read(reader, other)?,
            }
            Ok(())
        })?;
        Ok(get)
    }

    /// Unlike those of GetItem, names without a projection are taken.
    fn check(&mut self) -> Result<(), Fault> {
        self.table.check()?;
        value::check(self.key.as_ref())?;
        self.selection.bind_alone()
    }
}

impl Prepared for TransactGetItems<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("TransactItems", self.gets.as_ref());
        let gets = self.gets.get_or_insert_default();
        if constraints.is_clean() {
            constraints.count("TransactItems", "[]", gets.len(), 1, TRANSACTION_ACTIONS_MAX);
        }
        for (at, get) in gets.iter().enumerate() {
            let path =
                |member: &'static str| Spelled(move |out: &mut Formatter<'_>| write!(out, "TransactItems.{}.member.{member}", at + 1));
            constraints.required(path("Get"), get.as_ref());
            let Some(get) = get else { continue };
            constraints.required(path("Get.Key"), get.key.as_ref());
            constraints.required(path("Get.TableName"), get.table.0.as_ref());
            constraints.length(path("Get.TableName"), get.table.0.as_deref(), 1, 1024);
        }
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.finish()?;
        gets.iter_mut().flatten().try_for_each(Get::check)
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let mut gets: Vec<Get<'_>> = self.gets.take().into_iter().flatten().flatten().collect();
            let mut keys = Vec::with_capacity(gets.len());
            for get in &mut gets {
                let key = get.key.take().map_or_else(Item::empty, |attributes| attributes.item);
                keys.push((get.table.table(context)?, key));
            }
            let found = context.engine.transact_get(&keys).await.map_err(transaction::refuse_get)?;
            gets.iter().zip(&found).for_each(|(get, (_, receipt))| context.consumed(get.table.given(), receipt));
            let body = Writer::answer(|writer| {
                let receipts = gets.iter().zip(&found).map(|(get, (_, receipt))| (get.table.given(), receipt));
                Wanted::of(self.return_capacity.as_deref()).write_tables(writer, receipts, Kind::Reads);
                writer.name("Responses").array(gets.iter().zip(&found), |writer, (get, (item, _))| {
                    writer.object(|writer| {
                        if let Some(item) = item {
                            writer.name("Item");
                            get.selection.write(writer, item);
                        }
                    });
                });
            });
            Ok(Answer { body })
        })
    }
}
