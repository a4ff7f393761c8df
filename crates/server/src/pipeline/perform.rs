//! Sixth stage: the work itself, awaited on the task of the connection.
//!
//! What must stay true: an operation learns of the request only its input and this context.

use std::sync::Arc;

use hyper::header::HOST;
use hyper::http::request::Parts;
use stator_api::{Answer, Context, Fault, Ledger};
use stator_model::arn::Scope;

use super::Shell;
use super::validate::Validated;

/// Performs the operation; what it consumes is noted in a ledger, if there is one.
pub(super) async fn perform(shell: &Shell, validated: Validated<'_>, head: &Parts, ledger: Option<Arc<Ledger>>) -> Result<Answer, Fault> {
    let host = head
        .headers
        .get(HOST)
        .and_then(|value| value.to_str().ok())
        .or_else(|| head.uri.authority().map(hyper::http::uri::Authority::as_str));
    let context = Context {
        engine: Arc::clone(&shell.engine),
        scope: Scope { account: shell.account.clone(), region: validated.region },
        host: host.unwrap_or_default().to_owned(),
        ledger,
    };
    validated.prepared.perform(&context).await
}
