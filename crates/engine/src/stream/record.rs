//! What a record says of a change.
//!
//! What must stay true: a write that leaves the item as it was makes no record; names of members are one letter, because
//! every record has them; a member of unknown name is passed over.

use bytes::Bytes;
use stator_kv::Stamp;
use stator_model::key::KeySchema;
use stator_model::stream::{ChangeKind, StreamView};
use stator_model::{Encoder, MapRef, Number, RawValue, ValueRef};

use crate::encoding::stored;

/// A record as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the history.
    pub stamp: Stamp,
    row: Vec<u8>,
}

/// A change as the write path knows it.
pub(crate) struct Change<'c> {
    pub(crate) old: Option<MapRef<'c>>,
    pub(crate) new: Option<MapRef<'c>>,
    pub(crate) at_ms: u64,
    /// The service removed the item itself, because its time had come.
    pub(crate) is_expiry: bool,
}

/// The stored form of a change's record.
pub(crate) fn encode(key: &KeySchema, view: StreamView, change: &Change<'_>) -> Option<Bytes> {
    let (kind, keyed) = match (change.old, change.new) {
        (None, Some(new)) => ("I", new),
        (Some(_), Some(new)) => ("M", new),
        (Some(old), None) => ("R", old),
        (None, None) => return None,
    };
    let mut encoder = Encoder::new();
    encoder.begin_map();
    encoder.name("e");
    encoder.string(kind);
    encoder.name("k");
    put_map(&mut encoder, keyed, |name| key.attributes().any(|attribute| attribute.name.as_bytes() == name));
    if let Some(new) = change.new.filter(|_| view.has_new()) {
        encoder.name("n");
        put_map(&mut encoder, new, |_| true);
    }
    if let Some(old) = change.old.filter(|_| view.has_old()) {
        encoder.name("o");
        put_map(&mut encoder, old, |_| true);
    }
    if change.is_expiry {
        encoder.name("s");
        encoder.bool(true);
    }
    encoder.name("t");
    encoder.number(&Number::from(i64::try_from(change.at_ms).unwrap_or(i64::MAX)));
    encoder.end();
    Some(stored::wrap(&encoder.finish()))
}

fn put_map(encoder: &mut Encoder, map: MapRef<'_>, keep: impl Fn(&[u8]) -> bool) {
    encoder.begin_map();
    for (name, value) in map.iter().filter(|(name, _)| keep(name)) {
        encoder.name_bytes(name);
        encoder.raw(value);
    }
    encoder.end();
}

impl Record {
    /// The record of a row; `None` if the row is none.
    pub fn decode(stamp: Stamp, row: Vec<u8>) -> Option<Record> {
        let is_whole = {
            let members = stored::validate(&row).ok()?;
            let kind = matches!(members.get("e")?.view(), ValueRef::S(b"I" | b"M" | b"R"));
            kind && matches!(members.get("k")?.view(), ValueRef::M(_)) && created_at_ms(members).is_some()
        };
        is_whole.then_some(Record { stamp, row })
    }

    /// What happened.
    pub fn kind(&self) -> ChangeKind {
        match self.member("e").map(RawValue::view) {
            Some(ValueRef::S(b"I")) => ChangeKind::Insert,
            Some(ValueRef::S(b"R")) => ChangeKind::Remove,
            _ => ChangeKind::Modify,
        }
    }

    /// The item's key.
    pub fn keys(&self) -> MapRef<'_> {
        self.map("k").expect("checked when it was decoded")
    }

    /// The item after the change, where the view has it.
    pub fn new_image(&self) -> Option<MapRef<'_>> {
        self.map("n")
    }

    /// The item before the change, where the view has it.
    pub fn old_image(&self) -> Option<MapRef<'_>> {
        self.map("o")
    }

    /// Whether the service removed the item itself.
    pub fn is_expiry(&self) -> bool {
        self.member("s").is_some()
    }

    /// When it was written, in ms since the epoch.
    pub fn created_at_ms(&self) -> u64 {
        created_at_ms(stored::map(&self.row)).unwrap_or(0)
    }

    /// Key and images together, in bytes.
    pub fn size_bytes(&self) -> usize {
        let image = |map: Option<MapRef<'_>>| map.map_or(0, MapRef::size_bytes);
        self.keys().size_bytes() + image(self.new_image()) + image(self.old_image())
    }

    fn map(&self, name: &str) -> Option<MapRef<'_>> {
        match self.member(name)?.view() {
            ValueRef::M(map) => Some(map),
            _ => None,
        }
    }

    fn member(&self, name: &str) -> Option<RawValue<'_>> {
        stored::map(&self.row).get(name)
    }
}

/// When a record's row was written, if it says so.
pub(crate) fn created_at_ms(members: MapRef<'_>) -> Option<u64> {
    match members.get("t")?.view() {
        ValueRef::N(number) => number.number().to_i64().and_then(|ms| u64::try_from(ms).ok()),
        _ => None,
    }
}
