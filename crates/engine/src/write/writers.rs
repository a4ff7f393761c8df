//! Who is writing: background work that begins with what the catalog shows now waits for all who may not have seen it yet.
//!
//! A decision reads the catalog and takes its place in the order of commits a moment later; in between, its thread may be
//! stopped for as long as the system likes. Whoever has to come behind all such decisions closes the present generation
//! of writers and waits until its last one has left. What must stay true: a writer enters before its decision and leaves
//! when its commit has returned; entering never waits.

use std::convert::Infallible;
use std::sync::Arc;

use arc_swap::ArcSwap;
use futures_channel::oneshot::{Receiver, Sender, channel};

/// Those who entered between two calls of [`Writers::pass`]. Ends when the last of them leaves.
#[derive(Debug)]
pub(crate) struct Generation {
    /// Never sends: that it is dropped tells the end.
    _end: Sender<Infallible>,
}

impl Generation {
    fn begin() -> (Arc<Generation>, Receiver<Infallible>) {
        let (end, ended) = channel();
        (Arc::new(Generation { _end: end }), ended)
    }
}

/// All writers.
#[derive(Debug)]
pub(crate) struct Writers {
    present: ArcSwap<Generation>,
    /// The ends of all generations that may have members, the present one last.
    ends: async_lock::Mutex<Vec<Receiver<Infallible>>>,
}

impl Default for Writers {
    fn default() -> Writers {
        let (first, ended) = Generation::begin();
        Writers { present: ArcSwap::new(first), ends: async_lock::Mutex::new(vec![ended]) }
    }
}

impl Writers {
    /// A writer is one until what this answers is dropped.
    pub(crate) fn enter(&self) -> Arc<Generation> {
        self.present.load_full()
    }

    /// Waits until all who have entered so far have left.
    pub(crate) async fn pass(&self) {
        let mut ends = self.ends.lock().await;
        let (next, next_ends) = Generation::begin();
        // Before anything is awaited: whoever gives up waiting leaves the rest to the next one.
        ends.push(next_ends);
        drop(self.present.swap(next));
        while ends.len() > 1 {
            let _ = (&mut ends[0]).await;
            drop(ends.remove(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn who_passes_waits_for_those_who_were_there_and_for_nobody_else() {
        let (writers, mut context) = (Writers::default(), Context::from_waker(Waker::noop()));
        let (first, second) = (writers.enter(), writers.enter());
        let mut passes = pin!(writers.pass());
        assert!(passes.as_mut().poll(&mut context).is_pending());
        let later = writers.enter();
        drop(first);
        assert!(passes.as_mut().poll(&mut context).is_pending());
        drop(second);
        assert_eq!(passes.as_mut().poll(&mut context), Poll::Ready(()));
        drop(later);
        assert_eq!(pin!(writers.pass()).poll(&mut context), Poll::Ready(()));
    }

    #[test]
    fn whom_one_has_not_waited_for_the_next_one_does() {
        let (writers, mut context) = (Writers::default(), Context::from_waker(Waker::noop()));
        let first = writers.enter();
        assert!(pin!(writers.pass()).poll(&mut context).is_pending());
        let mut passes = pin!(writers.pass());
        assert!(passes.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert_eq!(passes.as_mut().poll(&mut context), Poll::Ready(()));
    }
}
