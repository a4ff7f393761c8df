//! Second stage: the body, read once into one buffer and inflated if it came compressed.
//!
//! What must stay true: memory is reserved before it is used, no request holds more than the limit twice (as it came
//! and inflated), and a body that never ends is given up.

use std::io::Read;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};
use http_body_util::BodyExt;
use hyper::body::Body;
use hyper::header::CONTENT_ENCODING;
use hyper::http::request::Parts;
use stator_api::Fault;

use super::Shell;

/// How much of a body that is too large is read and thrown away, so that the client gets to read the answer.
const DISCARDED_BYTES_MAX: usize = 64 << 20;
const DISCARDING_TIME_MAX: Duration = Duration::from_secs(5);

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

/// Memory for the bodies of all requests in flight: one number, so that no request waits for another.
#[derive(Debug)]
pub struct Budget {
    bytes_max: usize,
    bytes_used: AtomicUsize,
}

impl Budget {
    /// So many bytes in all.
    pub fn new(bytes_max: usize) -> Budget {
        Budget { bytes_max, bytes_used: AtomicUsize::new(0) }
    }

    fn empty_reservation(&self) -> Reservation<'_> {
        Reservation { budget: self, bytes: 0 }
    }
}

struct Reservation<'b> {
    budget: &'b Budget,
    bytes: usize,
}

impl Reservation<'_> {
    fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let used = self.budget.bytes_used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if used.saturating_add(bytes) > self.budget.bytes_max { Err(out_of_memory()) } else { Ok(()) }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.budget.bytes_used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads the body.
pub(super) async fn receive<'b, B>(shell: &'b Shell, head: &Parts, body: &mut B) -> Result<Received<'b>, Fault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut reservation = shell.budget.empty_reservation();
    let limit = shell.body_bytes_max;
    let declared = body.size_hint().upper().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if declared.is_some_and(|bytes| bytes > limit) {
        discard(body).await;
        return Err(too_large());
    }
    let all = tokio::time::timeout(shell.body_timeout, collect(body, limit, declared.unwrap_or(0), &mut reservation));
    let wire = match all.await {
        Ok(Ok(wire)) => wire,
        Ok(Err(Broken::TooLarge)) => {
            discard(body).await;
            return Err(too_large());
        }
        Ok(Err(Broken::Fault(fault))) => return Err(fault),
        Err(_) => return Err(too_slow()),
    };
    let inflated = inflate(head, &wire, limit, &mut reservation)?;
    Ok(Received { wire, inflated, _reservation: reservation })
}

enum Broken {
    TooLarge,
    Fault(Fault),
}

/// A body of one frame is taken as it is; a longer one is copied together once, into a buffer of its declared length.
async fn collect<B>(body: &mut B, limit: usize, declared: usize, reservation: &mut Reservation<'_>) -> Result<Bytes, Broken>
where
    B: Body<Data = Bytes> + Unpin,
{
    reservation.grow(declared).map_err(Broken::Fault)?;
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Broken::Fault(cut_off()))?.into_data() else { continue };
        let length = first.len().max(rest.len()) + data.len();
        if length > limit {
            return Err(Broken::TooLarge);
        }
        reservation.grow(length.saturating_sub(reservation.bytes)).map_err(Broken::Fault)?;
        if first.is_empty() && rest.is_empty() {
            first = data;
            continue;
        }
        if rest.is_empty() {
            rest.reserve(declared.max(length));
            rest.extend_from_slice(&first);
        }
        rest.extend_from_slice(&data);
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
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

fn inflate(head: &Parts, wire: &[u8], limit: usize, reservation: &mut Reservation<'_>) -> Result<Option<Vec<u8>>, Fault> {
    let Some(encoding) = head.headers.get(CONTENT_ENCODING) else { return Ok(None) };
    let encoding = encoding.to_str().unwrap_or("?").trim().to_ascii_lowercase();
    let plain = match encoding.as_str() {
        // The second is what some SDKs call "JSON as it is".
        "" | "identity" | "amz-1.0" => return Ok(None),
        "gzip" | "x-gzip" => read_bounded(GzDecoder::new(wire), limit, reservation)?,
        // The name means zlib's format, but some clients send the bare one.
        "deflate" => match read_bounded(ZlibDecoder::new(wire), limit, reservation) {
            Err(fault) if fault.status == 400 => read_bounded(DeflateDecoder::new(wire), limit, reservation)?,
            other => other?,
        },
        _ => return Err(Fault { message: None, ..Fault::client("SerializationException", "") }),
    };
    Ok(Some(plain))
}

fn read_bounded(mut decoder: impl Read, limit: usize, reservation: &mut Reservation<'_>) -> Result<Vec<u8>, Fault> {
    const STEP_BYTES: usize = 64 << 10;
    let mut plain = Vec::new();
    loop {
        reservation.grow(STEP_BYTES)?;
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

fn out_of_memory() -> Fault {
    Fault { status: 503, ..Fault::client("ServiceUnavailableException", "Too many bytes of requests in flight; try again") }
}
