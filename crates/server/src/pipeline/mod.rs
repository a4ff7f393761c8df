//! What happens to a request, stage by stage.
//!
//! ```text
//! name -> receive -> decode -> authenticate -> validate -> perform -> encode -> observe
//! ```
//!
//! Each stage takes what the one before made, so that they can not be put in another order by mistake. The order decides
//! which error wins: an unknown operation before a broken body, a broken body before a missing signature, and all that
//! can be said of the input before anything that needs a table.
//!
//! Two stages of the design are not here yet because there is nothing to decide: the only principal is the root
//! credential, which may do everything, and no table is throttled. They come after `authenticate` and `validate`.
//!
//! What must stay true: a request takes no lock and touches no map that all requests share, its body is in one buffer,
//! and a panic in it is answered with status 500 and ends nothing else.

mod authenticate;
mod decode;
mod encode;
mod name;
mod observe;
mod perform;
mod receive;
mod validate;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use stator_api::{ErasedOperation, Fault};
use stator_engine::Engine;

use crate::guard;

pub use authenticate::{Gate, Known};
use encode::Reply;
use name::Named;
use observe::Observation;
pub use observe::RequestId;
pub use receive::Budget;

/// Finds an operation by the value of `X-Amz-Target`.
pub type Find = fn(&str) -> Result<&'static dyn ErasedOperation, Fault>;

/// Everything that requests share. Nothing of it changes after the start but the budget.
pub struct Shell {
    /// Tables and items.
    pub engine: Arc<Engine>,
    /// Who is let in.
    pub gate: Gate,
    /// The registry of operations.
    pub find: Find,
    /// Twelve digits.
    pub account: String,
    /// Named by the health answer.
    pub region: String,
    /// Header bytes of one request.
    pub header_bytes_max: usize,
    /// Body bytes of one request, before and after decompression.
    pub body_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// Requests that take longer are logged; zero for none.
    pub slow_request: Duration,
    /// Memory for bodies in flight.
    pub budget: Budget,
}

impl Shell {
    /// Answers one request. There is always an answer.
    pub async fn answer<B>(&self, request: Request<B>, client: SocketAddr) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let mut observation = Observation::start(client);
        let (head, mut body) = request.into_parts();
        let mut reply = match name::name(self, &head) {
            Ok(Named::Operation(operation)) => {
                observation.operation = Some(operation.info().name);
                match guard::unless_it_panics(self.run(operation, &head, &mut body)).await {
                    Ok(Ok(answer)) => Reply::Answer(answer),
                    Ok(Err(fault)) => Reply::Fault(fault),
                    Err(panic) => {
                        observation.panic = Some(panic.text);
                        Reply::Fault(Fault::internal())
                    }
                }
            }
            Ok(Named::Reply(reply)) => reply,
            Err(fault) => Reply::Fault(fault),
        };
        let response = encode::encode(self, &mut reply, &head, observation.request_id);
        observation.finish(&reply, self.slow_request);
        response
    }

    async fn run<B>(&self, operation: &'static dyn ErasedOperation, head: &Parts, body: &mut B) -> Result<stator_api::Answer, Fault>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let received = receive::receive(self, head, body).await?;
        let decoded = decode::decode(operation, &received)?;
        let authenticated = authenticate::authenticate(self, decoded, head, &received)?;
        let validated = validate::validate(authenticated)?;
        perform::perform(self, validated, head).await
    }
}
