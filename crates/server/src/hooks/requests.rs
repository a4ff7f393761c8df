//! `/_stator/requests`: the last requests, how they were answered and what they consumed.
//!
//! What must stay true: memory is bounded: a thousand requests, and bodies up to 16 KiB each. An entry is there before its
//! response leaves the server. Requests that end at the same time do not wait for each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};
use stator_engine::capacity::HalfUnits;
use stator_engine::receipt::Receipt;
use stator_model::table::IndexKind;

use super::call::{Call, ok};
use super::problem::Problem;
use super::trace::Trace;
use super::{Answer, Hooks, span};
use crate::pipeline::RequestId;

/// Requests that are kept.
const REQUESTS_MAX: usize = 1000;

/// How a request was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) request_id: RequestId,
    /// Absent when the connection was dropped instead.
    pub(crate) status: Option<u16>,
    pub(crate) exception: Option<String>,
    pub(crate) latency: Duration,
}

/// The last requests: each takes the next number, and the slot that the number falls to.
pub(super) struct Journal {
    last: AtomicU64,
    slots: Vec<Mutex<Option<Entry>>>,
}

struct Entry {
    number: u64,
    trace: Trace,
    answered: Answered,
}

#[derive(Serialize)]
struct Shown<'e> {
    number: u64,
    at: String,
    operation: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'e str>,
    tables: &'e [String],
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'e str>,
    request_id: &'e str,
    latency_us: u64,
    consumed: Vec<Consumed>,
    request_bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Value>,
}

#[derive(Serialize)]
struct Consumed {
    table: String,
    units: f64,
    table_units: f64,
    local_indexes: Value,
    global_indexes: Value,
    /// Bytes.
    #[serde(skip_serializing_if = "Map::is_empty")]
    vector_indexes: Map<String, Value>,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { last: AtomicU64::new(0), slots: (0..REQUESTS_MAX).map(|_| Mutex::default()).collect() }
    }
}

impl Journal {
    pub(super) fn enter(&self, trace: Trace, answered: Answered) {
        if trace.asked().is_none() {
            return;
        }
        let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let slot = usize::try_from(number).unwrap_or(usize::MAX) % REQUESTS_MAX;
        let mut entry = Some(Entry { number, trace, answered });
        let mut place = lock(&self.slots[slot]);
        // A thousand requests may have overtaken this one.
        if place.as_ref().is_none_or(|there| there.number < number) {
            std::mem::swap(&mut *place, &mut entry);
        }
        drop(place);
        // What it pushed out is dropped here, where nobody waits.
        drop(entry);
    }

    pub(super) fn clear(&self) {
        self.slots.iter().for_each(|slot| *lock(slot) = None);
    }
}

fn lock(slot: &Mutex<Option<Entry>>) -> MutexGuard<'_, Option<Entry>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    fn shown(&self) -> Option<Shown<'_>> {
        let asked = self.trace.asked()?;
        Some(Shown {
            number: self.number,
            at: span::print_moment(self.trace.began_at_ms),
            operation: asked.operation,
            region: self.trace.region.get().map(String::as_str),
            tables: &asked.touched().tables,
            status: self.answered.status,
            exception: self.answered.exception.as_deref(),
            fault: self.trace.fault.get().map(String::as_str),
            request_id: self.answered.request_id.as_str(),
            latency_us: u64::try_from(self.answered.latency.as_micros()).unwrap_or(u64::MAX),
            consumed: self.trace.ledger.receipts().into_iter().map(|(table, receipt)| Consumed::of(table, &receipt)).collect(),
            request_bytes: asked.body_bytes,
            request: asked.body.as_ref().and_then(|body| serde_json::from_slice(body).ok()),
        })
    }

    fn is_of(&self, operation: Option<&str>, table: Option<&str>) -> bool {
        self.trace.asked().is_some_and(|asked| {
            operation.is_none_or(|name| asked.operation == name)
                && table.is_none_or(|name| asked.touched().tables.iter().any(|known| known == name))
        })
    }
}

impl Consumed {
    fn of(table: String, receipt: &Receipt) -> Consumed {
        let of_kind = |kind: IndexKind| -> Value {
            let charges = receipt.indexes.iter().filter(|charge| charge.kind == kind);
            charges.map(|charge| (charge.name.clone(), json!(units(charge.units)))).collect::<Map<_, _>>().into()
        };
        Consumed {
            table,
            units: units(receipt.total()),
            table_units: units(receipt.table),
            local_indexes: of_kind(IndexKind::Local),
            global_indexes: of_kind(IndexKind::Global),
            vector_indexes: receipt.vectors.iter().map(|charge| (charge.name.clone(), json!(charge.bytes))).collect(),
        }
    }
}

fn units(halves: HalfUnits) -> f64 {
    f64::from(u32::try_from(halves.0).unwrap_or(u32::MAX)) / 2.0
}

pub(super) fn list(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    call.check_query(&["operation", "table", "after", "limit"])?;
    let number = |name: &str| -> Result<Option<u64>, Problem> {
        let parse =
            |text: String| text.parse().map_err(|_| Problem::invalid(format!("{name} is no number: {text:?}"), "it counts requests"));
        call.query(name).map(parse).transpose()
    };
    let (operation, table) = (call.query("operation"), call.query("table"));
    let (after, limit) = (number("after")?.unwrap_or(0), number("limit")?.unwrap_or(u64::MAX));
    let last = hooks.journal.last.load(Ordering::Relaxed);
    let slots: Vec<_> = hooks.journal.slots.iter().map(lock).collect();
    let entries = slots.iter().filter_map(|slot| slot.as_ref());
    let wanted = entries.filter(|entry| entry.number > after && entry.is_of(operation.as_deref(), table.as_deref()));
    let mut shown: Vec<Shown<'_>> = wanted.filter_map(Entry::shown).collect();
    shown.sort_unstable_by_key(|entry| entry.number);
    // The newest are those that a limit leaves.
    shown.drain(..shown.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX)));
    ok(&json!({ "last": last, "requests": shown }))
}

pub(super) fn clear(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    hooks.journal.clear();
    ok(&json!({ "done": true }))
}
