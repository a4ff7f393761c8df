//! `/_stator/ttl/sweep` and `/_stator/streams/trim`: what the background does in its own time, done now.
//!
//! What must stay true: nothing goes that would not have gone by itself; only the waiting is left out.

use serde_json::json;

use super::call::{Call, ok};
use super::problem::Problem;
use super::{Answer, Hooks, span};

pub(super) async fn sweep(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    hooks.engine.sweep_now().await.map_err(|error| Problem::failed(&error))?;
    done(hooks)
}

pub(super) async fn trim(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    hooks.engine.trim_now().await.map_err(|error| Problem::failed(&error))?;
    done(hooks)
}

fn done(hooks: &Hooks) -> Result<Answer, Problem> {
    ok(&json!({ "done": true, "now": span::print_moment(hooks.engine.now_ms()) }))
}
