//! Sockets: accepting connections, keeping their number, and stopping in good order.
//!
//! What must stay true: a connection beyond the limit is told so, and a stop lets the requests in flight finish.

mod activity;
mod connection;
mod descriptors;
mod places;
mod refuse;
mod tls;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;

use crate::config::Config;
use crate::pipeline::Shell;
pub use descriptors::raise_limit;
use places::Places;
use refuse::Refuser;
pub use tls::{Tls, TlsError};

/// The listening queue of the kernel.
const BACKLOG: u32 = 4096;
/// How long to wait before accepting again when the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at one time.
    pub connections_max: usize,
    /// Bytes of one request's headers; the hard bound lies a little above.
    pub header_bytes_max: usize,
    /// Without a completed request for so long, a connection is closed.
    pub idle_timeout: Duration,
    /// How long a stop waits for requests in flight.
    pub drain_timeout: Duration,
}

impl Limits {
    /// The limits that an operator set.
    pub fn of(config: &Config) -> Limits {
        Limits {
            connections_max: usize::try_from(config.connections_max).unwrap_or(usize::MAX),
            header_bytes_max: usize::try_from(config.header_size_max.0).unwrap_or(usize::MAX),
            idle_timeout: config.idle_timeout,
            drain_timeout: config.drain_timeout,
        }
    }
}

/// The address can not be listened on.
#[derive(Debug)]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why not.
    pub error: io::Error,
}

/// A socket that is bound, and listens already: connections made from now on are served once `run` runs.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Bound {
    /// Binds an address. Must be called inside a runtime.
    ///
    /// # Errors
    /// When the address is in use or not ours.
    pub fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Bound, BindError> {
        let listen = || {
            let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            let listener = socket.listen(BACKLOG)?;
            let address = listener.local_addr()?;
            Ok(Bound { listener, address, tls })
        };
        listen().map_err(|error| BindError { address, error })
    }

    /// The address with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://…` or `https://…`.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Serves until `stop` is ready, then lets the requests in flight finish.
    ///
    /// Answers whether all of them did within the time.
    pub async fn run(self, shell: Arc<Shell>, limits: Limits, stop: impl Future<Output = ()>) -> bool {
        let door = Door { places: Places::new(limits.connections_max), refuser: Refuser::default() };
        let graceful = GracefulShutdown::new();
        let server = Arc::new(connection::Http::new(shell, &limits, self.tls));
        let mut stop = std::pin::pin!(stop);
        let mut failures = 0u64;
        loop {
            let (stream, client) = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => {
                        failures = 0;
                        accepted
                    }
                    Err(error) if is_of_one_connection(&error) => continue,
                    Err(error) => {
                        failures += 1;
                        pause(&error, failures).await;
                        continue;
                    }
                },
            };
            prepare(&stream);
            let arrived = Arrived { server: Arc::clone(&server), stream, client, watcher: graceful.watcher() };
            door.let_in(arrived);
        }
        drop(self.listener);
        tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await.is_ok()
    }
}

/// Where connections get their places, or are told that there is none.
struct Door {
    places: Arc<Places>,
    refuser: Refuser,
}

/// A connection that has come.
struct Arrived {
    server: Arc<connection::Http>,
    stream: TcpStream,
    client: SocketAddr,
    watcher: Watcher,
}

impl Door {
    fn let_in(&self, arrived: Arrived) {
        if let Some(permit) = self.places.try_permit() {
            seat(&self.places, permit, arrived);
        } else if self.places.make_room() {
            let (places, refuser) = (Arc::clone(&self.places), self.refuser.clone());
            tokio::spawn(async move {
                match places.next_permit().await {
                    Some(permit) => seat(&places, permit, arrived),
                    None => refuser.refuse(arrived.stream),
                }
            });
        } else {
            self.refuser.refuse(arrived.stream);
        }
    }
}

/// Serves a connection in its place.
fn seat(places: &Arc<Places>, permit: OwnedSemaphorePermit, arrived: Arrived) {
    let Arrived { server, stream, client, watcher } = arrived;
    let activity = server.activity();
    let place = places.take(permit, Arc::clone(&activity));
    let slot = place.slot();
    let task = tokio::spawn({
        let activity = Arc::clone(&activity);
        async move {
            server.serve(stream, client, activity, watcher).await;
            drop(place);
        }
    });
    places.note(slot, &activity, task.abort_handle());
}

/// Answers are written whole, so waiting for more to send only delays them.
fn prepare(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY can not be set");
    }
}

/// A connection that broke before it was accepted concerns nobody.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused | io::ErrorKind::Interrupted
    )
}

/// A process without file descriptors must neither spin nor fill its log.
async fn pause(error: &io::Error, failures: u64) {
    if failures == 1 {
        tracing::error!(%error, "connections can not be accepted");
    }
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
