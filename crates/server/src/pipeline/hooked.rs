//! What a server that runs for tests does beside answering: calls to its hooks, and faults around requests.
//!
//! What must stay true: a delay holds nothing up but its own request, and no other request while it waits.

use bytes::Bytes;
use hyper::body::Body;
use hyper::http::request::Parts;
use stator_api::Fault;

use super::Shell;
use super::encode::{Reply, exception};
use super::observe::Observation;
use super::validate::Validated;
use super::{Arriving, perform, receive};
use crate::hooks::{Answered, Hooks, Outcome, Trace};

/// Answers a call to the hooks.
pub(super) async fn call<B>(shell: &Shell, hooks: &Hooks, head: &Parts, body: &mut B) -> Result<Reply, Fault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let received = receive::receive(shell, Arriving { head, body, venue: None }).await?;
    Ok(Reply::Hook(hooks.call(head.method.as_str(), head.uri.path(), head.uri.query(), received.plain()).await))
}

/// Performs a request under the fault that it meets, if any.
pub(super) async fn perform(
    shell: &Shell,
    mut validated: Validated<'_>,
    head: &Parts,
    hooks: &Hooks,
    trace: &Trace,
) -> Result<Reply, Fault> {
    trace.is_for(&validated.region);
    let effect = hooks.fault(trace);
    if let Some(effect) = effect.as_ref().filter(|effect| !effect.delay.is_zero()) {
        tokio::time::sleep(effect.delay).await;
    }
    let (outcome, comes_after) = effect.map_or((Outcome::Usual, false), |effect| (effect.outcome, effect.after));
    match outcome {
        Outcome::Exception(fault) if !comes_after => return Err(fault),
        Outcome::Drop if !comes_after => return Ok(Reply::Dropped),
        Outcome::Unprocessed(mut members) => validated.prepared.withhold(&mut |table, item| members.takes(table, item)),
        Outcome::Exception(fault) => return performed(shell, validated, head, hooks, trace).await.and(Err(fault)),
        Outcome::Drop => return performed(shell, validated, head, hooks, trace).await.map(|_| Reply::Dropped),
        Outcome::Usual => {}
    }
    performed(shell, validated, head, hooks, trace).await
}

async fn performed(shell: &Shell, validated: Validated<'_>, head: &Parts, hooks: &Hooks, trace: &Trace) -> Result<Reply, Fault> {
    let _performing = hooks.performing().await;
    perform::perform(shell, validated, head, Some(trace.ledger.clone())).await.map(Reply::Answer)
}

/// What the journal says of the answer.
pub(super) fn answered(reply: &Reply, observation: &Observation) -> Answered {
    let status = (!matches!(reply, Reply::Dropped)).then(|| reply.status().as_u16());
    Answered {
        request_id: observation.request_id,
        status,
        exception: exception(reply).map(std::borrow::Cow::into_owned),
        latency: observation.elapsed(),
    }
}
