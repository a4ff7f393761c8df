//! Verifies what streams tell: records follow one another as an item's life does, and end in what the item is.
//!
//! What must stay true: rows are met in the order of their keys, so a lane's shards come before its records and these in the
//! order of their commits, its horizon last; memory is bounded by the items whose records are remembered.

use std::collections::HashMap;

use stator_kv::{Key, Level, Stamp, StoreError};
use stator_model::MapRef;
use stator_model::stream::{ChangeKind, StreamId};
use stator_model::table::TableId;
use xxhash_rust::xxh3::xxh3_128;

use super::{Checker, FAULTS_MAX, Row};
use crate::catalog::Stream;
use crate::encoding::stored;
use crate::index;
use crate::keyspace::stream_shard::Lane;
use crate::keyspace::{self, counter, item, stream_horizon, stream_record, stream_shard, stream_volume};
use crate::stream::{Record, shard};

/// Items whose latest record is remembered.
const LATEST_MAX: usize = 1_000_000;

/// What the records met so far say.
#[derive(Default)]
pub(super) struct History {
    /// What the latest record says of an item: gone (`None`), or there, with the image if the view has it.
    latest: HashMap<Key, Option<Option<u128>>>,
    lanes: HashMap<(StreamId, Lane), LaneSum>,
}

/// What was met of a lane.
#[derive(Default)]
struct LaneSum {
    /// What its volume says: records and bytes ever written.
    volume: (i64, i64),
    /// The stamp of its first shard.
    opened: Option<Stamp>,
    records: i64,
    bytes: i64,
    is_trimmed: bool,
}

impl Checker<'_> {
    /// Notes a lane's volume; answers whether the row is one.
    pub(super) fn note_volume(&mut self, row: &Row) -> bool {
        let Some((lane, volume)) = stream_volume::parse(&row.0).zip(counter::decode(&row.1)) else { return false };
        self.history.lanes.entry(lane).or_default().volume = volume;
        true
    }

    pub(super) fn log(&mut self, row: &Row) {
        let found = stream_shard::split(&row.0);
        let Some((stream, lane, [kind, ..])) = found.map(|(stream, lane, sort)| (self.snapshot.stream(stream).cloned(), lane, sort)) else {
            return self.fault(&row.0, "has a key of no known kind");
        };
        let Some(stream) = stream else { return self.fault(&row.0, "belongs to no stream") };
        let sum = self.history.lanes.entry((stream.id, lane)).or_default();
        let is_whole = match *kind {
            keyspace::SORT_SHARD => {
                sum.opened = sum.opened.or(Stamp::of_key(&row.0));
                shard::decode(&row.1).is_some()
            }
            keyspace::SORT_HORIZON => {
                sum.is_trimmed = true;
                stream_horizon::decode(&row.1).is_some()
            }
            keyspace::SORT_RECORD => {
                sum.records += 1;
                sum.bytes += i64::try_from(row.1.len()).unwrap_or(i64::MAX);
                return self.record(&stream, lane, row);
            }
            _ => false,
        };
        if !is_whole {
            self.fault(&row.0, "does not decode");
        }
    }

    fn record(&mut self, stream: &Stream, lane: Lane, row: &Row) {
        let record = Stamp::of_key(&row.0).and_then(|stamp| Record::decode(stamp, row.1.to_vec()));
        let Some(record) = record else { return self.fault(&row.0, "does not decode") };
        let table = self.snapshot.table(&stream.scope, &stream.table).cloned();
        let table = table.filter(|table| table.enabled_stream().is_some_and(|enabled| enabled.id == stream.id));
        let item_key = item::key(table.as_ref().map_or(TableId(0), |table| table.id), &stream.key, record.keys());
        let Ok(item_key) = item_key else { return self.fault(&row.0, "does not have the key of its table") };
        if stream_record::lane_of(&item_key, stream.lanes) != lane {
            self.fault(&row.0, "lies in another lane than its key says");
        }
        let opened = self.history.lanes.get(&(stream.id, lane)).and_then(|sum| sum.opened);
        if opened.is_none_or(|opened| record.stamp < opened) {
            self.fault(&row.0, "lies in no shard");
        }
        if table.is_some() {
            self.follow(row, &record, item_key);
        }
    }

    /// Compares a record with the one before it of the same item.
    fn follow(&mut self, row: &Row, record: &Record, item_key: Key) {
        let before = self.history.latest.get(&item_key).copied();
        let follows = match (record.kind(), before) {
            (_, None) | (ChangeKind::Insert, Some(None)) => true,
            (ChangeKind::Insert, Some(Some(_))) | (ChangeKind::Modify | ChangeKind::Remove, Some(None)) => false,
            (ChangeKind::Modify | ChangeKind::Remove, Some(Some(image))) => {
                image.zip(record.old_image().map(hash)).is_none_or(|(before, old)| before == old)
            }
        };
        if !follows {
            self.fault(&row.0, "does not follow the record before it of its item");
        }
        if before.is_some() || self.history.latest.len() < LATEST_MAX {
            let state = (record.kind() != ChangeKind::Remove).then(|| record.new_image().map(hash));
            self.history.latest.insert(item_key, state);
        }
    }

    pub(super) async fn latest_records(&mut self) -> Result<(), StoreError> {
        for (key, told) in std::mem::take(&mut self.history.latest) {
            let found = self.store.read(std::slice::from_ref(&key), Level::Strong).await?.remove(0);
            let agrees = match (&found, told) {
                (None, None) | (Some(_), Some(None)) => true,
                // An item that does not decode has been reported.
                (Some(row), Some(Some(image))) => stored::validate(&row.value).map_or(true, |item| hash(item) == image),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if !agrees && self.report.faults.len() < FAULTS_MAX {
                self.fault(key.bytes(), "is not what the latest record of its stream says");
            }
        }
        Ok(())
    }

    /// Compares what lanes say was written to them with their records.
    pub(super) fn volumes(&mut self) {
        for ((stream, lane), sum) in std::mem::take(&mut self.history.lanes) {
            let met = (sum.records, sum.bytes);
            let agrees = if sum.is_trimmed { sum.volume.0 >= met.0 && sum.volume.1 >= met.1 } else { sum.volume == met };
            if !agrees && self.report.faults.len() < FAULTS_MAX {
                let (id, volume) = (stream.0, sum.volume);
                self.report.faults.push(format!(
                    "stream {id}, lane {lane}: the volume says {} records and {} bytes, but there are {} and {}",
                    volume.0, volume.1, met.0, met.1
                ));
            }
        }
    }
}

fn hash(image: MapRef<'_>) -> u128 {
    xxh3_128(index::project(image, |_| true).as_bytes())
}
