//! ListStreams: the streams of a region, or of one table, a page at a time.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_ListStreams.html>

use std::borrow::Cow;

use stator_model::arn::StreamArn;
use stator_model::limits::{LIST_STREAMS_MAX, NAME_BYTES_MAX, NAME_BYTES_MIN};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::stream;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::stream::constrain_arn;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::of_streams("ListStreams", Class::Control, |body| {
    let mut input = ListStreams::default();
    Reader::body(body, |reader, member| {
        match member {
            "TableName" => input.table = Some(reader.string()?),
            "Limit" => input.limit = Some(reader.integer("Integer")?),
            "ExclusiveStartStreamArn" => input.after = Some(reader.string()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct ListStreams<'a> {
    table: Option<Cow<'a, str>>,
    limit: Option<i64>,
    after: Option<Cow<'a, str>>,
}

impl Prepared for ListStreams<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.name_pattern("TableName", self.table.as_deref());
        constraints.length("TableName", self.table.as_deref(), NAME_BYTES_MIN, NAME_BYTES_MAX);
        constraints.range("Limit", self.limit, 1, i64::MAX);
        constrain_arn(&mut constraints, "ExclusiveStartStreamArn", self.after.as_deref());
        constraints.finish()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let after = self.after.as_deref().map(|arn| StreamArn::parse(arn).map_err(|_| stream::invalid_arn(arn))).transpose()?;
            let limit =
                self.limit.and_then(|limit| usize::try_from(limit).ok()).map_or(LIST_STREAMS_MAX, |limit| limit.min(LIST_STREAMS_MAX));
            let snapshot = context.engine.snapshot();
            let behind = snapshot.streams_after(&context.scope, after.map(|arn| (arn.table, arn.label)));
            let mut streams = behind.filter(|stream| self.table.as_deref().is_none_or(|table| table == stream.table));
            let page: Vec<_> = streams.by_ref().take(limit).collect();
            let has_more = streams.next().is_some();
            let body = Writer::answer(|writer| {
                writer.name("Streams").array(&page, |writer, stream| {
                    writer.object(|writer| {
                        writer.name("StreamArn").string(&stream.arn().to_string());
                        writer.name("TableName").string(&stream.table);
                        writer.name("StreamLabel").string(&stream.label);
                    });
                });
                if let Some(last) = page.last().filter(|_| has_more) {
                    writer.name("LastEvaluatedStreamArn").string(&last.arn().to_string());
                }
            });
            Ok(Answer { body })
        })
    }
}
