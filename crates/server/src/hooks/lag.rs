//! `/_stator/index-lag`: global and vector indexes that show what was there a while ago.
//!
//! What must stay true: only what Query and Scan of a global index and SearchVectors answer is of the past; what is stored is not.

use serde::Deserialize;
use serde_json::json;
use stator_engine::index::IndexLag;

use super::call::{Call, ok};
use super::problem::Problem;
use super::{Answer, Hooks, span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    lag: String,
}

pub(super) async fn read(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    tell(hooks).await
}

pub(super) async fn set(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let input: Set = call.input()?;
    let lag = match input.lag.as_str() {
        "held" => IndexLag::Held,
        "none" => IndexLag::None,
        span => match span::parse(span)? {
            0 => IndexLag::None,
            ms => IndexLag::By(ms),
        },
    };
    let _alone = hooks.turn.write().await;
    hooks.indexes.set_lag(lag).await;
    tell(hooks).await
}

pub(super) async fn release(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    let _alone = hooks.turn.write().await;
    hooks.indexes.show_all().await;
    tell(hooks).await
}

async fn tell(hooks: &Hooks) -> Result<Answer, Problem> {
    let lag = match hooks.indexes.lag().await {
        IndexLag::None => "none".to_owned(),
        IndexLag::By(ms) => span::print(ms),
        IndexLag::Held => "held".to_owned(),
    };
    ok(&json!({ "lag": lag, "hidden_entries": hooks.indexes.hidden_count().await }))
}
