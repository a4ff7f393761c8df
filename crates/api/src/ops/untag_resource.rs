//! UntagResource: takes tags of a table away.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UntagResource.html>

use std::borrow::Cow;

use stator_model::limits::TAG_KEY_CHARACTERS_MAX;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::Reader;
use crate::messages::tag;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::tag::table_of;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("UntagResource", Class::Control, |body| {
    let mut input = UntagResource::default();
    Reader::body(body, |reader, member| {
        match member {
            "ResourceArn" => input.arn = Some(reader.string()?),
            "TagKeys" => input.keys = Some(reader.list(Reader::string)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct UntagResource<'a> {
    arn: Option<Cow<'a, str>>,
    keys: Option<Vec<Cow<'a, str>>>,
}

impl Prepared for UntagResource<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("ResourceArn", self.arn.as_ref());
        constraints.length("ResourceArn", self.arn.as_deref(), 1, 1283);
        constraints.required("TagKeys", self.keys.as_ref());
        for (at, key) in self.keys.iter().flatten().enumerate() {
            constraints.length(format!("TagKeys.{}.member", at + 1), Some(key), 1, TAG_KEY_CHARACTERS_MAX);
        }
        constraints.finish()?;
        if self.keys.as_ref().is_some_and(Vec::is_empty) { Err(tag::no_keys()) } else { Ok(()) }
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let arn = self.arn.as_deref().unwrap_or_default();
            let (scope, name) = table_of(arn, "UntagResource", context)?;
            let keys: Vec<String> = self.keys.iter().flatten().map(|key| key.clone().into_owned()).collect();
            context.engine.untag_table(&scope, &name, &keys).await.map_err(|error| tag::refuse(error, arn))?;
            Ok(Answer { body: Vec::new() })
        })
    }
}
