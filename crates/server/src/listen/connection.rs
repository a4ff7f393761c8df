//! One connection: HTTP/1.1 or HTTP/2 by what the client says first, watched for idleness.
//!
//! What must stay true: a connection on which no request completes for the idle time is closed, whether its client is
//! silent, sends its headers a byte at a time, or does not read its answers. Requests are answered on the connection's
//! own task; one that sends much without asking for anything is looked at where long work is done, until it asks.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use super::Limits;
use super::activity::{Activity, Noted};
use super::tls::Tls;
use crate::pipeline::Shell;
use crate::venue::{Venue, carry};

const HEADERS_MAX: usize = 100;
/// The read buffer of a connection: headers that do not fit are refused by the protocol layer, without our words.
const BUFFER_BYTES_MIN: usize = 64 << 10;
const STREAMS_MAX: u32 = 256;
/// A client that reads nothing gets this much of its answers buffered.
const SEND_BUFFER_BYTES: usize = 256 << 10;

/// What all connections share.
pub(super) struct Http {
    shell: Arc<Shell>,
    builder: auto::Builder<Streams>,
    tls: Option<Tls>,
    idle_timeout: Duration,
}

impl Http {
    pub(super) fn new(shell: Arc<Shell>, limits: &Limits, tls: Option<Tls>) -> Http {
        let mut builder = auto::Builder::new(Streams(Handle::current()));
        let header_bytes = limits.header_bytes_max.saturating_mul(2).max(BUFFER_BYTES_MIN);
        builder.http1().max_headers(HEADERS_MAX).max_buf_size(header_bytes).half_close(true);
        builder
            .http2()
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
            .max_send_buf_size(SEND_BUFFER_BYTES)
            .adaptive_window(true);
        Http { shell, builder, tls, idle_timeout: limits.idle_timeout }
    }

    /// Serves a connection to its end.
    pub(super) async fn serve(&self, stream: TcpStream, client: SocketAddr, activity: Arc<Activity>, watcher: Watcher) {
        let Some(tls) = &self.tls else { return self.serve_plain(stream, client, activity, watcher).await };
        match tokio::time::timeout(self.idle_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve_plain(stream, client, activity, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, %client, "no TLS"),
            Err(_) => tracing::debug!(%client, "TLS took too long"),
        }
    }

    /// What a connection is doing, to begin with.
    pub(super) fn activity(&self) -> Arc<Activity> {
        Arc::new(Activity::start(Arc::clone(&self.shell)))
    }

    /// Works on a connection where it is to be worked on.
    async fn carried<F>(&self, connection: Pin<Box<F>>, venue: Arc<Venue>) -> Option<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        match &self.shell.bulk {
            Some(bulk) => carry(bulk, venue, connection).await,
            None => Some(connection.await),
        }
    }

    async fn serve_plain<S>(&self, stream: S, client: SocketAddr, activity: Arc<Activity>, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = Noted::new(stream, Arc::clone(&activity));
        let origin = Arc::new(Origin { shell: Arc::clone(&self.shell), client, activity });
        let service = service_fn({
            let origin = Arc::clone(&origin);
            move |request: Request<Incoming>| {
                let origin = Arc::clone(&origin);
                async move {
                    let _running = origin.activity.begin();
                    if origin.activity.venue().come_back() {
                        tokio::task::yield_now().await;
                    }
                    origin.shell.answer(request, origin.client).await
                }
            }
        });
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let mut connection = pin!(self.carried(Box::pin(watcher.watch(connection)), Arc::clone(origin.activity.venue())));
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Some(Err(error)) = ended {
                    tracing::debug!(%error, %client, "connection broke");
                }
            }
            () = origin.activity.idle_for(self.idle_timeout) => tracing::debug!(%client, "connection idle, closed"),
        }
    }
}

/// Starts the streams of HTTP/2 connections where these are at home, wherever they are worked on.
#[derive(Clone)]
struct Streams(Handle);

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn(stream);
    }
}

/// What the requests of one connection share, counted per connection: a count that all connections touch would be fought over.
struct Origin {
    shell: Arc<Shell>,
    client: SocketAddr,
    activity: Arc<Activity>,
}
