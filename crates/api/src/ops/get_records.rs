//! GetRecords: the next records of a shard, and the iterator that goes on behind them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html>

use std::borrow::Cow;

use stator_model::limits::{SHARD_ITERATOR_MS, STREAM_PAGE_RECORDS_MAX};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::stream;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::stream::{find, iterator_text, parse_iterator, write_record};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::of_streams("GetRecords", Class::Read, |body| {
    let mut input = GetRecords::default();
    Reader::body(body, |reader, member| {
        match member {
            "ShardIterator" => input.iterator = Some(reader.string()?),
            "Limit" => input.limit = Some(reader.integer("Integer")?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct GetRecords<'a> {
    iterator: Option<Cow<'a, str>>,
    limit: Option<i64>,
}

impl Prepared for GetRecords<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.required("ShardIterator", self.iterator.as_ref());
        constraints.length("ShardIterator", self.iterator.as_deref(), 1, 2048);
        constraints.range("Limit", self.limit, 1, i64::try_from(STREAM_PAGE_RECORDS_MAX).unwrap_or(i64::MAX));
        constraints.finish()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let text = self.iterator.as_deref().unwrap_or_default();
            let (arn, position) = parse_iterator(text).ok_or_else(stream::invalid_iterator)?;
            let found = find(arn, context)?;
            if found.id != position.stream {
                return Err(stream::invalid_iterator());
            }
            if context.engine.now_ms().saturating_sub(position.issued_at_ms) > SHARD_ITERATOR_MS {
                return Err(stream::expired_iterator());
            }
            let limit = self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(STREAM_PAGE_RECORDS_MAX);
            let page = context.engine.stream_records(&position, limit).await.map_err(|error| stream::refuse(error, arn))?;
            let body = Writer::answer(|writer| {
                writer.name("Records").array(&page.records, |writer, record| write_record(writer, &found, record));
                if let Some(next) = &page.next {
                    writer.name("NextShardIterator").string(&iterator_text(&found, next));
                }
            });
            Ok(Answer { body })
        })
    }
}
