//! DeleteTable: drops a table; its rows go in the background.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html>

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::table::{not_found, refuse_delete};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::table_description::{self, Answering};
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("DeleteTable", Class::Control, |body| {
    let mut input = DeleteTable::default();
    Reader::body(body, |reader, member| {
        if member == "TableName" {
            input.table.0 = Some(reader.string()?);
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct DeleteTable<'a> {
    table: TableName<'a>,
}

impl Prepared for DeleteTable<'_> {
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
            let deleted = context.engine.delete_table(&scope, &name).await;
            let description = deleted.map_err(|error| refuse_delete(error, &name))?;
            let body = Writer::answer(|writer| table_description::write(writer.name("TableDescription"), &description, Answering::Delete));
            Ok(Answer { body })
        })
    }
}
