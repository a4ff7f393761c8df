//! DescribeTimeToLive: whether items of a table expire, and by which attribute.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTimeToLive.html>

use stator_engine::ttl::TtlStatus;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::table::not_found;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("DescribeTimeToLive", Class::Control, |body| {
    let mut input = DescribeTimeToLive::default();
    Reader::body(body, |reader, member| {
        if member == "TableName" {
            input.table.0 = Some(reader.string()?);
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct DescribeTimeToLive<'a> {
    table: TableName<'a>,
}

impl Prepared for DescribeTimeToLive<'_> {
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
            let (status, attribute) = match context.engine.ttl_status(&scope, &name).ok_or_else(|| not_found(&name))? {
                TtlStatus::Disabled => ("DISABLED", None),
                TtlStatus::Enabling(attribute) => ("ENABLING", Some(attribute)),
                TtlStatus::Enabled(attribute) => ("ENABLED", Some(attribute)),
            };
            let body = Writer::answer(|writer| {
                writer.name("TimeToLiveDescription").object(|writer| {
                    writer.name("TimeToLiveStatus").string(status);
                    if let Some(attribute) = &attribute {
                        writer.name("AttributeName").string(attribute);
                    }
                });
            });
            Ok(Answer { body })
        })
    }
}
