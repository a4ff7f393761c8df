//! `/_stator/snapshots` and `/_stator/data`: all data kept under a name, brought back, or gone.
//!
//! What must stay true: no request sees a part of one state and a part of another: they wait. Saving and restoring cost the
//! same however much data there is, because states share their rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::json;
use stator_engine::{Kept, Rewind};

use super::call::{Call, created, ok};
use super::problem::Problem;
use super::{Answer, Hooks, span};

/// Snapshots at one time.
const SNAPSHOTS_MAX: usize = 100;
const NAME_BYTES_MAX: usize = 100;

/// What has been kept.
#[derive(Default)]
pub(super) struct Snapshots(Mutex<BTreeMap<String, Snapshot>>);

#[derive(Clone)]
struct Snapshot {
    kept: Kept,
    saved_at_ms: u64,
    tables: usize,
}

#[derive(Serialize)]
struct Shown<'s> {
    name: &'s str,
    saved_at: String,
    tables: usize,
}

impl Snapshot {
    fn shown<'s>(&self, name: &'s str) -> Shown<'s> {
        Shown { name, saved_at: span::print_moment(self.saved_at_ms), tables: self.tables }
    }
}

pub(super) fn list(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    let snapshots = hooks.snapshots.0.lock().unwrap_or_else(PoisonError::into_inner);
    ok(&json!({ "snapshots": snapshots.iter().map(|(name, snapshot)| snapshot.shown(name)).collect::<Vec<_>>() }))
}

pub(super) async fn save(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let name = name(call)?;
    let rewind = rewind(hooks)?;
    let snapshot = {
        let _alone = hooks.turn.write().await;
        let tables = hooks.engine.snapshot().tables().count();
        Snapshot { kept: rewind.keep(), saved_at_ms: hooks.engine.now_ms(), tables }
    };
    let mut snapshots = hooks.snapshots.0.lock().unwrap_or_else(PoisonError::into_inner);
    if snapshots.len() >= SNAPSHOTS_MAX && !snapshots.contains_key(name) {
        let hint = "DELETE /_stator/snapshots/{name} forgets one; a name can be saved again";
        return Err(Problem::conflict(format!("there are {SNAPSHOTS_MAX} snapshots already"), hint));
    }
    let shown = created(&snapshot.shown(name));
    snapshots.insert(name.to_owned(), snapshot);
    shown
}

pub(super) async fn restore(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let name = name(call)?;
    rewind(hooks)?;
    let snapshot = hooks.snapshots.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
    let snapshot = snapshot.ok_or_else(|| missing(hooks, name))?;
    let took_us = go_to(hooks, &snapshot.kept).await?;
    ok(&json!({ "restored": snapshot.shown(name), "took_us": took_us }))
}

pub(super) fn remove(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let name = name(call)?;
    let removed = hooks.snapshots.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    let snapshot = removed.ok_or_else(|| missing(hooks, name))?;
    ok(&json!({ "removed": snapshot.shown(name) }))
}

pub(super) async fn empty(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    let took_us = empty_data(hooks).await?;
    ok(&json!({ "done": true, "took_us": took_us }))
}

/// Removes all data.
pub(super) async fn empty_data(hooks: &Hooks) -> Result<u64, Problem> {
    go_to(hooks, &Kept::default()).await
}

/// Goes to a state as if it had always been there; answers how long that took, without the waiting for requests.
async fn go_to(hooks: &Hooks, kept: &Kept) -> Result<u64, Problem> {
    let rewind = rewind(hooks)?;
    let _alone = hooks.turn.write().await;
    #[expect(clippy::disallowed_methods, reason = "a duration taken at the shell")]
    let started = Instant::now();
    hooks.engine.reload(|| rewind.rewind(kept)).await.map_err(|error| Problem::failed(&error))?;
    hooks.indexes.show_all().await;
    Ok(u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX))
}

fn rewind(hooks: &Hooks) -> Result<&Arc<dyn Rewind>, Problem> {
    let hint = "run stator dev without --data, where everything is in memory";
    hooks.rewind.as_ref().ok_or_else(|| Problem::conflict("the data is on disk, and can neither be saved nor reset at once", hint))
}

fn name<'c>(call: &Call<'c>) -> Result<&'c str, Problem> {
    let name = call.parameter;
    let is_name =
        name.len() <= NAME_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let hint = format!("names are up to {NAME_BYTES_MAX} letters, digits, dots, hyphens and underscores");
    if is_name { Ok(name) } else { Err(Problem::invalid(format!("{name:?} is no name of a snapshot"), hint)) }
}

fn missing(hooks: &Hooks, name: &str) -> Problem {
    let snapshots = hooks.snapshots.0.lock().unwrap_or_else(PoisonError::into_inner);
    let names: Vec<&str> = snapshots.keys().map(String::as_str).collect();
    let hint = if names.is_empty() {
        "there is none yet; PUT /_stator/snapshots/{name} saves one".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    Problem::not_found(format!("no snapshot is called {name:?}"), hint)
}
