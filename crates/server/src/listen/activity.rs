//! What one connection is doing: requests that run, since when it has been idle, and what it has sent that is no request yet.
//!
//! What must stay true: it belongs to its connection, so its atomics are never fought over. What a connection sends ahead of a
//! request beyond a usual head is counted with the bodies that arrive, so that ten thousand clients with endless heads
//! take no more memory than bodies may.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use crate::pipeline::Shell;
use crate::venue::Venue;

/// What a connection may send ahead of a request without being counted.
const HEAD_BYTES_USUAL: usize = 4 << 10;
/// A buffer that grows with what it holds has room for as much again.
const BUFFER_FACTOR: usize = 2;
/// Beyond this, it is read slowly; no head is as long, and frames that ask for nothing are work for nothing.
const HEAD_BYTES_LONG: usize = 32 << 10;
/// How slowly: a piece of at most so many bytes, after a pause each.
const SLOW_PIECE_BYTES: usize = 1 << 10;
const SLOW_PAUSE: Duration = Duration::from_millis(16);
/// A connection that has sent so much since its last request wants something else than requests.
const HEAD_BYTES_MAX: usize = 256 << 10;

/// A task of the runtime has so many turns before others have theirs. Bytes of a body are cheap; what belongs to no request may
/// be frames of a few bytes, each with work of its own.
const TURNS: usize = 128;
const BODY_BYTES_PER_TURN: usize = 256;
const OTHER_BYTES_PER_TURN: usize = 64;

pub(super) struct Activity {
    shell: Arc<Shell>,
    origin: Instant,
    running: AtomicUsize,
    last_end_ms: AtomicU64,
    /// Bytes read since the last request began.
    head_bytes: AtomicUsize,
    /// Of these, what is counted.
    counted_bytes: AtomicUsize,
    venue: Arc<Venue>,
}

impl Activity {
    pub(super) fn start(shell: Arc<Shell>) -> Activity {
        Activity {
            shell,
            origin: Instant::now(),
            running: AtomicUsize::new(0),
            last_end_ms: AtomicU64::new(0),
            head_bytes: AtomicUsize::new(0),
            counted_bytes: AtomicUsize::new(0),
            venue: Arc::default(),
        }
    }

    /// A request begins; it runs until what is answered here is dropped.
    pub(super) fn begin(&self) -> Running<'_> {
        self.running.fetch_add(1, Ordering::Relaxed);
        self.head_bytes.store(0, Ordering::Relaxed);
        self.give_back();
        Running(self)
    }

    /// Where the connection is worked on.
    pub(super) fn venue(&self) -> &Arc<Venue> {
        &self.venue
    }

    /// Whether the connection is to be carried to the threads of long work before more is read: no usual head is as long as what
    /// has come, and to make sense of that may be work for nothing.
    fn leaves(&self) -> bool {
        self.shell.bulk.is_some()
            && self.running.load(Ordering::Relaxed) == 0
            && self.head_bytes.load(Ordering::Relaxed) > HEAD_BYTES_USUAL
            && self.venue.leave()
    }

    /// How long no request has been running; nothing while one is.
    pub(super) fn idle(&self) -> Option<Duration> {
        if self.running.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let idle_since = self.origin + Duration::from_millis(self.last_end_ms.load(Ordering::Relaxed));
        Some(Instant::now().saturating_duration_since(idle_since))
    }

    /// Ready once no request has been running for the time. Sleeps to the earliest moment at which that can be.
    pub(super) async fn idle_for(&self, timeout: Duration) {
        let mut wake = self.origin + timeout;
        loop {
            tokio::time::sleep_until(wake).await;
            wake = Instant::now() + timeout;
            match self.idle() {
                None => {}
                Some(idle) if idle >= timeout => return,
                Some(idle) => wake -= idle,
            }
        }
    }

    fn bytes_per_turn(&self) -> usize {
        if self.running.load(Ordering::Relaxed) > 0 { BODY_BYTES_PER_TURN } else { OTHER_BYTES_PER_TURN }
    }

    /// Notes what was read.
    fn has_read(&self, bytes: usize) {
        if self.running.load(Ordering::Relaxed) == 0 {
            self.head_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Before more is read: whether that is to be slow; refused when what has come is no request yet and there is no room for more of
    /// that. Asked here and not after a read: a request may have come whole with its body, and has begun by now.
    fn reads_slowly(&self) -> io::Result<bool> {
        if self.running.load(Ordering::Relaxed) > 0 {
            return Ok(false);
        }
        let head_bytes = self.head_bytes.load(Ordering::Relaxed);
        if head_bytes > HEAD_BYTES_MAX {
            return Err(io::Error::other("too much that is no request"));
        }
        let (due, counted) = (BUFFER_FACTOR * head_bytes.saturating_sub(HEAD_BYTES_USUAL), self.counted_bytes.load(Ordering::Relaxed));
        if due > counted {
            if !self.shell.budget.arriving.try_take(due - counted) {
                return Err(io::Error::other("no room for longer heads"));
            }
            self.counted_bytes.store(due, Ordering::Relaxed);
        }
        Ok(head_bytes > HEAD_BYTES_LONG)
    }

    fn give_back(&self) {
        if self.counted_bytes.load(Ordering::Relaxed) > 0 {
            self.shell.budget.arriving.give(self.counted_bytes.swap(0, Ordering::Relaxed));
        }
    }
}

impl Drop for Activity {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// A request being answered; its end is noted however it ends.
pub(super) struct Running<'a>(&'a Activity);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let elapsed = u64::try_from(self.0.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_end_ms.store(elapsed, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection whose reads are noted.
pub(super) struct Noted<S> {
    stream: S,
    activity: Arc<Activity>,
    /// While it is read slowly, nothing is read before this has passed.
    pause: Option<Pin<Box<Sleep>>>,
    /// What its large reads have taken since the thread last let others have the core. A thread that yields for each small
    /// request would give its place to those that stand back.
    turns: usize,
}

impl<S> Noted<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Noted<S> {
        Noted { stream, activity, pause: None, turns: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.activity.leaves() {
            // Read on by whoever carries the connection over; or by itself, if a stream has called it back and nobody saw that yet.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = if self.activity.reads_slowly()? {
            self.poll_read_slowly(context, buffer)
        } else {
            self.pause = None;
            Pin::new(&mut self.stream).poll_read(context, buffer)
        };
        if let Poll::Ready(Ok(())) = polled {
            let bytes = buffer.filled().len() - before;
            self.pay(context, bytes);
            self.activity.has_read(bytes);
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> Noted<S> {
    /// Lets others have their turn after some thousand bytes: to the runtime a read is a read, and one may hold as much work as
    /// hundreds of small frames are; and to the system a thread that reads megabytes is one that works, which it lets go on while
    /// those that wake on its core wait for its next tick.
    fn pay(&mut self, context: &mut Context<'_>, bytes: usize) {
        let turns = bytes / self.activity.bytes_per_turn();
        if bytes > HEAD_BYTES_USUAL {
            self.turns += turns;
        }
        if self.turns >= TURNS {
            self.turns = 0;
            std::thread::yield_now();
        }
        for _ in 0..turns {
            match tokio::task::coop::poll_proceed(context) {
                Poll::Ready(turn) => turn.made_progress(),
                Poll::Pending => return,
            }
        }
    }

    /// Reads a small piece, after a pause.
    fn poll_read_slowly(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(SLOW_PAUSE)));
        ready!(pause.as_mut().poll(context));
        let mut bytes = [0; SLOW_PIECE_BYTES];
        let mut piece = ReadBuf::new(&mut bytes[..SLOW_PIECE_BYTES.min(buffer.remaining())]);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut piece))?;
        buffer.put_slice(piece.filled());
        self.pause = None;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
