//! `/_stator/clock`: the time that the server lives by.
//!
//! What must stay true: when a call is answered, everything that the new time makes due has been done: items have expired,
//! records are trimmed, tables have arrived. Signatures are not checked in dev, so the time may be any.

use serde::{Deserialize, Serialize};

use super::call::{Call, ok};
use super::problem::Problem;
use super::{Answer, Hooks, span};

#[derive(Serialize)]
struct Told {
    now: String,
    now_ms: u64,
    frozen: bool,
    /// Ahead of the real time.
    offset_ms: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    now: Option<String>,
    now_ms: Option<u64>,
    frozen: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: Option<String>,
    by_ms: Option<u64>,
}

pub(super) fn read(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    tell(hooks)
}

pub(super) async fn set(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let input: Set = call.input()?;
    let now_ms = match (&input.now, input.now_ms) {
        (Some(_), Some(_)) => return Err(Problem::invalid("now and now_ms are both given", "give one of them")),
        (Some(text), None) => Some(span::parse_moment(text)?),
        (None, now_ms) => now_ms,
    };
    if now_ms.is_none() && input.frozen.is_none() {
        return Err(Problem::invalid("neither a time nor frozen is given", format!("for example: {}", call.example)));
    }
    if let Some(now_ms) = now_ms {
        hooks.clock.set(span::check_moment(now_ms)?);
    }
    if let Some(is_frozen) = input.frozen {
        hooks.clock.freeze(is_frozen);
    }
    moved(hooks).await
}

pub(super) async fn advance(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let input: Advance = call.input()?;
    let by_ms = match (&input.by, input.by_ms) {
        (Some(text), None) => span::parse(text)?,
        (None, Some(by_ms)) => by_ms,
        _ => return Err(Problem::invalid("one of by and by_ms has to be given", format!("for example: {}", call.example))),
    };
    let now_ms = span::check_moment(hooks.clock.read_ms().saturating_add(by_ms))?;
    hooks.clock.set(now_ms);
    moved(hooks).await
}

pub(super) async fn reset(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    hooks.clock.reset();
    moved(hooks).await
}

async fn moved(hooks: &Hooks) -> Result<Answer, Problem> {
    hooks.engine.catch_up().await.map_err(|error| Problem::failed(&error))?;
    tell(hooks)
}

fn tell(hooks: &Hooks) -> Result<Answer, Problem> {
    let now_ms = hooks.clock.read_ms();
    let (frozen, offset_ms) = (hooks.clock.is_frozen(), hooks.clock.offset_ms());
    ok(&Told { now: span::print_moment(now_ms), now_ms, frozen, offset_ms })
}
