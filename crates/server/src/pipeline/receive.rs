//! Second stage: the body, read once into one buffer and inflated if it came compressed.
//!
//! Most bodies are there when their headers are, and wait for nobody. One that is large, or takes its time, is counted while it
//! arrives; where many do, the slowest are given up. What must stay true: memory is counted before much of it is used, what
//! was only announced counts nothing, no request holds more than the limit twice (as it came and inflated), and a body that
//! never ends is given up.

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

use super::Shell;
use super::budget::{REQUEST_BYTES, Reservation};

/// How much of a body that is too large is read and thrown away, so that the client gets to read the answer.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
const DISCARDING_TIME_MAX: Duration = Duration::from_secs(5);
/// A body that is whole within this time has come at once.
const AT_ONCE: Duration = Duration::from_millis(50);
/// So much of a body may be there without being counted.
const UNCOUNTED_BYTES_MAX: usize = 16 << 10;
/// Room made for a body before it comes.
const RESERVED_BYTES_MAX: usize = 1 << 20;
/// How often a body that is late is looked at.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// Slower ones are given up where others want their place.
const BYTES_PER_SECOND_MIN: u32 = 64 << 10;

/// A body in memory.
pub(super) struct Received<'b> {
    /// As it came over the wire; this is what was signed.
    wire: Bytes,
    /// What came compressed, inflated.
    inflated: Option<Vec<u8>>,
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

/// Reads the body.
pub(super) async fn receive<'b, B>(shell: &'b Shell, head: &Parts, body: &mut B) -> Result<Received<'b>, Fault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let limit = shell.body_bytes_max;
    let declared = body.size_hint().upper().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if declared.is_some_and(|bytes| bytes > limit) {
        discard(body).await;
        return Err(too_large());
    }
    let arrival = Arrival::new(shell, declared.unwrap_or(0));
    let (wire, arriving) = match arrival.collect(body).await {
        Ok(collected) => collected,
        Err(Broken::TooLarge) => {
            discard(body).await;
            return Err(too_large());
        }
        Err(Broken::Fault(fault)) => return Err(fault),
    };
    let mut reservation = Reservation::empty(&shell.budget.running, shell.budget.wait());
    reservation.grow(REQUEST_BYTES + wire.len()).await?;
    drop(arriving);
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

/// A body on its way. One of one frame is taken as it is; a longer one is copied together once.
struct Arrival<'b> {
    shell: &'b Shell,
    declared: usize,
    first: Bytes,
    rest: BytesMut,
    room: Reservation<'b>,
    is_counted: bool,
}

impl<'b> Arrival<'b> {
    fn new(shell: &'b Shell, declared: usize) -> Arrival<'b> {
        let room = Reservation::empty(&shell.budget.arriving, shell.budget.wait());
        Arrival { shell, declared, first: Bytes::new(), rest: BytesMut::new(), room, is_counted: false }
    }

    /// Reads to the end; the room is kept until the body is counted elsewhere.
    async fn collect<B>(mut self, body: &mut B) -> Result<(Bytes, Reservation<'b>), Broken>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        // What is there already needs neither a clock nor a timer.
        while let Some(frame) = frame_at_hand(body).await {
            if !self.goes_on_after(frame).await? {
                return Ok(self.whole());
            }
        }
        let begun = Instant::now();
        let mut timer = pin!(tokio::time::sleep_until(begun + AT_ONCE.min(self.shell.body_timeout)));
        loop {
            tokio::select! {
                biased;
                frame = next_frame(body) => {
                    if !self.goes_on_after(frame).await? {
                        return Ok(self.whole());
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

    fn whole(self) -> (Bytes, Reservation<'b>) {
        (if self.rest.is_empty() { self.first } else { self.rest.freeze() }, self.room)
    }

    fn len(&self) -> usize {
        self.first.len().max(self.rest.len())
    }

    async fn take(&mut self, data: Bytes) -> Result<(), Broken> {
        let length = self.len() + data.len();
        if length > self.shell.body_bytes_max {
            return Err(Broken::TooLarge);
        }
        if self.is_counted || length > UNCOUNTED_BYTES_MAX.max(data.len()) {
            self.count(length).await?;
        }
        if self.first.is_empty() && self.rest.is_empty() {
            self.first = data;
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest.reserve(self.declared.min(RESERVED_BYTES_MAX).max(length));
            self.rest.extend_from_slice(&self.first);
            self.first = Bytes::new();
        }
        self.rest.extend_from_slice(&data);
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
        let is_slow = elapsed >= PROGRESS_INTERVAL && (self.len() as u128) < due_bytes;
        if elapsed >= self.shell.body_timeout || is_slow && self.shell.budget.arriving.is_pressed() {
            return Err(too_slow());
        }
        self.count(self.len()).await
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

async fn inflate(head: &Parts, wire: &[u8], limit: usize, reservation: &mut Reservation<'_>) -> Result<Option<Vec<u8>>, Fault> {
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

async fn read_bounded(mut decoder: impl Read, limit: usize, reservation: &mut Reservation<'_>) -> Result<Vec<u8>, Fault> {
    const STEP_BYTES: usize = 64 << 10;
    let mut plain = Vec::new();
    loop {
        reservation.grow(STEP_BYTES).await?;
        let step = u64::try_from(STEP_BYTES).expect("a step fits");
        let count = decoder.by_ref().take(step).read_to_end(&mut plain).map_err(|_| cut_off())?;
        if plain.len() > limit {
            return Err(too_large());
        }
        if count == 0 {
            return Ok(plain);
        }
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
