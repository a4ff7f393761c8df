//! A panic in one piece of work must not end the others.
//!
//! What must stay true: whoever uses this says so in the log; nothing is repeated after a panic as if it had not been.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A piece of work panicked.
#[derive(Debug)]
pub(crate) struct Panicked {
    /// What the panic said.
    pub(crate) text: String,
}

/// Awaits a future, and answers the panic if it panics.
pub(crate) async fn unless_it_panics<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(Panicked { text: text(panic.as_ref()).to_owned() })),
    })
    .await
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
