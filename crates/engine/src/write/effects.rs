//! Everything that follows from a new item: rows to write and capacity to charge.
//!
//! What must stay true: this is the only list of consequences of a write. A further consequence (a stream record, a
//! deadline, a log row) is a further function here, and then every kind of write has it.
//!
//! Index writes are charged as the service does: nothing for an entry that stays as it is, one write for an entry made,
//! removed or changed in place (by its larger image), two for an entry that moves. Source: developer guide, "Provisioned
//! throughput considerations for global secondary indexes". Vector indexes are charged by the bytes of the larger image,
//! also for an entry that moves (assumed).

use std::collections::BTreeMap;

use bytes::Bytes;
use stator_kv::{Key, Write};
use stator_model::table::{IndexKind, IndexStatus};
use stator_planted::Fault;

use crate::capacity::HalfUnits;
use crate::catalog::{Index, Table};
use crate::index::{self, Entry, Image};
use crate::keyspace::{collection, counter, deadline, stream_record, stream_volume};
use crate::receipt::Receipt;
use crate::write::room::Room;
use crate::{stream, ttl};

/// Rows to write, and what they cost.
pub(crate) struct Effects {
    pub(crate) writes: Vec<Write>,
    pub(crate) receipt: Receipt,
    /// By how many bytes the item's collection grows, where collections are counted.
    growth_bytes: i64,
}

/// Whether a row that was read is there; `None` if it was not read.
pub(crate) type Exists<'e> = dyn Fn(&Key) -> Option<bool> + 'e;

/// One item replaced by another.
pub(super) struct Change<'c> {
    pub(super) table: &'c Table,
    pub(super) item_key: &'c Key,
    pub(super) old: Option<Image<'c>>,
    pub(super) new: Option<Image<'c>>,
    pub(super) now_ms: u64,
    /// The service removes the item itself, because its time has come.
    pub(super) is_expiry: bool,
}

/// All effects of a change. Fails with the keys of rows that have to be read first.
pub(super) fn effects(change: &Change<'_>, exists: &Exists<'_>) -> Result<Effects, Vec<Key>> {
    let Change { table, item_key, old, new, .. } = *change;
    let (old_bytes, new_bytes) = (old.map(|item| item.size_bytes), new.map(|item| item.size_bytes));
    let image_bytes = old_bytes.max(new_bytes).unwrap_or(0);
    let mut effects = Effects {
        writes: Vec::with_capacity(2 + 3 * table.indexes.len()),
        receipt: Receipt::of_table(HalfUnits::of_write(image_bytes)),
        growth_bytes: 0,
    };
    match new {
        Some(item) => effects.writes.push(Write::Put(item_key.clone(), item.row.clone())),
        None if old.is_some() => effects.writes.push(Write::Delete(item_key.clone())),
        None => {}
    }
    effects.count(counter::key(table.id, None), old_bytes, new_bytes);
    effects.grow(table, old_bytes, new_bytes);
    effects.move_deadline(change);
    effects.record(change);
    let mut unread = Vec::new();
    for index in table.indexes.iter().filter(|index| index.is_maintained()) {
        if let Err(key) = effects.maintain(table, index, old, new, exists) {
            unread.push(key);
        }
    }
    if !unread.is_empty() {
        return Err(unread);
    }
    if effects.growth_bytes != 0 {
        effects.writes.push(Write::Add(collection::key(item_key), vec![effects.growth_bytes]));
    }
    Ok(effects)
}

/// Looking at an item changes nothing, and costs what writing it back would (assumed: the service charges a transaction's
/// checks as writes).
pub(super) fn of_check(old: Option<Image<'_>>) -> Effects {
    let bytes = old.map_or(0, |item| item.size_bytes);
    Effects { writes: Vec::new(), receipt: Receipt::of_table(HalfUnits::of_write(bytes)), growth_bytes: 0 }
}

impl Effects {
    /// Whether the item's collection has room for what is added to it.
    pub(crate) fn fit(&self, room: &Room) -> bool {
        room.takes(self.growth_bytes)
    }

    fn grow(&mut self, table: &Table, old_bytes: Option<usize>, new_bytes: Option<usize>) {
        if table.counts_collections {
            self.growth_bytes += signed(new_bytes) - signed(old_bytes);
        }
    }

    /// The deadline row of an item that has one, where the new item says.
    fn move_deadline(&mut self, change: &Change<'_>) {
        let Some(ttl) = &change.table.ttl else { return };
        let of = |item: Image<'_>| ttl::deadline_s(ttl, item.map());
        let (old, new) = (change.old.and_then(of), change.new.and_then(of));
        let row = |deadline_s| deadline::key(change.table.id, ttl.epoch, deadline_s, change.item_key);
        if old != new {
            self.writes.extend(old.map(|deadline_s| Write::Delete(row(deadline_s))));
        }
        // Put again even if it stays: backfill may not have come to this item yet.
        self.writes.extend(new.filter(|_| old != new || ttl.is_enabling).map(|deadline_s| Write::Put(row(deadline_s), Bytes::new())));
    }

    /// The record of the table's stream; none of a write that leaves the item as it was.
    fn record(&mut self, change: &Change<'_>) {
        let Some(stream) = change.table.enabled_stream() else { return };
        if change.old.map(|item| item.row) == change.new.map(|item| item.row) || Fault::DropStreamRecord.strikes() {
            return;
        }
        let record = stream::record::Change {
            old: change.old.map(Image::map),
            new: change.new.map(Image::map),
            at_ms: change.now_ms,
            is_expiry: change.is_expiry,
        };
        let Some(row) = stream::record::encode(&change.table.key, stream.view, &record) else { return };
        let lane = stream_record::lane_of(change.item_key, stream.lanes);
        let bytes = i64::try_from(row.len()).expect("records are small");
        self.writes.push(Write::Append(stream_record::key_prefix(stream.id, lane), row));
        self.writes.push(Write::Add(stream_volume::key(stream.id, lane), vec![1, bytes]));
    }

    fn maintain(
        &mut self,
        table: &Table,
        index: &Index,
        old: Option<Image<'_>>,
        new: Option<Image<'_>>,
        exists: &Exists<'_>,
    ) -> Result<(), Key> {
        // An old item that does not fit the index was stored before the index was made, and has no entry.
        let mut old = old.and_then(|item| index::entry(table, index, item).ok().flatten());
        let new = new.and_then(|item| index::entry(table, index, item).ok().flatten());
        if let (IndexStatus::Creating { .. }, Some(entry)) = (index.status, &old) {
            // Backfill may not have come to this item yet; only the row itself tells.
            let is_there = exists(&entry.key).ok_or_else(|| entry.key.clone())?;
            old = old.filter(|_| is_there);
        }
        self.replace_entry(table, index, old, new);
        Ok(())
    }

    fn replace_entry(&mut self, table: &Table, index: &Index, old: Option<Entry>, new: Option<Entry>) {
        let (old_bytes, new_bytes) = (old.as_ref().map(|entry| entry.size_bytes), new.as_ref().map(|entry| entry.size_bytes));
        if old == new {
            return;
        }
        self.charge(index, old.as_ref(), new.as_ref());
        if let Some(old) = old
            && new.as_ref().is_none_or(|new| new.key != old.key)
        {
            self.writes.push(Write::Delete(old.key));
        }
        if let Some(new) = new.filter(|_| !Fault::DropIndexEntry.strikes()) {
            self.writes.push(Write::Put(new.key, new.row));
        }
        self.count(counter::key(table.id, Some(index.id)), old_bytes, new_bytes);
        if index.kind == IndexKind::Local {
            self.grow(table, old_bytes, new_bytes);
        }
    }

    /// Charges an entry that is made, removed or changed.
    fn charge(&mut self, index: &Index, old: Option<&Entry>, new: Option<&Entry>) {
        let size = |entry: Option<&Entry>| entry.map_or(0, |entry| entry.size_bytes);
        let larger_bytes = size(old).max(size(new));
        let moves = old.zip(new).is_some_and(|(old, new)| old.key != new.key);
        match index.kind {
            IndexKind::Vector => self.receipt.charge_vectors(index, index::charged_bytes(larger_bytes)),
            IndexKind::Local | IndexKind::Global if moves => {
                self.receipt.charge(index, HalfUnits::of_write(size(old)) + HalfUnits::of_write(size(new)));
            }
            IndexKind::Local | IndexKind::Global => self.receipt.charge(index, HalfUnits::of_write(larger_bytes)),
        }
    }

    fn count(&mut self, counter: Key, old_bytes: Option<usize>, new_bytes: Option<usize>) {
        let rows = i64::from(new_bytes.is_some()) - i64::from(old_bytes.is_some());
        let deltas = vec![rows, signed(new_bytes) - signed(old_bytes)];
        if deltas.iter().any(|delta| *delta != 0) {
            self.writes.push(Write::Add(counter, deltas));
        }
    }
}

fn signed(bytes: Option<usize>) -> i64 {
    i64::try_from(bytes.unwrap_or(0)).expect("items are small")
}

/// The writes of many changes in one list; additions to one counter become one.
pub(crate) fn merged(effects: Vec<Vec<Write>>) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut sums: BTreeMap<Key, Vec<i64>> = BTreeMap::new();
    for write in effects.into_iter().flatten() {
        match write {
            Write::Add(key, deltas) => {
                let sum = sums.entry(key).or_insert_with(|| vec![0; deltas.len()]);
                sum.iter_mut().zip(deltas).for_each(|(sum, delta)| *sum += delta);
            }
            Write::Put(..) | Write::Delete(_) | Write::Append(..) => writes.push(write),
        }
    }
    writes.extend(sums.into_iter().map(|(key, deltas)| Write::Add(key, deltas)));
    writes
}
