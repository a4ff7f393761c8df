//! GetShardIterator: a place in a shard to read from, for a quarter of an hour.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html>

use std::borrow::Cow;

use stator_engine::stream::{StartAt, StreamError, stamp_of};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::{item, stream};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::stream::{constrain_arn, find, iterator_text};

/// In the order of the service model.
const KINDS: [&str; 5] = ["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"];

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::of_streams("GetShardIterator", Class::Control, |body| {
    let mut input = GetShardIterator::default();
    Reader::body(body, |reader, member| {
        match member {
            "StreamArn" => input.arn = Some(reader.string()?),
            "ShardId" => input.shard = Some(reader.string()?),
            "ShardIteratorType" => input.kind = Some(reader.string()?),
            "SequenceNumber" => input.number = Some(reader.string()?),
            "Timestamp" => input.time_ms = Some(reader.moment_ms()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct GetShardIterator<'a> {
    arn: Option<Cow<'a, str>>,
    shard: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    number: Option<Cow<'a, str>>,
    time_ms: Option<u64>,
}

impl GetShardIterator<'_> {
    fn start(&self) -> Result<StartAt, Fault> {
        let kind = self.kind.as_deref().unwrap_or_default();
        let stamp = || {
            let number = self.number.as_deref().ok_or_else(|| stream::sequence_number_missing(kind))?;
            stamp_of(number).ok_or_else(|| stream::invalid_sequence_number(number, self.shard.as_deref().unwrap_or_default()))
        };
        let without_number = |start| if self.number.is_some() { Err(stream::sequence_number_not_taken(kind)) } else { Ok(start) };
        match kind {
            "TRIM_HORIZON" => without_number(StartAt::Horizon),
            "LATEST" => without_number(StartAt::End),
            "AT_SEQUENCE_NUMBER" => stamp().map(StartAt::Stamp),
            "AFTER_SEQUENCE_NUMBER" => stamp().map(StartAt::After),
            _ => self.time_ms.map(StartAt::Time).ok_or_else(stream::timestamp_missing).and_then(without_number),
        }
    }
}

impl Prepared for GetShardIterator<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.required("StreamArn", self.arn.as_ref());
        constrain_arn(&mut constraints, "StreamArn", self.arn.as_deref());
        constraints.required("ShardId", self.shard.as_ref());
        constraints.length("ShardId", self.shard.as_deref(), 28, 65);
        constraints.required("ShardIteratorType", self.kind.as_ref());
        constraints.one_of("ShardIteratorType", self.kind.as_deref(), &KINDS);
        constraints.length("SequenceNumber", self.number.as_deref(), 21, 40);
        constraints.finish()?;
        self.start().map(|_| ())
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let (arn, shard_id) = (self.arn.as_deref().unwrap_or_default(), self.shard.as_deref().unwrap_or_default());
            let found = find(arn, context)?;
            let start = self.start()?;
            if matches!(start, StartAt::Time(time_ms) if time_ms > context.engine.now_ms()) {
                return Err(stream::timestamp_in_future());
            }
            let shards = context.engine.shards(&found).await.map_err(|error| item::store(&error))?;
            let shard = shards.iter().find(|shard| shard.id == shard_id).ok_or_else(|| stream::shard_not_found(shard_id, arn))?;
            let position = context.engine.stream_position(&found, shard, start).await;
            let position = position.map_err(|error| match error {
                StreamError::NotInShard => stream::invalid_sequence_number(self.number.as_deref().unwrap_or_default(), shard_id),
                other @ (StreamError::NotFound | StreamError::Trimmed | StreamError::Store(_)) => stream::refuse(other, arn),
            })?;
            let body = Writer::answer(|writer| writer.name("ShardIterator").string(&iterator_text(&found, &position)));
            Ok(Answer { body })
        })
    }
}
