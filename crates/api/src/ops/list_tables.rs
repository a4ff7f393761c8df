//! ListTables: names of tables, in their order, a page at a time.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTables.html>

use std::borrow::Cow;

use stator_model::limits::LIST_TABLES_MAX;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("ListTables", Class::Control, |body| {
    let mut input = ListTables::default();
    Reader::body(body, |reader, member| {
        match member {
            "ExclusiveStartTableName" => input.after = Some(reader.string()?),
            "Limit" => input.limit = Some(reader.integer("Integer")?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct ListTables<'a> {
    after: Option<Cow<'a, str>>,
    limit: Option<i64>,
}

impl Prepared for ListTables<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.name_pattern("ExclusiveStartTableName", self.after.as_deref());
        constraints.length("ExclusiveStartTableName", self.after.as_deref(), 3, 255);
        constraints.range("Limit", self.limit, 1, i64::try_from(LIST_TABLES_MAX).unwrap_or(i64::MAX));
        constraints.finish()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let limit = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIST_TABLES_MAX);
            let (names, has_more) = context.engine.list_tables(&context.scope, self.after.as_deref(), limit);
            let body = Writer::answer(|writer| {
                writer.name("TableNames").array(&names, |writer, name| writer.string(name));
                if let Some(last) = names.last().filter(|_| has_more) {
                    writer.name("LastEvaluatedTableName").string(last);
                }
            });
            Ok(Answer { body })
        })
    }
}
