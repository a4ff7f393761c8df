//! Shards: a lane's history cut where time or volume said so.
//!
//! What must stay true: a shard's id is made of what is stored with it, and ids sort by age.

use bytes::Bytes;
use stator_kv::{Direction, RowRef, Stamp, StoreError, Visit};
use stator_model::stream::StreamId;
use stator_model::{Item, Value};

use crate::Engine;
use crate::catalog::Stream;
use crate::encoding::stored;
use crate::keyspace::stream_shard::{self, Lane};

/// What is stored of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened {
    /// When it was opened, in ms since the epoch; unique within the lane.
    pub(crate) at_ms: u64,
    /// When the shard before it was opened.
    pub(crate) parent_at_ms: Option<u64>,
    /// Bytes that had gone through the lane by then.
    pub(crate) volume_bytes: u64,
}

/// A shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its name.
    pub id: String,
    /// Name of the shard before it in the lane, even if that is trimmed.
    pub parent_id: Option<String>,
    /// The lane.
    pub lane: Lane,
    /// The first stamp that is its own.
    pub opened: Stamp,
    /// When it was opened, in ms since the epoch.
    pub opened_at_ms: u64,
    /// Bytes that had gone through the lane when it was opened.
    pub volume_bytes: u64,
    /// The first stamp that is not its own; `None` while it is open.
    pub closed: Option<Stamp>,
}

/// The stored form.
pub(crate) fn encode(opened: &Opened) -> Bytes {
    let number = |number: u64| Value::N(i64::try_from(number).unwrap_or(i64::MAX).into());
    let members =
        [("opened_at_ms", Some(opened.at_ms)), ("parent_at_ms", opened.parent_at_ms), ("volume_bytes", Some(opened.volume_bytes))];
    let item: Item = members.into_iter().filter_map(|(name, value)| Some((name, number(value?)))).collect();
    stored::wrap(item.as_bytes())
}

/// The shard of a stored form.
pub(crate) fn decode(row: &[u8]) -> Option<Opened> {
    let members = stored::validate(row).ok()?;
    let number = |name: &str| match members.get(name)?.view() {
        stator_model::ValueRef::N(number) => number.number().to_i64().and_then(|number| u64::try_from(number).ok()),
        _ => None,
    };
    Some(Opened { at_ms: number("opened_at_ms")?, parent_at_ms: number("parent_at_ms"), volume_bytes: number("volume_bytes")? })
}

fn id(stream: StreamId, lane: Lane, opened_at_ms: u64) -> String {
    format!("shardId-{opened_at_ms:020}-{:04x}{lane:04x}", stream.0 & 0xFFFF)
}

impl Engine {
    /// All shards of a stream, by id.
    pub async fn shards(&self, stream: &Stream) -> Result<Vec<Shard>, StoreError> {
        let mut shards = Vec::new();
        for lane in 0..stream.lanes {
            shards.extend(self.shards_of_lane(stream, lane).await?);
        }
        shards.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(shards)
    }

    /// The newest shard of a lane, without a look at the others: a lane may have any number of them.
    pub(crate) async fn newest_shard(&self, stream: &Stream, lane: Lane) -> Result<Option<Shard>, StoreError> {
        let mut newest = None;
        self.store
            .scan(&stream_shard::of_lane(stream.id, lane, Direction::Backward), &mut |row| {
                newest = Some(shard(stream, lane, row));
                Visit::Stop
            })
            .await?;
        newest.map(|row| row.ok_or_else(|| unreadable(stream))).transpose()
    }

    /// The shards of a lane, oldest first.
    pub(crate) async fn shards_of_lane(&self, stream: &Stream, lane: Lane) -> Result<Vec<Shard>, StoreError> {
        let mut rows = Vec::new();
        self.store
            .scan(&stream_shard::of_lane(stream.id, lane, Direction::Forward), &mut |row| {
                rows.push(shard(stream, lane, row));
                Visit::Next
            })
            .await?;
        let mut shards: Vec<Shard> = Vec::with_capacity(rows.len());
        for row in rows {
            let next = row.ok_or_else(|| unreadable(stream))?;
            if let Some(before) = shards.last_mut() {
                before.closed = Some(next.opened);
            }
            shards.push(next);
        }
        if let Some(last) = shards.last_mut().filter(|_| stream.disabled_at_ms.is_some()) {
            last.closed = Some(self.end_of_records(stream.id, lane, last.opened).await?);
        }
        Ok(shards)
    }
}

/// A shard as its row tells of it: closed by none.
fn shard(stream: &Stream, lane: Lane, row: RowRef<'_>) -> Option<Shard> {
    let (stamp, opened) = Stamp::of_key(row.key).zip(decode(row.value))?;
    Some(Shard {
        id: id(stream.id, lane, opened.at_ms),
        parent_id: opened.parent_at_ms.map(|at_ms| id(stream.id, lane, at_ms)),
        lane,
        opened: stamp,
        opened_at_ms: opened.at_ms,
        volume_bytes: opened.volume_bytes,
        closed: None,
    })
}

fn unreadable(stream: &Stream) -> StoreError {
    StoreError::Corrupt(format!("a shard of stream {} cannot be read", stream.id.0))
}
