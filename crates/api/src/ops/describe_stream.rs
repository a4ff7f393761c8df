//! DescribeStream: a stream and its shards, a page at a time.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_DescribeStream.html>

use std::borrow::Cow;

use stator_engine::catalog::Stream;
use stator_engine::stream::{Shard, sequence_number};
use stator_model::limits::LIST_STREAMS_MAX;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{JsonFault, Reader, Writer};
use crate::messages::item;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::stream::{constrain_arn, find};
use crate::shapes::table_description::write_key;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::of_streams("DescribeStream", Class::Control, |body| {
    let mut input = DescribeStream::default();
    Reader::body(body, |reader, member| {
        match member {
            "StreamArn" => input.arn = Some(reader.string()?),
            "Limit" => input.limit = Some(reader.integer("Integer")?),
            "ExclusiveStartShardId" => input.after = Some(reader.string()?),
            "ShardFilter" => input.filter = Some(ShardFilter::read(reader)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct DescribeStream<'a> {
    arn: Option<Cow<'a, str>>,
    limit: Option<i64>,
    after: Option<Cow<'a, str>>,
    filter: Option<ShardFilter<'a>>,
}

#[derive(Debug, Default)]
struct ShardFilter<'a> {
    kind: Option<Cow<'a, str>>,
    shard: Option<Cow<'a, str>>,
}

impl<'a> ShardFilter<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<ShardFilter<'a>, JsonFault> {
        let mut filter = ShardFilter::default();
        reader.object(|reader, member| {
            match member {
                "Type" => filter.kind = Some(reader.string()?),
                "ShardId" => filter.shard = Some(reader.string()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(filter)
    }
}

impl Prepared for DescribeStream<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.required("StreamArn", self.arn.as_ref());
        constrain_arn(&mut constraints, "StreamArn", self.arn.as_deref());
        constraints.range("Limit", self.limit, 1, i64::MAX);
        constraints.length("ExclusiveStartShardId", self.after.as_deref(), 28, 65);
        if let Some(filter) = &self.filter {
            constraints.one_of("ShardFilter.Type", filter.kind.as_deref(), &["CHILD_SHARDS"]);
            constraints.length("ShardFilter.ShardId", filter.shard.as_deref(), 28, 65);
        }
        constraints.finish()?;
        match &self.filter {
            // assumed
            Some(filter) if filter.kind.is_none() || filter.shard.is_none() => {
                Err(Fault::validation("ShardFilter needs both Type and ShardId"))
            }
            _ => Ok(()),
        }
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let stream = find(self.arn.as_deref().unwrap_or_default(), context)?;
            let mut shards = context.engine.shards(&stream).await.map_err(|error| item::store(&error))?;
            if let Some(filter) = &self.filter {
                shards.retain(|shard| shard.parent_id.as_deref() == filter.shard.as_deref());
            }
            shards.retain(|shard| self.after.as_deref().is_none_or(|after| shard.id.as_str() > after));
            let limit =
                self.limit.and_then(|limit| usize::try_from(limit).ok()).map_or(LIST_STREAMS_MAX, |limit| limit.min(LIST_STREAMS_MAX));
            let has_more = shards.len() > limit;
            shards.truncate(limit);
            let body = Writer::answer(|writer| {
                writer.name("StreamDescription").object(|writer| write(writer, &stream, &shards, has_more));
            });
            Ok(Answer { body })
        })
    }
}

fn write(writer: &mut Writer, stream: &Stream, shards: &[Shard], has_more: bool) {
    writer.name("StreamArn").string(&stream.arn().to_string());
    writer.name("StreamLabel").string(&stream.label);
    writer.name("StreamStatus").string(if stream.disabled_at_ms.is_some() { "DISABLED" } else { "ENABLED" });
    writer.name("StreamViewType").string(stream.view.name());
    writer.name("CreationRequestDateTime").date(stream.created_at_ms);
    writer.name("TableName").string(&stream.table);
    write_key(writer, &stream.key);
    writer.name("Shards").array(shards, |writer, shard| {
        writer.object(|writer| {
            writer.name("ShardId").string(&shard.id);
            writer.name("SequenceNumberRange").object(|writer| {
                writer.name("StartingSequenceNumber").string(&sequence_number(shard.opened).to_string());
                if let Some(closed) = shard.closed {
                    writer.name("EndingSequenceNumber").string(&(sequence_number(closed) - 1).to_string());
                }
            });
            if let Some(parent) = &shard.parent_id {
                writer.name("ParentShardId").string(parent);
            }
        });
    });
    if let Some(last) = shards.last().filter(|_| has_more) {
        writer.name("LastEvaluatedShardId").string(&last.id);
    }
}
