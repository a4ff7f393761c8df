//! What streams need over time: new shards, and the old records gone.
//!
//! What must stay true: each step may be repeated or left out without harm. Records go in whole runs from the old end; the
//! horizon is stored before they go. One call does a bounded piece and says whether more is left.

use std::sync::Arc;

use stator_kv::range::after_prefix;
use stator_kv::{Direction, Level, Stamp, StoreError, Visit, Write};

use super::RETENTION_MS;
use super::record::created_at_ms;
use super::shard::{Opened, Shard, encode};
use crate::Engine;
use crate::catalog::{Stream, Table};
use crate::encoding::stored;
use crate::keyspace::stream_shard::Lane;
use crate::keyspace::{LOG, SMALL, counter, stream, stream_horizon, stream_record, stream_shard, stream_volume};

/// Records of one lane passed over in one go.
const RECORDS_PER_TICK: usize = 20_000;
/// Lanes looked at or streams removed in one go, so that other work comes in between.
const LANES_PER_TICK: usize = 64;

impl Engine {
    /// Closes the shards that are old or large enough, and opens their children.
    pub(crate) async fn roll_shards(&self) -> Result<(), StoreError> {
        let streams: Vec<Arc<Stream>> = self.snapshot.load().streams().filter(|stream| stream.disabled_at_ms.is_none()).cloned().collect();
        for stream in streams {
            for lane in 0..stream.lanes {
                self.roll_lane(&stream, lane).await?;
            }
        }
        Ok(())
    }

    async fn roll_lane(&self, stream: &Stream, lane: Lane) -> Result<(), StoreError> {
        let Some(open) = self.newest_shard(stream, lane).await? else { return Ok(()) };
        let found = self.store.read(&[stream_volume::key(stream.id, lane)], Level::Strong).await?.remove(0);
        let volume_bytes = found.and_then(|row| counter::decode(&row.value)).map_or(0, |(_, bytes)| bytes.unsigned_abs());
        let now_ms = self.now_ms();
        let is_old = now_ms >= open.opened_at_ms.saturating_add(self.options.stream_shard_ms);
        let is_large = volume_bytes.saturating_sub(open.volume_bytes) >= self.options.stream_shard_bytes;
        if !is_old && !is_large {
            return Ok(());
        }
        let at_ms = now_ms.max(open.opened_at_ms + 1);
        let child = Opened { at_ms, parent_at_ms: Some(open.opened_at_ms), volume_bytes };
        self.commit_catalog(vec![Write::Append(stream_shard::key_prefix(stream.id, lane), encode(&child))]).await
    }

    /// Removes records that are older than a day, shards that have none left, and streams disabled for a day. Answers
    /// whether more is left to remove.
    pub(crate) async fn trim_streams(&self) -> Result<bool, StoreError> {
        let cutoff_ms = self.expiry_ms().saturating_sub(RETENTION_MS);
        self.upkeep.rounds.lock().begin(self.snapshot.load().streams(), cutoff_ms, self.now_ms());
        for _ in 0..LANES_PER_TICK {
            let Some(due) = self.upkeep.rounds.lock().take() else { break };
            let Some(stream) = self.snapshot.load().stream(due.stream).cloned() else { continue };
            let Some(lane) = due.lane else {
                self.drop_stream(&stream).await?;
                continue;
            };
            let oldest_at_ms = self.trim_lane(&stream, lane, cutoff_ms).await?;
            let mut rounds = self.upkeep.rounds.lock();
            match oldest_at_ms {
                Some(at_ms) => rounds.lane_is_due_at(&stream, lane, at_ms.saturating_add(RETENTION_MS)),
                None => rounds.put_back(due),
            }
        }
        Ok(self.upkeep.rounds.lock().is_left())
    }

    /// Removes what is old of a lane; answers the time of the oldest that is left, or nothing if more is to be removed.
    async fn trim_lane(&self, stream: &Stream, lane: Lane, cutoff_ms: u64) -> Result<Option<u64>, StoreError> {
        let horizon = self.horizon(stream.id, lane).await?;
        let (mut next, mut oldest_kept, mut passed) = (horizon, None, 0);
        // Records that come later are younger than this moment.
        let mut oldest_at_ms = self.now_ms();
        let range = stream_record::between(stream.id, lane, horizon, None, Direction::Forward);
        self.store
            .scan(&range, &mut |row| {
                let stamp = Stamp::of_key(row.key).unwrap_or(horizon);
                let at_ms = stored::validate(row.value).ok().and_then(created_at_ms);
                if at_ms.is_none_or(|at_ms| at_ms > cutoff_ms) {
                    oldest_kept = Some(stamp);
                    oldest_at_ms = at_ms.unwrap_or(oldest_at_ms);
                    return Visit::Stop;
                }
                next = stamp.next();
                passed += 1;
                if passed == RECORDS_PER_TICK { Visit::Stop } else { Visit::Next }
            })
            .await?;
        if next > horizon {
            self.commit_catalog(vec![Write::Put(stream_horizon::key(stream.id, lane), next.to_bytes().to_vec().into())]).await?;
            let end = stream_record::joined(stream.id, lane, next);
            self.store.delete_range(LOG, &stream_record::joined(stream.id, lane, Stamp::default()), &end).await?;
        }
        if passed == RECORDS_PER_TICK {
            return Ok(None);
        }
        let next_end_ms = self.drop_empty_shards(stream, lane, oldest_kept, cutoff_ms).await?;
        Ok(Some(next_end_ms.map_or(oldest_at_ms, |at_ms| at_ms.min(oldest_at_ms))))
    }

    /// A closed shard goes a day after its end, when its last record has gone. Answers when the first ended that is younger.
    async fn drop_empty_shards(
        &self,
        stream: &Stream,
        lane: Lane,
        oldest_kept: Option<Stamp>,
        cutoff_ms: u64,
    ) -> Result<Option<u64>, StoreError> {
        let shards: Vec<Shard> = self.shards_of_lane(stream, lane).await?;
        let pairs = shards.windows(2).filter(|pair| {
            let ended = pair[1].opened;
            pair[1].opened_at_ms <= cutoff_ms && oldest_kept.is_none_or(|stamp| stamp >= ended)
        });
        let writes: Vec<Write> = pairs.map(|pair| Write::Delete(stream_shard::key(stream.id, lane, pair[0].opened))).collect();
        if !writes.is_empty() {
            self.commit_catalog(writes).await?;
        }
        Ok(shards.iter().skip(1).map(|shard| shard.opened_at_ms).find(|at_ms| *at_ms > cutoff_ms))
    }

    async fn drop_stream(&self, gone: &Stream) -> Result<(), StoreError> {
        let _turn = self.catalog_turn.lock().await;
        for (space, prefix) in [(LOG, stream_shard::stream_prefix(gone.id)), (SMALL, stream_volume::stream_prefix(gone.id))] {
            let end = after_prefix(&prefix).expect("stream ids stay below the last one");
            self.store.delete_range(space, &prefix, &end).await?;
        }
        self.commit_catalog(vec![Write::Delete(stream::key(gone.id))]).await?;
        let mut next = self.snapshot.load().without_stream(gone);
        let owner = next.table(&gone.scope, &gone.table).filter(|table| table.stream.as_ref().is_some_and(|stream| stream.id == gone.id));
        if let Some(owner) = owner.cloned() {
            next = next.with(Arc::new(Table { stream: None, ..Table::clone(&owner) }));
        }
        self.snapshot.store(Arc::new(next));
        self.upkeep.rounds.lock().forget_stream(gone.id);
        Ok(())
    }
}
