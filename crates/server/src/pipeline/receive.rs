//! Second stage: the body, in one buffer, and inflated if it came compressed.
//!
//! Most bodies are there when their headers are, and wait for nobody. One that is large, or takes its time, is counted while it
//! arrives; where many do, the slowest are given up. A large one is put together, inflated and all that follows where long work is
//! done. What must stay true: memory is counted before much of it is used, what was only announced counts nothing, no request
//! holds more than the limit twice (as it came and inflated), and a body that never ends is given up.

use std::future::Future as _;
use std::io::Read;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::header::CONTENT_ENCODING;
use hyper::http::request::Parts;
use stator_api::Fault;
use tokio::time::Instant;

use super::budget::{REQUEST_BYTES, Reservation};
use super::{Arriving, Shell};

/// How much of a body that is too large is read and thrown away, so that the client gets to read the answer.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
const DISCARDING_TIME_MAX: Duration = Duration::from_secs(5);
/// A body that is whole within this time has come at once.
const AT_ONCE: Duration = Duration::from_millis(50);
/// So much of a body may be there without being counted.
const UNCOUNTED_BYTES_MAX: usize = 16 << 10;
/// A body that is not there at once is kept in chunks until it is whole, so that no step of it takes long.
const CHUNK_BYTES: usize = 64 << 10;
/// A body that is longer is worked through elsewhere: it would keep a core for more than a millisecond.
const LONG_BYTES: usize = 256 << 10;
/// How often a body that is late is looked at.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// Slower ones are given up where others want their place.
const BYTES_PER_SECOND_MIN: u32 = 64 << 10;

/// A body in memory.
pub(super) struct Received<'b> {
    /// As it came over the wire; this is what was signed.
    wire: Bytes,
    /// What came compressed, inflated.
    inflated: Option<Bytes>,
    _reservation: Reservation<'b>,
}

impl Received<'_> {
    /// The bytes that were signed.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }

    /// The bytes that say what is asked.
    pub(super) fn plain(&self) -> &[u8] {
        self.inflated.as_deref().unwrap_or(&self.wire)
    }
}

/// Whether the body may be worth another venue, by what is known before it comes.
pub(super) fn may_be_long(head: &Parts, body: &impl Body) -> bool {
    is_encoded(head) || body.size_hint().upper().is_none_or(|bytes| bytes > LONG_BYTES as u64)
}

fn is_encoded(head: &Parts) -> bool {
    head.headers.contains_key(CONTENT_ENCODING)
}

/// Reads the body.
pub(super) async fn receive<'b, B>(shell: &'b Shell, arriving: Arriving<'_, B>) -> Result<Received<'b>, Fault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let Arriving { head, body, venue } = arriving;
    let limit = shell.body_bytes_max;
    let declared = body.size_hint().upper().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if declared.is_some_and(|bytes| bytes > limit) {
        discard(body).await;
        return Err(too_large());
    }
    let arrival = Arrival::new(shell, declared.unwrap_or(0));
    let (pieces, room) = match arrival.collect(body).await {
        Ok(collected) => collected,
        Err(Broken::TooLarge) => {
            discard(body).await;
            return Err(too_large());
        }
        Err(Broken::Fault(fault)) => return Err(fault),
    };
    let mut reservation = Reservation::empty(&shell.budget.running, shell.budget.wait());
    reservation.grow(REQUEST_BYTES + pieces.bytes).await?;
    drop(room);
    if let Some(venue) = venue
        && (is_encoded(head) || pieces.bytes > LONG_BYTES)
        && venue.leave()
    {
        tokio::task::yield_now().await;
    }
    let wire = pieces.whole();
    let inflated = inflate(head, &wire, limit, &mut reservation).await?;
    Ok(Received { wire, inflated, _reservation: reservation })
}

enum Broken {
    TooLarge,
    Fault(Fault),
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Broken {
        Broken::Fault(fault)
    }
}

/// What has come of a body. What came at once is taken as it is; all else is copied, because each piece keeps a buffer that may be
/// far larger.
#[derive(Default)]
struct Pieces {
    bytes: usize,
    first: Bytes,
    chunks: Vec<Bytes>,
    /// How much is said to come.
    declared: usize,
    /// Less than a chunk.
    last: BytesMut,
}

impl Pieces {
    fn take(&mut self, piece: Bytes) {
        self.bytes += piece.len();
        if self.bytes == piece.len() {
            self.first = piece;
            return;
        }
        let first = std::mem::take(&mut self.first);
        if !first.is_empty() {
            // So that a body of a usual size that came in two pieces is copied once.
            self.last.reserve(self.declared.max(self.bytes).min(CHUNK_BYTES));
        }
        self.append(&first);
        self.append(&piece);
    }

    fn append(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let (fitting, rest) = piece.split_at(piece.len().min(CHUNK_BYTES - self.last.len()));
            self.last.extend_from_slice(fitting);
            if self.last.len() == CHUNK_BYTES {
                self.chunks.push(self.last.split().freeze());
            }
            piece = rest;
        }
    }

    /// All in one. Each chunk is given back once it is copied, so that it takes the memory of one body and a chunk.
    fn whole(mut self) -> Bytes {
        if self.chunks.is_empty() {
            return if self.last.is_empty() { self.first } else { self.last.freeze() };
        }
        self.chunks.push(self.last.freeze());
        let mut whole = BytesMut::with_capacity(self.bytes);
        for chunk in self.chunks {
            whole.extend_from_slice(&chunk);
            std::thread::yield_now();
        }
        whole.freeze()
    }
}

/// A body on its way.
struct Arrival<'b> {
    shell: &'b Shell,
    pieces: Pieces,
    room: Reservation<'b>,
    is_counted: bool,
}

impl<'b> Arrival<'b> {
    fn new(shell: &'b Shell, declared: usize) -> Arrival<'b> {
        let room = Reservation::empty(&shell.budget.arriving, shell.budget.wait());
        Arrival { shell, pieces: Pieces { declared, ..Pieces::default() }, room, is_counted: false }
    }

    /// Reads to the end; the room is kept until the body is counted elsewhere.
    async fn collect<B>(mut self, body: &mut B) -> Result<(Pieces, Reservation<'b>), Broken>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        // What is there already needs neither a clock nor a timer.
        while let Some(frame) = frame_at_hand(body).await {
            if !self.goes_on_after(frame).await? {
                return Ok((self.pieces, self.room));
            }
        }
        let begun = Instant::now();
        let mut timer = pin!(tokio::time::sleep_until(begun + AT_ONCE.min(self.shell.body_timeout)));
        loop {
            tokio::select! {
                biased;
                frame = next_frame(body) => {
                    if !self.goes_on_after(frame).await? {
                        return Ok((self.pieces, self.room));
                    }
                }
                () = &mut timer => {
                    self.is_late(begun).await?;
                    timer.as_mut().reset(Instant::now() + PROGRESS_INTERVAL.min(self.shell.body_timeout.saturating_sub(begun.elapsed())));
                }
            }
        }
    }

    /// Takes a piece in; whether the body goes on behind it.
    async fn goes_on_after(&mut self, frame: Option<Option<Bytes>>) -> Result<bool, Broken> {
        match frame {
            None => Ok(false),
            Some(None) => Err(Broken::Fault(cut_off())),
            Some(Some(data)) => self.take(data).await.map(|()| true),
        }
    }

    async fn take(&mut self, data: Bytes) -> Result<(), Broken> {
        let length = self.pieces.bytes + data.len();
        if length > self.shell.body_bytes_max {
            return Err(Broken::TooLarge);
        }
        if self.is_counted || length > UNCOUNTED_BYTES_MAX.max(data.len()) {
            self.count(length).await?;
        }
        self.pieces.take(data);
        Ok(())
    }

    async fn count(&mut self, length: usize) -> Result<(), Fault> {
        self.is_counted = true;
        self.room.grow_to(REQUEST_BYTES + length).await
    }

    /// It has not come yet: it counts from now on, and is given up when its time is over, or when it is slow and others want
    /// its place.
    async fn is_late(&mut self, begun: Instant) -> Result<(), Fault> {
        let elapsed = begun.elapsed();
        let due_bytes = u128::from(BYTES_PER_SECOND_MIN) * elapsed.as_millis() / 1000;
        let is_slow = elapsed >= PROGRESS_INTERVAL && (self.pieces.bytes as u128) < due_bytes;
        if elapsed >= self.shell.body_timeout || is_slow && self.shell.budget.arriving.is_pressed() {
            return Err(too_slow());
        }
        self.count(self.pieces.bytes).await
    }
}

/// The next piece of a body; nothing in the place of one that broke.
async fn next_frame<B>(body: &mut B) -> Option<Option<Bytes>>
where
    B: Body<Data = Bytes> + Unpin,
{
    // What is no data is empty.
    body.frame().await.map(|frame| Some(frame.ok()?.into_data().unwrap_or_default()))
}

/// The next piece, if it is there already.
async fn frame_at_hand<B>(body: &mut B) -> Option<Option<Option<Bytes>>>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut next = pin!(next_frame(body));
    std::future::poll_fn(|context| match next.as_mut().poll(context) {
        Poll::Ready(frame) => Poll::Ready(Some(frame)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Closing a connection with unread bytes resets it, and the client might never see the answer.
async fn discard<B>(body: &mut B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let discarding = async {
        let mut bytes = 0;
        while let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await {
            bytes += frame.data_ref().map_or(0, Bytes::len);
            if bytes > DISCARDED_BYTES_MAX {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(DISCARDING_TIME_MAX, discarding).await;
}

async fn inflate(head: &Parts, wire: &[u8], limit: usize, reservation: &mut Reservation<'_>) -> Result<Option<Bytes>, Fault> {
    let Some(encoding) = head.headers.get(CONTENT_ENCODING) else { return Ok(None) };
    let encoding = encoding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    let plain = match encoding.as_str() {
        // The second is what some SDKs call "JSON as it is".
        "" | "identity" | "amz-1.0" => return Ok(None),
        "gzip" | "x-gzip" => read_bounded(GzDecoder::new(wire), limit, reservation).await?,
        // The name means zlib's format, but some clients send the bare one.
        "deflate" => match read_bounded(ZlibDecoder::new(wire), limit, reservation).await {
            Err(fault) if fault.status == 400 => read_bounded(DeflateDecoder::new(wire), limit, reservation).await?,
            other => other?,
        },
        _ => return Err(Fault { message: None, ..Fault::client("SerializationException", "") }),
    };
    Ok(Some(plain))
}

async fn read_bounded(mut decoder: impl Read, limit: usize, reservation: &mut Reservation<'_>) -> Result<Bytes, Fault> {
    let mut plain = Pieces::default();
    loop {
        reservation.grow(CHUNK_BYTES).await?;
        let mut step = Vec::with_capacity(CHUNK_BYTES);
        decoder.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut step).map_err(|_| cut_off())?;
        if step.is_empty() {
            return Ok(plain.whole());
        }
        plain.take(step.into());
        if plain.bytes > limit {
            return Err(too_large());
        }
        std::thread::yield_now();
    }
}

fn too_large() -> Fault {
    Fault { status: 413, ..Fault::client("RequestEntityTooLargeException", "Request size exceeded 16 MB limit") }
}

fn too_slow() -> Fault {
    Fault { status: 408, ..Fault::client("RequestTimeoutException", "The request body did not arrive in time") }
}

/// The body ended early or its compression is broken.
fn cut_off() -> Fault {
    Fault { message: None, ..Fault::client("SerializationException", "") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(lengths: &[usize]) -> (Vec<u8>, Vec<u8>, usize) {
        let mut pieces = Pieces::default();
        let mut expected = Vec::new();
        for length in lengths {
            let piece: Vec<u8> = (expected.len()..expected.len() + length).map(|at| at.to_le_bytes()[0]).collect();
            expected.extend_from_slice(&piece);
            pieces.take(piece.into());
        }
        let bytes = pieces.bytes;
        (pieces.whole().to_vec(), expected, bytes)
    }

    #[test]
    fn pieces_of_any_length_come_together_in_their_order() {
        const CHUNK: usize = CHUNK_BYTES;
        for lengths in [
            &[][..],
            &[0],
            &[7],
            &[0, 7, 0],
            &[7, 8, 9],
            &[CHUNK],
            &[CHUNK, 1],
            &[1, CHUNK],
            &[CHUNK - 1, 1, 1],
            &[3 * CHUNK, 5, 2 * CHUNK + 7],
            &[100; 1_000],
        ] {
            let (whole, expected, bytes) = whole(lengths);
            assert!(whole == expected, "{lengths:?}");
            assert_eq!(bytes, expected.len());
        }
    }

    #[test]
    fn what_comes_at_once_is_not_copied() {
        let body = Bytes::from(vec![b'x'; 100]);
        let mut pieces = Pieces::default();
        pieces.take(Bytes::new());
        pieces.take(body.clone());
        assert_eq!(pieces.whole().as_ptr(), body.as_ptr());
    }
}
