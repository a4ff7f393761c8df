//! Reading a shard: where to begin, and page after page.
//!
//! What must stay true: a page costs what it returns, however long the stream is; whether the shard is closed is looked up
//! before its records are read, so that no record can slip in between; positions below the trim horizon are refused.

#![deny(clippy::wildcard_enum_match_arm)]

use stator_kv::{Direction, Level, Stamp, StoreError, Visit};
use stator_model::limits::{STREAM_PAGE_BYTES_MAX, STREAM_PAGE_RECORDS_MAX};
use stator_model::stream::StreamId;

use super::record::{Record, created_at_ms};
use super::{Position, Shard};
use crate::Engine;
use crate::catalog::Stream;
use crate::encoding::stored;
use crate::keyspace::stream_shard::{self, Lane};
use crate::keyspace::{stream_horizon, stream_record};

/// How long a disabled stream's last shards count as open: writes decided just before may still be on their way.
const CLOSING_MS: u64 = 1000;

/// Where a reader wants to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// The oldest record.
    Horizon,
    /// Behind the newest.
    End,
    /// The record of this stamp.
    Stamp(Stamp),
    /// Behind the record of this stamp.
    After(Stamp),
    /// The first record of that time or later, in ms since the epoch.
    Time(u64),
}

/// Why a stream was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamError {
    /// The stream is gone.
    NotFound,
    /// The records are gone already.
    Trimmed,
    /// The stamp lies in another shard.
    NotInShard,
    /// The store failed.
    Store(StoreError),
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPage {
    /// In the order of their commits.
    pub records: Vec<Record>,
    /// Where to go on; `None` when a closed shard has been read to its end.
    pub next: Option<Position>,
}

impl From<StoreError> for StreamError {
    fn from(error: StoreError) -> StreamError {
        StreamError::Store(error)
    }
}

impl Engine {
    /// Where a reader of a shard begins.
    pub async fn stream_position(&self, stream: &Stream, shard: &Shard, start: StartAt) -> Result<Position, StreamError> {
        let oldest = self.horizon(stream.id, shard.lane).await?.max(shard.opened);
        let at = match start {
            StartAt::Horizon => oldest,
            StartAt::End => match shard.closed {
                Some(closed) => closed,
                None => self.end_of_records(stream.id, shard.lane, oldest).await?,
            },
            StartAt::Stamp(stamp) | StartAt::After(stamp) => {
                if stamp < shard.opened || shard.closed.is_some_and(|closed| stamp >= closed) {
                    return Err(StreamError::NotInShard);
                }
                let at = if start == StartAt::Stamp(stamp) { stamp } else { stamp.next() };
                if at < oldest {
                    return Err(StreamError::Trimmed);
                }
                at
            }
            StartAt::Time(at_ms) => self.first_since(stream.id, shard, oldest, at_ms).await?,
        };
        Ok(Position { stream: stream.id, lane: shard.lane, opened: shard.opened, at, issued_at_ms: self.now_ms() })
    }

    /// At most so many records from a position on, and at most 1 MB of them.
    pub async fn stream_records(&self, position: &Position, limit: usize) -> Result<RecordPage, StreamError> {
        let stream = self.snapshot.load().stream(position.stream).cloned().ok_or(StreamError::NotFound)?;
        let lane = position.lane;
        let now_ms = self.now_ms();
        let closed = self.closed_at(&stream, lane, position.opened).await?;
        let horizon = self.horizon(stream.id, lane).await?;
        if position.at < horizon {
            return Err(StreamError::Trimmed);
        }
        let range = stream_record::between(stream.id, lane, position.at, closed, Direction::Forward);
        let (mut records, mut bytes, mut is_damaged) = (Vec::new(), 0, false);
        let mut has_more = false;
        self.store
            .scan(&range, &mut |row| {
                let record = Stamp::of_key(row.key).and_then(|stamp| Record::decode(stamp, row.value.to_vec()));
                let Some(record) = record else {
                    is_damaged = true;
                    return Visit::Stop;
                };
                bytes += record.size_bytes();
                if records.len() == limit.min(STREAM_PAGE_RECORDS_MAX) || (!records.is_empty() && bytes > STREAM_PAGE_BYTES_MAX) {
                    has_more = true;
                    return Visit::Stop;
                }
                records.push(record);
                Visit::Next
            })
            .await?;
        if is_damaged {
            return Err(StoreError::Corrupt(format!("a record of stream {} cannot be read", stream.id.0)).into());
        }
        // The shard may have been closed between the two looks: what lies behind its end is its child's, and having met
        // that tells that nothing of its own is left.
        let behind = match closed {
            Some(_) => None,
            None => {
                self.closed_at(&stream, lane, position.opened).await?.filter(|end| records.last().is_some_and(|last| last.stamp > *end))
            }
        };
        if let Some(end) = behind {
            records.retain(|record: &Record| record.stamp < end);
            has_more = false;
        }
        let is_ending = stream.disabled_at_ms.is_some_and(|at_ms| now_ms >= at_ms + CLOSING_MS);
        let is_drained = !has_more && (closed.is_some() || behind.is_some() || is_ending);
        let at = records.last().map_or(position.at, |record: &Record| record.stamp.next());
        let next = (!is_drained).then_some(Position { at, issued_at_ms: self.now_ms(), ..*position });
        Ok(RecordPage { records, next })
    }

    /// Below this stamp a lane has no records any more.
    pub(super) async fn horizon(&self, stream: StreamId, lane: Lane) -> Result<Stamp, StoreError> {
        let found = self.store.read(&[stream_horizon::key(stream, lane)], Level::Strong).await?.remove(0);
        Ok(found.and_then(|row| stream_horizon::decode(&row.value)).unwrap_or_default())
    }

    /// The stamp behind the newest record of a lane, at least the given one.
    pub(super) async fn end_of_records(&self, stream: StreamId, lane: Lane, at_least: Stamp) -> Result<Stamp, StoreError> {
        let mut last = None;
        let range = stream_record::between(stream, lane, at_least, None, Direction::Backward);
        self.store
            .scan(&range, &mut |row| {
                last = Stamp::of_key(row.key);
                Visit::Stop
            })
            .await?;
        Ok(last.map_or(at_least, Stamp::next))
    }

    /// The stamp that opened the next shard of a lane.
    async fn closed_at(&self, stream: &Stream, lane: Lane, opened: Stamp) -> Result<Option<Stamp>, StoreError> {
        let mut closed = None;
        self.store
            .scan(&stream_shard::of_lane(stream.id, lane, Direction::Forward), &mut |row| {
                closed = Stamp::of_key(row.key).filter(|stamp| *stamp > opened);
                if closed.is_some() { Visit::Stop } else { Visit::Next }
            })
            .await?;
        Ok(closed)
    }

    /// The first record of a time or later, found by halving: stamps and times ascend together.
    async fn first_since(&self, stream: StreamId, shard: &Shard, oldest: Stamp, at_ms: u64) -> Result<Stamp, StoreError> {
        let end = match shard.closed {
            Some(closed) => closed,
            None => self.end_of_records(stream, shard.lane, oldest).await?,
        };
        let (mut low, mut high) = (oldest.version, end.version + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let from = Stamp { version: middle, place: 0 }.max(oldest);
            match self.time_of_first(stream, shard.lane, from, end).await? {
                Some(created_at_ms) if created_at_ms < at_ms => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(Stamp { version: low, place: 0 }.clamp(oldest, end))
    }

    async fn time_of_first(&self, stream: StreamId, lane: Lane, from: Stamp, to: Stamp) -> Result<Option<u64>, StoreError> {
        let mut time = None;
        let range = stream_record::between(stream, lane, from, Some(to), Direction::Forward);
        self.store
            .scan(&range, &mut |row| {
                time = stored::validate(row.value).ok().and_then(created_at_ms);
                Visit::Stop
            })
            .await?;
        Ok(time)
    }
}
