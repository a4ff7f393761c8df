//! Where work for a client is done: on the task of its connection, or on the threads of long work.
//!
//! A body of megabytes keeps a core for tens of milliseconds when it is inflated, hashed and decoded, and so do frames that ask for
//! nothing; whoever sends them needs no key for that. What must stay true: nothing that others wait for is held across a pause
//! there, and a request is back on its connection before it reads or writes an item. Who changes the venue and pends wakes
//! itself, because the venue may have been changed back before anybody saw it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use crate::bulk::Bulk;

/// The choice of a request or of a connection. Work that has made it is carried over when it pends next.
#[derive(Debug, Default)]
pub(crate) struct Venue {
    is_away: AtomicBool,
}

impl Venue {
    /// What follows is done on the threads of long work; whether it was not already.
    pub(crate) fn leave(&self) -> bool {
        !self.is_away.swap(true, Ordering::Relaxed)
    }

    /// What follows is done on the task of the connection; whether it was not already.
    pub(crate) fn come_back(&self) -> bool {
        // Looked at first: most never leave, and a load costs nothing.
        self.is_away() && self.is_away.swap(false, Ordering::Relaxed)
    }

    fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }
}

/// Work on another thread that ends when nobody waits for it any more: a client that goes away takes its scan along.
pub(crate) struct Spawned<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for Spawned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Spawned<T> {
    /// Its end; nothing if it was not let come to one.
    pub(crate) async fn end(mut self) -> Option<T> {
        (&mut self.0).await.ok()
    }
}

/// Does the work, at each moment where its venue says. Nothing if the threads of long work have ended.
pub(crate) async fn carry<F>(bulk: &Bulk, venue: Arc<Venue>, work: Pin<Box<F>>) -> Option<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut stage = Stage { work, venue, is_away: false }.play().await;
    loop {
        stage = match stage {
            Played::Whole(output) => return Some(output),
            Played::Until(stage) if stage.is_away => Spawned(bulk.spawn(stage.play())).end().await?,
            Played::Until(stage) => stage.play().await,
        }
    }
}

/// Work that is done in one venue.
struct Stage<F> {
    work: Pin<Box<F>>,
    venue: Arc<Venue>,
    is_away: bool,
}

enum Played<F: Future> {
    Whole(F::Output),
    /// It goes on in the other venue.
    Until(Stage<F>),
}

impl<F: Future> Stage<F> {
    async fn play(mut self) -> Played<F> {
        let output = std::future::poll_fn(|context| self.poll(context)).await;
        match output {
            Some(output) => Played::Whole(output),
            None => Played::Until(Stage { is_away: !self.is_away, ..self }),
        }
    }

    /// Ready with nothing when the venue has changed.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        match self.work.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.venue.is_away() != self.is_away => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tokio::task::yield_now;

    use super::*;
    use crate::bulk::BulkThreads;

    fn is_bulk() -> bool {
        thread::current().name().is_some_and(|name| name.starts_with("stator-bulk"))
    }

    #[test]
    fn work_is_done_where_its_venue_says() {
        let threads = BulkThreads::start().expect("there are threads");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there is a thread");
        let seen = runtime.block_on(async {
            let venue = Arc::new(Venue::default());
            let choice = Arc::clone(&venue);
            let work = async move {
                assert!(!choice.come_back());
                let mut seen = [is_bulk(); 5];
                assert!(choice.leave());
                yield_now().await;
                seen[1] = is_bulk();
                assert!(!choice.leave());
                yield_now().await;
                seen[2] = is_bulk();
                assert!(choice.come_back());
                yield_now().await;
                seen[3] = is_bulk();
                choice.leave();
                yield_now().await;
                seen[4] = is_bulk();
                seen
            };
            carry(&threads.bulk(), venue, Box::pin(work)).await
        });
        assert_eq!(seen, Some([false, true, true, false, true]));
    }

    #[test]
    fn who_goes_away_takes_the_work_along() {
        let threads = BulkThreads::start().expect("there are threads");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("there is a thread");
        let (kept, dropped) = tokio::sync::oneshot::channel::<()>();
        runtime.block_on(async {
            let venue = Arc::new(Venue::default());
            let choice = Arc::clone(&venue);
            let (away, gone) = tokio::sync::oneshot::channel();
            let work = async move {
                let _kept = kept;
                choice.leave();
                yield_now().await;
                let _ = away.send(());
                std::future::pending::<()>().await;
            };
            let bulk = threads.bulk();
            let carried = carry(&bulk, venue, Box::pin(work));
            tokio::select! {
                _ = carried => {}
                _ = gone => {}
            }
            assert!(dropped.await.is_err(), "what the work held is let go");
        });
    }
}
