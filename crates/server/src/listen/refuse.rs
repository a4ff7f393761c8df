//! Telling a client that there is no place for its connection.
//!
//! What must stay true: refusing costs little and is bounded too, because it happens when there is too much already.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Refusals that wait for their client to have read them; beyond that, connections are dropped without a word.
const REFUSALS_MAX: usize = 64;
const REFUSAL_TIME_MAX: Duration = Duration::from_secs(1);

const ANSWER: &str = concat!(
    "HTTP/1.1 503 Service Unavailable\r\n",
    "Server: Server\r\n",
    "Content-Type: application/x-amz-json-1.0\r\n",
    "Content-Length: 107\r\n",
    "Connection: close\r\n",
    "\r\n",
    r#"{"__type":"com.amazon.coral.service#ServiceUnavailableException","message":"Too many connections are open"}"#,
);

#[derive(Clone)]
pub(super) struct Refuser {
    places: Arc<Semaphore>,
}

impl Default for Refuser {
    fn default() -> Refuser {
        Refuser { places: Arc::new(Semaphore::new(REFUSALS_MAX)) }
    }
}

impl Refuser {
    /// Answers status 503, whatever the client wants, and closes.
    pub(super) fn refuse(&self, stream: TcpStream) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _ = tokio::time::timeout(REFUSAL_TIME_MAX, say_no(stream)).await;
            drop(place);
        });
    }
}

/// The request is read and ignored, because closing a socket with unread bytes would take the answer back.
async fn say_no(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(ANSWER.as_bytes()).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_declared_length_is_the_length() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
    }
}
