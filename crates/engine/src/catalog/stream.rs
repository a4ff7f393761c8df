//! Streams of tables: what a stream is, and what goes along with a table that gets one or loses it.
//!
//! What must stay true: a stream outlives its table by a day, so it knows all that its readers ask for. Writers append to
//! it exactly while the definition of their table shows it enabled. Every lane has a shard before the first record can come.

use std::sync::Arc;

use jiff::Timestamp;
use stator_kv::{StoreError, Write};
use stator_model::arn::{Scope, StreamArn};
use stator_model::key::KeySchema;
use stator_model::stream::{StreamId, StreamView};
use stator_model::{Item, MapRef, Value};

use super::definition::DefinitionUnreadable;
use super::members::{Members, decode_key, encode_key, item_of, members_of, number, put_number, put_text, text};
use super::{Snapshot, Table};
use crate::Engine;
use crate::encoding::stored;
use crate::keyspace::sequence::Owner;
use crate::keyspace::stream_shard::{self, Lane};
use crate::keyspace::{self};
use crate::stream::shard;

/// Writes per second that one lane is meant for. Source: developer guide, partitions carry 1,000 write units.
const LANE_WRITE_UNITS: u64 = 1000;
/// Lanes of a stream at most.
const LANES_MAX: u64 = 64;

/// A stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its number.
    pub id: StreamId,
    /// Account and region.
    pub scope: Scope,
    /// Name of the table.
    pub table: String,
    /// Key of the table.
    pub key: KeySchema,
    /// When it was enabled, as text; unique for the table.
    pub label: String,
    /// What records show.
    pub view: StreamView,
    /// Lines of shards.
    pub lanes: Lane,
    /// When it was enabled, in ms since the epoch.
    pub created_at_ms: u64,
    /// When it was disabled, in ms since the epoch.
    pub disabled_at_ms: Option<u64>,
}

impl Stream {
    /// The stream's ARN.
    pub fn arn(&self) -> StreamArn {
        StreamArn { scope: self.scope.clone(), table: self.table.clone(), label: self.label.clone() }
    }

    /// The stored form.
    pub fn encode(&self) -> Item {
        let mut members = Members::new();
        put_text(&mut members, "account", &self.scope.account);
        put_text(&mut members, "region", &self.scope.region);
        put_text(&mut members, "table", &self.table);
        members.insert("key".into(), encode_key(&self.key));
        put_text(&mut members, "label", &self.label);
        put_text(&mut members, "view", self.view.name());
        put_number(&mut members, "lanes", Some(u64::from(self.lanes)));
        put_number(&mut members, "created_at_ms", Some(self.created_at_ms));
        put_number(&mut members, "disabled_at_ms", self.disabled_at_ms);
        item_of(&members)
    }

    /// The stream of a stored form.
    pub fn decode(id: StreamId, stored: MapRef<'_>) -> Result<Stream, DefinitionUnreadable> {
        let members = members_of(stored);
        Ok(Stream {
            id,
            scope: Scope { account: text(&members, "account")?, region: text(&members, "region")? },
            table: text(&members, "table")?,
            key: decode_key(&members, "key")?,
            label: text(&members, "label")?,
            view: match members.get("view") {
                Some(Value::S(name)) => StreamView::from_name(name).ok_or(DefinitionUnreadable("view"))?,
                _ => return Err(DefinitionUnreadable("view")),
            },
            lanes: number(&members, "lanes").and_then(|lanes| Lane::try_from(lanes).ok()).ok_or(DefinitionUnreadable("lanes"))?,
            created_at_ms: number(&members, "created_at_ms").ok_or(DefinitionUnreadable("created_at_ms"))?,
            disabled_at_ms: number(&members, "disabled_at_ms"),
        })
    }

    /// The write that stores it.
    pub(crate) fn put(&self) -> Write {
        Write::Put(keyspace::stream::key(self.id), stored::wrap(self.encode().as_bytes()))
    }

    /// This stream from now on disabled.
    pub(super) fn disabled(&self, now_ms: u64) -> Stream {
        Stream { disabled_at_ms: self.disabled_at_ms.or(Some(now_ms)), ..self.clone() }
    }
}

/// A moment as the labels of streams write it: ISO 8601 with milliseconds, in UTC, without a zone.
fn label_of(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX);
    format!("{at:.3}").trim_end_matches('Z').to_owned()
}

impl Engine {
    /// A new stream of a table, and the rows that make it. The caller holds the turn.
    pub(super) async fn new_stream(
        &self,
        snapshot: &Snapshot,
        table: &Table,
        view: StreamView,
        now_ms: u64,
    ) -> Result<(Arc<Stream>, Vec<Write>), StoreError> {
        let mut labelled_ms = now_ms;
        while snapshot.stream_by_name(&table.scope, &table.name, &label_of(labelled_ms)).is_some() {
            labelled_ms += 1;
        }
        let lanes = table.warm_throughput().write_units.div_ceil(LANE_WRITE_UNITS).clamp(1, LANES_MAX);
        let stream = Stream {
            id: StreamId(self.next_id(Owner::Streams).await?),
            scope: table.scope.clone(),
            table: table.name.clone(),
            key: table.key.clone(),
            label: label_of(labelled_ms),
            view,
            lanes: Lane::try_from(lanes).expect("lanes are bounded"),
            created_at_ms: now_ms,
            disabled_at_ms: None,
        };
        let opened = shard::encode(&shard::Opened { at_ms: labelled_ms, parent_at_ms: None, volume_bytes: 0 });
        let mut writes = vec![stream.put()];
        writes.extend((0..stream.lanes).map(|lane| Write::Append(stream_shard::key_prefix(stream.id, lane), opened.clone())));
        Ok((Arc::new(stream), writes))
    }
}

#[cfg(test)]
mod tests {
    use super::label_of;

    #[test]
    fn labels_are_moments_with_milliseconds() {
        assert_eq!(label_of(1_795_512_316_120), "2026-11-24T09:25:16.120");
        assert_eq!(label_of(0), "1970-01-01T00:00:00.000");
    }
}
