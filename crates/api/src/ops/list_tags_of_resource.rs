//! ListTagsOfResource: the tags of a table, a page at a time.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html>

use std::borrow::Cow;
use std::ops::Bound;

use stator_model::limits::TAGS_PER_PAGE;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::tag;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::tag::table_of;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("ListTagsOfResource", Class::Control, |body| {
    let mut input = ListTagsOfResource::default();
    Reader::body(body, |reader, member| {
        match member {
            "ResourceArn" => input.arn = Some(reader.string()?),
            "NextToken" => input.token = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct ListTagsOfResource<'a> {
    arn: Option<Cow<'a, str>>,
    token: Option<Cow<'a, str>>,
}

impl ListTagsOfResource<'_> {
    /// The key that a token says was the last one shown.
    fn after(&self) -> Result<Option<String>, Fault> {
        let decode = |token: &str| {
            let bytes = base64_simd::STANDARD.decode_to_vec(token).map_err(|_| tag::invalid_token())?;
            String::from_utf8(bytes).map_err(|_| tag::invalid_token())
        };
        self.token.as_deref().map(decode).transpose()
    }
}

impl Prepared for ListTagsOfResource<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constraints.required("ResourceArn", self.arn.as_ref());
        constraints.length("ResourceArn", self.arn.as_deref(), 1, 1283);
        constraints.finish()?;
        self.after().map(|_| ())
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let arn = self.arn.as_deref().unwrap_or_default();
            let (scope, name) = table_of(arn, "ListTagsOfResource", context)?;
            let table = context.engine.snapshot().table(&scope, &name).cloned().ok_or_else(|| tag::not_found(arn))?;
            let from = self.after()?.map_or(Bound::Unbounded, Bound::Excluded);
            let mut behind = table.tags.range::<String, _>((from, Bound::Unbounded));
            let page: Vec<_> = behind.by_ref().take(TAGS_PER_PAGE).collect();
            let has_more = behind.next().is_some();
            let body = Writer::answer(|writer| {
                writer.name("Tags").array(&page, |writer, (key, value)| {
                    writer.object(|writer| {
                        writer.name("Key").string(key);
                        writer.name("Value").string(value);
                    });
                });
                if let Some((last, _)) = page.last().filter(|_| has_more) {
                    writer.name("NextToken").string(&base64_simd::STANDARD.encode_to_string(last.as_bytes()));
                }
            });
            Ok(Answer { body })
        })
    }
}
