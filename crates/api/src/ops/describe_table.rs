//! DescribeTable: what a table is like now.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html>

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::item;
use crate::messages::table::not_found;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::table_description::{self, Answering};
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("DescribeTable", Class::Control, |body| {
    let mut input = DescribeTable::default();
    Reader::body(body, |reader, member| {
        if member == "TableName" {
            input.table.0 = Some(reader.string()?);
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct DescribeTable<'a> {
    table: TableName<'a>,
}

impl Prepared for DescribeTable<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        self.table.constrain(&mut constraints);
        constraints.finish()?;
        self.table.check()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let (scope, name) = self.table.resolve(&context.scope).ok_or_else(|| not_found(self.table.given()))?;
            let description = context.engine.describe_table(&scope, &name).await.map_err(|error| item::store(&error))?;
            let description = description.ok_or_else(|| not_found(&name))?;
            let body = Writer::answer(|writer| table_description::write(writer.name("Table"), &description, Answering::Describe));
            Ok(Answer { body })
        })
    }
}
