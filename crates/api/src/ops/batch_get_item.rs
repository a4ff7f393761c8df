//! BatchGetItem: reads up to 100 items of any tables.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>

use std::borrow::Cow;
use std::collections::HashSet;

use stator_engine::receipt::Receipt;
use stator_model::Item;
use stator_model::limits::{BATCH_GET_BYTES_MAX, BATCH_GET_KEYS_MAX};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Attributes, JsonFault, Reader, Writer};
use crate::messages::{item, read, value};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Wanted};
use crate::shapes::expressions::check_kinds;
use crate::shapes::page::{Selection, consistency};
use crate::shapes::table_name::{check_name, find};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("BatchGetItem", Class::Read, |body| {
    let mut input = BatchGetItem::default();
    Reader::body(body, |reader, member| {
        match member {
            "RequestItems" => input.requests = Some(reader.map(Keys::read)?),
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct BatchGetItem<'a> {
    requests: Option<Vec<(String, Keys<'a>)>>,
    return_capacity: Option<Cow<'a, str>>,
}

/// What is asked of one table.
#[expect(clippy::struct_field_names, reason = "`Keys` is the service's name for a list of keys")]
#[derive(Debug, Default)]
struct Keys<'a> {
    keys: Option<Vec<Attributes>>,
    consistent: Option<bool>,
    selection: Selection<'a>,
    /// Keys that are to come back as unprocessed.
    withheld: Vec<Item>,
}

/// What was read of one table.
struct Answered {
    items: Vec<Item>,
    unprocessed: Vec<Item>,
    receipt: Receipt,
}

impl<'a> Keys<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Keys<'a>, JsonFault> {
        let mut keys = Keys::default();
        reader.object(|reader, member| {
            match member {
                "Keys" => keys.keys = Some(reader.list(Attributes::read)?),
                "ConsistentRead" => keys.consistent = Some(reader.boolean()?),
                // Not a member here, so ignored as any such is.
                "ExpressionAttributeValues" => {}
                other => keys.selection.read(reader, other)?,
            }
            Ok(())
        })?;
        Ok(keys)
    }

    fn check(&mut self) -> Result<(), Fault> {
        self.selection.check_use()?;
        let mut seen = HashSet::new();
        for key in self.keys.iter().flatten() {
            value::check(Some(key))?;
            if !seen.insert(key.item.as_bytes()) {
                return Err(Fault::validation(item::DUPLICATE_KEYS));
            }
        }
        self.selection.bind_alone()
    }

    async fn answer(&mut self, context: &Context, table: &str, budget_bytes: &mut usize) -> Result<Answered, Fault> {
        let found = find(table, context)?;
        let keys: Vec<Item> = self.keys.take().into_iter().flatten().map(|key| key.item).collect();
        let consistency = consistency(self.consistent.unwrap_or(false));
        let mut answered = Answered { items: Vec::new(), unprocessed: std::mem::take(&mut self.withheld), receipt: Receipt::default() };
        for key in keys {
            if *budget_bytes == 0 {
                answered.unprocessed.push(key);
                continue;
            }
            let read = context.engine.get(&found, &key, consistency).await;
            let (item, receipt) = read.map_err(|error| read::refuse(error, false))?;
            answered.receipt.merge(receipt);
            if let Some(item) = item {
                *budget_bytes = budget_bytes.saturating_sub(item.size_bytes());
                answered.items.push(item);
            }
        }
        context.consumed(table, &answered.receipt);
        Ok(answered)
    }
}

impl Prepared for BatchGetItem<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("RequestItems", self.requests.as_ref());
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        let requests = self.requests.get_or_insert_default();
        if constraints.is_clean() {
            constraints.count("RequestItems", "{}", requests.len(), 1, BATCH_GET_KEYS_MAX);
        }
        for (table, keys) in requests.iter() {
            let path = |member: &str| format!("RequestItems.{table}.member.{member}");
            constraints.required(path("Keys"), keys.keys.as_ref());
            constraints.count(&path("Keys"), "[]", keys.keys.as_ref().map_or(1, Vec::len), 1, BATCH_GET_KEYS_MAX);
            keys.selection.constrain(&mut constraints, &path(""));
        }
        constraints.finish()?;
        requests.iter().try_for_each(|(table, _)| check_name(table))?;
        let asked: usize = requests.iter().filter_map(|(_, keys)| keys.keys.as_ref()).map(Vec::len).sum();
        if asked > BATCH_GET_KEYS_MAX {
            return Err(Fault::validation(read::BATCH_GET_TOO_MANY));
        }
        let legacy = requests.iter().any(|(_, keys)| keys.selection.legacy_given().1);
        let expression = requests.iter().any(|(_, keys)| keys.selection.expression_given().1);
        // Also across tables.
        check_kinds(&[("AttributesToGet", legacy)], &[("ProjectionExpression", expression)])?;
        requests.iter_mut().try_for_each(|(_, keys)| keys.check())
    }

    fn withhold(&mut self, choose: &mut dyn FnMut(&str, &Item) -> bool) {
        for (table, keys) in self.requests.iter_mut().flatten() {
            let (withheld, kept) = keys.keys.take().into_iter().flatten().partition(|key| choose(table, &key.item));
            keys.keys = Some(kept);
            keys.withheld = Vec::into_iter(withheld).map(|key| key.item).collect();
        }
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let mut requests = self.requests.take().unwrap_or_default();
            let mut budget_bytes = BATCH_GET_BYTES_MAX;
            let mut answers = Vec::with_capacity(requests.len());
            for (table, keys) in &mut requests {
                answers.push(keys.answer(context, table, &mut budget_bytes).await?);
            }
            Ok(Answer { body: self.write(&requests, &answers) })
        })
    }
}

impl BatchGetItem<'_> {
    fn write(&self, requests: &[(String, Keys<'_>)], answers: &[Answered]) -> Vec<u8> {
        let tables = || requests.iter().zip(answers);
        Writer::answer(|writer| {
            writer.name("Responses").object(|writer| {
                for ((table, keys), answered) in tables() {
                    writer.name(table).array(&answered.items, |writer, item| keys.selection.write(writer, item));
                }
            });
            writer.name("UnprocessedKeys").object(|writer| {
                for ((table, keys), answered) in tables().filter(|(_, answered)| !answered.unprocessed.is_empty()) {
                    writer.name(table).object(|writer| write_unprocessed(writer, keys, &answered.unprocessed));
                }
            });
            let wanted = Wanted::of(self.return_capacity.as_deref());
            if wanted != Wanted::None {
                writer
                    .name("ConsumedCapacity")
                    .array(tables(), |writer, ((table, _), answered)| wanted.write(writer, table, &answered.receipt));
            }
        })
    }
}

fn write_unprocessed(writer: &mut Writer, keys: &Keys<'_>, unprocessed: &[Item]) {
    writer.name("Keys").array(unprocessed, |writer, key| writer.attributes(key.map()));
    if let Some(consistent) = keys.consistent {
        writer.name("ConsistentRead").boolean(consistent);
    }
    keys.selection.write_members(writer);
}
