//! `/_stator/reset`: what a test suite calls between tests.
//!
//! What must stay true: afterwards nothing tells that there was anything before, but the snapshots.

use serde_json::json;
use stator_engine::index::IndexLag;

use super::call::{Call, ok};
use super::problem::Problem;
use super::{Answer, Hooks, snapshots};

pub(super) async fn reset(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    // First, because it may be refused.
    let took_us = snapshots::empty_data(hooks).await?;
    hooks.faults.clear();
    hooks.indexes.set_lag(IndexLag::None).await;
    hooks.engine.set_table_transition(hooks.transition_ms);
    hooks.clock.reset();
    hooks.engine.catch_up().await.map_err(|error| Problem::failed(&error))?;
    hooks.journal.clear();
    ok(&json!({ "done": true, "took_us": took_us }))
}
