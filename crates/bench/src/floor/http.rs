//! The HTTP server that both floors share: hyper and tokio as one would write them by hand, and nothing else.
//!
//! What must stay true: it reads the whole body, answers with the headers that a client of the service needs, and gains
//! nothing from knowing the load generator.

use std::convert::Infallible;
use std::future::Future;
use std::io::Write;
use std::net::Ipv4Addr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue, SERVER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use stator_driver::failure::{Failure, failed};

/// Serves until the process is ended; says where it listens.
pub(super) fn serve<F, A>(answer: F) -> Result<Infallible, Failure>
where
    F: Fn(Bytes) -> A + Clone + Send + 'static,
    A: Future<Output = Bytes> + Send,
{
    let runtime = tokio::runtime::Runtime::new().map_err(|error| failed(error.to_string()))?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(|error| failed(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| failed(error.to_string()))?;
        writeln!(std::io::stdout(), "listening on http://{address}").map_err(|error| failed(error.to_string()))?;
        loop {
            let (stream, _) = listener.accept().await.map_err(|error| failed(error.to_string()))?;
            let _ = stream.set_nodelay(true);
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move {
                    let body = request.into_body().collect().await?.to_bytes();
                    Ok::<_, hyper::Error>(response(answer(body).await))
                }
            });
            tokio::spawn(async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await });
        }
    })
}

/// The headers are those of the service, with values that cost nothing.
fn response(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(SERVER, HeaderValue::from_static("Server"));
    headers.insert("x-amzn-requestid", HeaderValue::from_static("0123456789ABCDEFGHIJKLMNOPQRSTUVVV4KQNSO5AEMVJF66Q9ASUAAJG"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    headers.insert("x-amz-crc32", HeaderValue::from_static("2745614147"));
    response
}
