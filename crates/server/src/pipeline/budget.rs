//! Memory for requests, in three pools: bodies that arrive, requests that are being answered, answers that are on their way.
//!
//! ```text
//!   slow or large body ─ arriving ─┐
//!                                  ├─ running ─ the work ─ leaving ─ a large answer, until its client has taken it
//!   body that is there at once ────┘
//! ```
//!
//! They are apart so that a client that does not send, or does not read, takes nothing from those who do. Each request weighs
//! its bytes and something for itself, so a pool bounds their number, too. What must stay true: who finds a pool full waits,
//! for a bounded time and among a bounded number of others, and is told to try again; but an answer does not wait, because it
//! is in memory already. A pool with room costs one atomic number each way, and no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use stator_api::Fault;
use tokio::sync::Notify;

/// What a request takes beside its body: the state of its connection and its work.
pub(super) const REQUEST_BYTES: usize = 16 << 10;
/// Answers below this size are not counted: the number of requests bounds them.
const LARGE_ANSWER_BYTES: usize = 64 << 10;
/// Requests that wait for one pool; further ones are told at once.
const WAITING_MAX: usize = 1024;

/// Memory for all requests of a server.
#[derive(Debug)]
pub struct Budget {
    pub(crate) arriving: Pool,
    pub(super) running: Pool,
    leaving: Arc<Pool>,
    wait: Duration,
}

impl Budget {
    /// So many bytes in all; whoever finds no room waits so long.
    pub fn new(bytes_max: usize, wait: Duration) -> Budget {
        let pool = || Pool { bytes_max: bytes_max / 3, ..Pool::default() };
        Budget { arriving: pool(), running: pool(), leaving: Arc::new(pool()), wait }
    }

    /// How long a request waits for its turn.
    pub(super) fn wait(&self) -> Duration {
        self.wait
    }

    /// Takes a large answer into the account until it has been sent. One that comes of a write is taken even where there is
    /// no room, because the write has happened; one that is larger than all room, where nothing else is on its way.
    pub(super) fn leave(&self, bytes: usize, is_of_write: bool) -> Result<Option<Leaving>, Fault> {
        if bytes < LARGE_ANSWER_BYTES {
            return Ok(None);
        }
        let bytes = bytes.min(self.leaving.bytes_max);
        if is_of_write {
            self.leaving.bytes_used.fetch_add(bytes, Ordering::Relaxed);
        } else if !self.leaving.try_take(bytes) {
            return Err(crowded());
        }
        Ok(Some(Leaving { pool: Arc::clone(&self.leaving), bytes }))
    }
}

/// Room for some bytes at a time.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    bytes_max: usize,
    bytes_used: AtomicUsize,
    waiting: AtomicUsize,
    freed: Notify,
}

impl Pool {
    /// Takes room if there is some.
    pub(crate) fn try_take(&self, bytes: usize) -> bool {
        let grown = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.bytes_max);
        self.bytes_used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, grown).is_ok()
    }

    /// Gives room back.
    pub(crate) fn give(&self, bytes: usize) {
        self.bytes_used.fetch_sub(bytes, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.freed.notify_one();
        }
    }

    /// Whether so much is taken that those who are slow have to make room.
    pub(super) fn is_pressed(&self) -> bool {
        self.bytes_used.load(Ordering::Relaxed) > self.bytes_max / 2
    }

    /// Takes room, and waits for it so long if need be. Who fits goes in, so that nobody small waits behind somebody large.
    async fn take(&self, bytes: usize, wait: Duration) -> Result<(), Fault> {
        if self.try_take(bytes) {
            return Ok(());
        }
        if bytes > self.bytes_max {
            return Err(crowded());
        }
        let turn = Turn(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::SeqCst) >= WAITING_MAX {
            return Err(crowded());
        }
        let taken = tokio::time::timeout(wait, self.take_in_turn(bytes)).await;
        drop(turn);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            // What was given back may have been more than this one took.
            self.freed.notify_one();
        }
        taken.map_err(|_| crowded())
    }

    async fn take_in_turn(&self, bytes: usize) {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            // Before looking, so that what is given back meanwhile is heard of.
            freed.as_mut().enable();
            if self.try_take(bytes) {
                return;
            }
            freed.await;
        }
    }
}

/// Somebody who waits, however it ends.
struct Turn<'p>(&'p AtomicUsize);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Room that a request has taken in a pool.
pub(super) struct Reservation<'b> {
    pool: &'b Pool,
    wait: Duration,
    bytes: usize,
}

impl<'b> Reservation<'b> {
    pub(super) fn empty(pool: &'b Pool, wait: Duration) -> Reservation<'b> {
        Reservation { pool, wait, bytes: 0 }
    }

    /// Takes more.
    pub(super) async fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        self.pool.take(bytes, self.wait).await?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes what lacks to a sum.
    pub(super) async fn grow_to(&mut self, bytes: usize) -> Result<(), Fault> {
        if bytes > self.bytes { self.grow(bytes - self.bytes).await } else { Ok(()) }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.pool.give(self.bytes);
        }
    }
}

/// Room that a large answer takes until it is gone.
#[derive(Debug)]
pub(super) struct Leaving {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Leaving {
    /// The body that gives the room back when nothing refers to it any more.
    pub(super) fn carry(self, body: Vec<u8>) -> Bytes {
        Bytes::from_owner(Carried { body, _room: self })
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.pool.give(self.bytes);
    }
}

struct Carried {
    body: Vec<u8>,
    _room: Leaving,
}

impl AsRef<[u8]> for Carried {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// There is more to do than this machine does.
pub(super) fn crowded() -> Fault {
    Fault { status: 503, ..Fault::client("ServiceUnavailableException", "Too many requests are in flight; try again") }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn pool(bytes_max: usize) -> Pool {
        Pool { bytes_max, ..Pool::default() }
    }

    #[tokio::test]
    async fn who_finds_a_pool_full_goes_on_when_there_is_room() {
        let pool = pool(10);
        let wait = Duration::from_secs(60);
        let mut first = Reservation::empty(&pool, wait);
        first.grow(8).await.unwrap();
        let mut second = Reservation::empty(&pool, wait);
        let mut waits = pin!(second.grow(5));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        let mut third = Reservation::empty(&pool, wait);
        let mut waits_too = pin!(third.grow(4));
        assert!(waits_too.as_mut().poll(&mut context).is_pending());
        // There is room for this one.
        assert!(pool.try_take(1));
        // One end wakes both, one after the other.
        drop(first);
        assert_eq!(waits.as_mut().poll(&mut context), Poll::Ready(Ok(())));
        assert_eq!(waits_too.as_mut().poll(&mut context), Poll::Ready(Ok(())));
        assert!(!pool.try_take(1));
    }

    #[tokio::test]
    async fn a_wait_ends_in_a_refusal_that_may_be_tried_again() {
        let pool = pool(10);
        assert!(pool.try_take(10));
        let wait = Duration::from_millis(30);
        let mut late = Reservation::empty(&pool, wait);
        let before = tokio::time::Instant::now();
        let fault = late.grow(1).await.unwrap_err();
        assert_eq!((fault.status, fault.exception), (503, "ServiceUnavailableException"));
        assert!(before.elapsed() >= wait);
        assert_eq!(pool.waiting.load(Ordering::SeqCst), 0);
        pool.give(10);
        late.grow(1).await.unwrap();
    }

    #[tokio::test]
    async fn what_never_fits_is_refused_at_once_and_so_is_one_too_many() {
        let pool = pool(10);
        let wait = Duration::from_secs(60);
        let before = tokio::time::Instant::now();
        assert!(Reservation::empty(&pool, wait).grow(11).await.is_err());
        assert!(pool.try_take(10));
        pool.waiting.store(WAITING_MAX, Ordering::SeqCst);
        assert!(Reservation::empty(&pool, wait).grow(1).await.is_err());
        assert_eq!(pool.waiting.load(Ordering::SeqCst), WAITING_MAX);
        assert!(before.elapsed() < wait);
    }

    #[test]
    fn a_large_answer_is_counted_until_nobody_holds_it() {
        let budget = Budget::new(3 * LARGE_ANSWER_BYTES, Duration::ZERO);
        assert!(budget.leave(100, false).unwrap().is_none());
        let sent = budget.leave(LARGE_ANSWER_BYTES, false).unwrap().unwrap().carry(vec![0; LARGE_ANSWER_BYTES]);
        assert!(budget.leave(LARGE_ANSWER_BYTES, false).is_err());
        drop(budget.leave(LARGE_ANSWER_BYTES, true).unwrap());
        let part = sent.slice(10..20);
        drop(sent);
        assert!(budget.leave(LARGE_ANSWER_BYTES, false).is_err());
        drop(part);
        let larger_than_all = budget.leave(5 * LARGE_ANSWER_BYTES, false).unwrap();
        assert!(budget.leave(LARGE_ANSWER_BYTES, false).is_err());
        drop(larger_than_all);
        assert!(budget.leave(LARGE_ANSWER_BYTES, false).is_ok());
    }
}
