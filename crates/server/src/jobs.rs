//! The timer of the background work: indexes being filled, dropped tables being cleared.
//!
//! What must stay true: the engine decides what is due and when it wants to be called again; only the waiting is here, and
//! the look at the clock. Stopping between two ticks, or in one, loses nothing, because progress is stored. What panics or
//! fails is started again, later each time; that is the engine's to count, so that one broken piece holds up no other.

use std::sync::Arc;
use std::time::Duration;

use stator_engine::Engine;
use stator_engine::jobs::JobsState;

use crate::guard::unless_it_panics;
use crate::pace::Pace;
use crate::steps::Steps;

/// How soon new work is noticed. Asking an engine that has none costs one atomic swap.
const NOTICE: Duration = Duration::from_millis(50);
/// How long everything is left alone when a piece has failed or panicked.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Runs what is due, for ever. Drop the future to stop.
pub async fn drive(engine: Arc<Engine>, pace: Arc<Pace>) {
    let mut steps = Steps::default();
    loop {
        steps.look();
        let wait = match pace.piece(unless_it_panics(engine.run_jobs())).await {
            Ok(Ok(JobsState::Pending)) => {
                // Requests that became ready meanwhile go first.
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Ok(JobsState::Idle)) => NOTICE,
            Ok(Ok(JobsState::DueAt(due_ms))) => {
                Duration::from_millis(due_ms.saturating_sub(engine.now_ms())).clamp(Duration::from_millis(1), NOTICE)
            }
            Ok(Err(error)) => {
                tracing::error!(?error, "background work failed; it is tried again");
                PAUSE_AFTER_FAILURE
            }
            Err(panicked) => {
                tracing::error!(panic = panicked.text, panics = panicked.count, "background work panicked; it is started again");
                PAUSE_AFTER_FAILURE
            }
        };
        tokio::time::sleep(wait).await;
    }
}
