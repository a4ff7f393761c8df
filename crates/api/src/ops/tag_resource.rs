//! TagResource: sets tags of a table.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TagResource.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::Reader;
use crate::messages::tag;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::tag::{TagInput, constrain, table_of, tags_of};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("TagResource", Class::Control, |body| {
    let mut input = TagResource::default();
    Reader::body(body, |reader, member| {
        match member {
            "ResourceArn" => input.arn = Some(reader.string()?),
            "Tags" => input.tags = Some(reader.list(TagInput::read)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct TagResource<'a> {
    arn: Option<Cow<'a, str>>,
    tags: Option<Vec<TagInput<'a>>>,
    by_key: BTreeMap<String, String>,
}

impl Prepared for TagResource<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("ResourceArn", self.arn.as_ref());
        constraints.length("ResourceArn", self.arn.as_deref(), 1, 1283);
        constraints.required("Tags", self.tags.as_ref());
        let tags = self.tags.as_deref().unwrap_or_default();
        constrain(&mut constraints, tags);
        constraints.finish()?;
        if tags.is_empty() {
            return Err(tag::none());
        }
        self.by_key = tags_of(tags)?;
        Ok(())
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let arn = self.arn.as_deref().unwrap_or_default();
            let (scope, name) = table_of(arn, "TagResource", context)?;
            context.engine.tag_table(&scope, &name, self.by_key).await.map_err(|error| tag::refuse(error, arn))?;
            Ok(Answer { body: Vec::new() })
        })
    }
}
