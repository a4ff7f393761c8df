//! A panic in one piece of work must not end the others.
//!
//! What must stay true: whoever uses this says so in the log, with the number of panics so far; nothing is repeated after a
//! panic as if it had not been.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// Panics since the start, of requests and of background work.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// A piece of work panicked.
#[derive(Debug)]
pub(crate) struct Panicked {
    /// What the panic said.
    pub(crate) text: String,
    /// How many there have been, this one included.
    pub(crate) count: u64,
}

/// Awaits a future, and answers the panic if it panics.
pub(crate) async fn unless_it_panics<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => {
            let count = PANICS.fetch_add(1, Ordering::Relaxed) + 1;
            Poll::Ready(Err(Panicked { text: text(panic.as_ref()).to_owned(), count }))
        }
    })
    .await
}

/// Lets panics be told in the log, where they happened; without it each is a bare line on standard error.
pub(crate) fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current().name().unwrap_or("-").to_owned();
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, thread, panic = text(panic.payload()), "panic");
    }));
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::unless_it_panics;

    #[tokio::test]
    async fn panics_are_answered_and_counted() {
        let first = unless_it_panics(async { panic!("one {}", 1) }).await.map(|()| 0).unwrap_err();
        let second = unless_it_panics(async { panic!("two") }).await.map(|()| 0).unwrap_err();
        assert_eq!((first.text.as_str(), second.text.as_str()), ("one 1", "two"));
        assert!(second.count > first.count);
        assert_eq!(unless_it_panics(async { 7 }).await.unwrap(), 7);
    }
}
