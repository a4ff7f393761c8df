//! GetItem: reads one item by its key.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html>

use std::borrow::Cow;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Attributes, Reader, Writer};
use crate::messages::{read, value};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::capacity::{self, Wanted};
use crate::shapes::page::{Selection, consistency};
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("GetItem", Class::Read, |body| {
    let mut input = GetItem::default();
    Reader::body(body, |reader, member| {
        match member {
            "TableName" => input.table.0 = Some(reader.string()?),
            "Key" => input.key = Some(Attributes::read(reader)?),
            "ConsistentRead" => input.consistent = reader.boolean()?,
            "ReturnConsumedCapacity" => input.return_capacity = Some(reader.string()?),
            // Not a member of this operation, so ignored as any such is.
            "ExpressionAttributeValues" => {}
            other => input.selection.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct GetItem<'a> {
    table: TableName<'a>,
    key: Option<Attributes>,
    consistent: bool,
    return_capacity: Option<Cow<'a, str>>,
    selection: Selection<'a>,
}

impl Prepared for GetItem<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.table.check_alone()?;
        let mut constraints = Constraints::new(Style::Current);
        self.table.constrain(&mut constraints);
        constraints.required("Key", self.key.as_ref());
        self.selection.constrain(&mut constraints, "");
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.finish()?;
        self.table.check()?;
        self.selection.check()?;
        value::check(self.key.as_ref())?;
        self.selection.bind_alone()
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let table = self.table.table(context)?;
            let key = self.key.take().map_or_else(stator_model::Item::empty, |attributes| attributes.item);
            let answer = context.engine.get(&table, &key, consistency(self.consistent)).await;
            let (item, receipt) = answer.map_err(|error| read::refuse(error, false))?;
            context.consumed(self.table.given(), &receipt);
            let encoded_bytes = item.as_ref().map_or(0, |item| item.as_bytes().len());
            let body = Writer::answer_of(encoded_bytes, |writer| {
                if let Some(item) = item {
                    writer.name("Item");
                    self.selection.write(writer, &item);
                }
                Wanted::of(self.return_capacity.as_deref()).write_member(writer, self.table.given(), &receipt);
            });
            Ok(Answer { body })
        })
    }
}
