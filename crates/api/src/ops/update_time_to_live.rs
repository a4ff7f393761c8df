//! UpdateTimeToLive: turns the expiry of items on or off.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html>

use std::borrow::Cow;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{JsonFault, Reader, Writer};
use crate::messages::table::not_found;
use crate::messages::ttl;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::table_name::TableName;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("UpdateTimeToLive", Class::Control, |body| {
    let mut input = UpdateTimeToLive::default();
    Reader::body(body, |reader, member| {
        match member {
            "TableName" => input.table.0 = Some(reader.string()?),
            "TimeToLiveSpecification" => input.specification = Some(Specification::read(reader)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct UpdateTimeToLive<'a> {
    table: TableName<'a>,
    specification: Option<Specification<'a>>,
}

#[derive(Debug, Default)]
struct Specification<'a> {
    enabled: Option<bool>,
    attribute: Option<Cow<'a, str>>,
}

impl<'a> Specification<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Specification<'a>, JsonFault> {
        let mut specification = Specification::default();
        reader.object(|reader, member| {
            match member {
                "Enabled" => specification.enabled = Some(reader.boolean()?),
                "AttributeName" => specification.attribute = Some(reader.string()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(specification)
    }
}

impl Prepared for UpdateTimeToLive<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        self.table.constrain(&mut constraints);
        constraints.required("TimeToLiveSpecification", self.specification.as_ref());
        if let Some(specification) = &self.specification {
            constraints.required("TimeToLiveSpecification.Enabled", specification.enabled.as_ref());
            let attribute = specification.attribute.as_deref();
            constraints.required("TimeToLiveSpecification.AttributeName", attribute.as_ref());
            constraints.length("TimeToLiveSpecification.AttributeName", attribute, 1, 255);
        }
        constraints.finish()?;
        self.table.check()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let (scope, name) = self.table.resolve(&context.scope).ok_or_else(|| not_found(self.table.given()))?;
            let specification = self.specification.unwrap_or_default();
            let (enabled, attribute) = (specification.enabled.unwrap_or_default(), specification.attribute.unwrap_or_default());
            context.engine.update_ttl(&scope, &name, &attribute, enabled).await.map_err(|error| ttl::refuse(error, &name))?;
            let body = Writer::answer(|writer| {
                writer.name("TimeToLiveSpecification").object(|writer| {
                    writer.name("Enabled").boolean(enabled);
                    writer.name("AttributeName").string(&attribute);
                });
            });
            Ok(Answer { body })
        })
    }
}
