//! Waits for a future on this thread, so that stores can be tested without a runtime.
//!
//! What must stay true: a wake that comes before the thread sleeps is not lost.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Drives a future to its end.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Polls a future once and drops it, as a caller does who goes away.
pub(super) fn give_up<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Starts futures one after the other, then waits for all of them in that order.
pub(super) fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut started: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut done: Vec<Option<F::Output>> = started.iter_mut().map(|_| None).collect();
    loop {
        for (future, output) in started.iter_mut().zip(&mut done).filter(|(_, output)| output.is_none()) {
            if let Poll::Ready(ready) = future.as_mut().poll(&mut context) {
                *output = Some(ready);
            }
        }
        if done.iter().all(Option::is_some) {
            return done.into_iter().flatten().collect();
        }
        thread::park();
    }
}
