//! The exact way of choosing candidates: all of them.
//!
//! The index is walked in stretches of a few MB, so that no other work waits for a whole search; a stretch is one snapshot.
//! What must stay true: an item has one entry under a key that does not change while its partition stays, so it is offered
//! at most once, and one that nobody writes meanwhile is offered exactly once.

use std::future::poll_fn;
use std::ops::Bound;
use std::task::Poll;

use stator_expr::Literal;
use stator_kv::range::after_prefix;
use stator_kv::{Direction, Range, RowRef, StoreError, Visit};
use stator_model::MapRef;
use stator_model::table::VectorSpec;

use super::{Best, Query, SearchRequest};
use crate::Engine;
use crate::catalog::Table;
use crate::index;
use crate::keyspace::{VECTORS, vector_entry};

/// Bytes of rows visited between two pauses.
const STRETCH_BYTES: usize = 4 * 1024 * 1024;

/// Offers every entry that fulfils the conditions; answers the bytes of all entries examined.
pub(super) async fn offer_all(
    engine: &Engine,
    table: &Table,
    request: &SearchRequest<'_>,
    spec: &VectorSpec,
    query: &Query,
    best: &mut Best,
) -> Result<usize, StoreError> {
    let prefix = prefix(table, request);
    let end = after_prefix(&prefix).map_or(Bound::Unbounded, Bound::Excluded);
    let (mut from, mut examined_bytes) = (Bound::Included(prefix), 0);
    loop {
        let range = Range::Across { space: VECTORS, from, to: end.clone(), direction: Direction::Forward };
        let (mut stretch_bytes, mut last, mut damaged) = (0, None, None);
        engine
            .store
            .scan(&range, &mut |row: RowRef<'_>| {
                let Some((vector, encoded)) = vector_entry::split(row.value, spec.dimensions) else {
                    damaged = Some(row.key.to_vec());
                    return Visit::Stop;
                };
                let attributes = stator_model::item::map_of(encoded);
                examined_bytes += index::size_bytes(spec, attributes);
                if fulfils(attributes, request.conditions) {
                    best.offer(query.score(vector), query.is_nearer_above(), row.key, row.value);
                }
                stretch_bytes += row.value.len();
                if stretch_bytes < STRETCH_BYTES {
                    return Visit::Next;
                }
                last = Some(row.key.to_vec());
                Visit::Stop
            })
            .await?;
        if let Some(key) = damaged {
            return Err(StoreError::Corrupt(format!("the vector at {key:02x?} cannot be read")));
        }
        let Some(last) = last else { return Ok(examined_bytes) };
        from = Bound::Excluded(last);
        pause().await;
    }
}

/// What the keys of all candidates begin with: a partition of the index, or all of it.
fn prefix(table: &Table, request: &SearchRequest<'_>) -> Vec<u8> {
    let partition = request.index.key.partition.first();
    let named = partition.and_then(|declared| request.conditions.iter().find(|(attribute, _)| *attribute == declared.name));
    match named {
        Some((_, value)) => vector_entry::part_of_value(table.id, request.index.id, value.raw()),
        None => vector_entry::index_prefix(table.id, request.index.id),
    }
}

/// Encodings are canonical, so equal values have equal bytes.
fn fulfils(attributes: MapRef<'_>, conditions: &[(String, Literal)]) -> bool {
    conditions.iter().all(|(attribute, value)| attributes.get(attribute).is_some_and(|found| found.bytes() == value.raw().bytes()))
}

/// Lets others run.
async fn pause() {
    let mut has_paused = false;
    poll_fn(|context| {
        if has_paused {
            return Poll::Ready(());
        }
        has_paused = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
