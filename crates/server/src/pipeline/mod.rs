//! What happens to a request, stage by stage.
//!
//! ```text
//! name -> receive -> decode -> authenticate -> validate -> perform -> encode -> observe
//! ```
//!
//! A server that runs for tests has hooks: calls to them are answered before the first stage, and `hooked` stands around
//! `perform`.
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

#![deny(clippy::wildcard_enum_match_arm)]

mod authenticate;
mod budget;
mod decode;
mod encode;
mod hooked;
mod name;
mod observe;
mod perform;
mod receive;
mod validate;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Body;
use hyper::http::request::Parts;
use hyper::{Request, Response};
use stator_api::{ErasedOperation, Fault, OperationInfo};
use stator_engine::Engine;

use crate::bulk::Bulk;
use crate::guard;
use crate::hooks::{Hooks, Trace};
use crate::venue::{Spawned, Venue, carry};

pub use authenticate::{Gate, Known};
pub use budget::Budget;
use encode::Reply;
use name::Named;
use observe::Observation;
pub use observe::RequestId;

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
    /// Memory for requests in flight.
    pub budget: Budget,
    /// What tests may do to this server; absent where data is kept.
    pub hooks: Option<Arc<Hooks>>,
    /// Where requests run that may take long; without it, on the tasks of their connections.
    pub bulk: Option<Bulk>,
}

type Answered = Result<Response<Full<Bytes>>, Dropped>;

/// An answer to come. Boxed, because connections keep room for one, and most of thousands are idle.
type Answering<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;

/// A request that has been named.
struct Asked<B> {
    named: Result<Named, Fault>,
    head: Parts,
    body: B,
    observation: Observation,
    /// Absent where it is all done in one place.
    venue: Option<Arc<Venue>>,
}

/// A request whose body is to be read.
struct Arriving<'a, B> {
    head: &'a Parts,
    body: &'a mut B,
    venue: Option<&'a Venue>,
}

/// A test wants the connection dropped instead of an answer.
#[derive(Debug)]
pub struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped, as a test asked")
    }
}

impl std::error::Error for Dropped {}

impl Shell {
    /// Answers one request. There is always an answer, unless a test does not want one.
    pub fn answer<B>(self: &Arc<Self>, request: Request<B>, client: SocketAddr) -> Answering<'_>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
    {
        let observation = Observation::start(client);
        let (head, body) = request.into_parts();
        let named = name::name(self, &head);
        let asked = Asked { named, head, body, observation, venue: None };
        match &self.bulk {
            Some(bulk) if asked.named.as_ref().is_ok_and(Named::is_bulk) => {
                let answering = self.answer_on(bulk, asked);
                Box::pin(async move { answering.end().await.unwrap_or(Err(Dropped)) })
            }
            Some(bulk) if receive::may_be_long(&asked.head, &asked.body) => self.answer_between(bulk, asked),
            _ => Box::pin(self.answer_asked(asked)),
        }
    }

    /// Answers on the task of the connection, and works through a large body on other threads.
    fn answer_between<'a, B>(self: &'a Arc<Self>, bulk: &'a Bulk, mut asked: Asked<B>) -> Answering<'a>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
    {
        let (shell, venue) = (Arc::clone(self), Arc::new(Venue::default()));
        asked.venue = Some(Arc::clone(&venue));
        let answering = Box::pin(async move { shell.answer_asked(asked).await });
        Box::pin(async move { carry(bulk, venue, answering).await.unwrap_or(Err(Dropped)) })
    }

    /// Answers on other threads.
    fn answer_on<B>(self: &Arc<Self>, bulk: &Bulk, asked: Asked<B>) -> Spawned<Answered>
    where
        B: Body<Data = Bytes> + Unpin + Send + 'static,
    {
        let (shell, pace) = (Arc::clone(self), Arc::clone(bulk.pace()));
        let answering = async move {
            let mut asked = asked;
            // Whoever has waited so long behind other long work is not waited for any more, or will not be for long.
            if asked.observation.elapsed() > shell.budget.wait() {
                asked.named = Err(budget::crowded());
            }
            shell.answer_asked(asked).await
        };
        Spawned(bulk.spawn(async move { pace.piece(answering).await }))
    }

    async fn answer_asked<B>(&self, asked: Asked<B>) -> Answered
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let Asked { named, head, mut body, mut observation, venue } = asked;
        let hooks = self.hooks.as_deref();
        let trace = hooks.map(Hooks::trace);
        let replying = async {
            match hooks {
                Some(hooks) if Hooks::is_addressed(head.uri.path()) => hooked::call(self, hooks, &head, &mut body).await,
                _ => {
                    let arriving = Arriving { head: &head, body: &mut body, venue: venue.as_deref() };
                    self.reply(named, arriving, hooks.zip(trace.as_ref()), &mut observation.operation).await
                }
            }
        };
        let mut reply = match guard::unless_it_panics(replying).await {
            Ok(reply) => reply.unwrap_or_else(Reply::Fault),
            Err(panic) => {
                observation.panic = Some(panic);
                Reply::Fault(Fault::internal())
            }
        };
        if let Some((hooks, trace)) = hooks.zip(trace) {
            hooks.enter(trace, hooked::answered(&reply, &observation));
        }
        let leaving = self.budget.leave(reply.answer_bytes(), observation.is_of_write()).unwrap_or_else(|fault| {
            reply = Reply::Fault(fault);
            None
        });
        let is_dropped = matches!(reply, Reply::Dropped);
        let response = encode::encode(self, &mut reply, &head, observation.request_id, leaving);
        observation.finish(&reply, self.slow_request);
        if is_dropped { Err(Dropped) } else { Ok(response) }
    }

    async fn reply<B>(
        &self,
        named: Result<Named, Fault>,
        arriving: Arriving<'_, B>,
        hooks: Option<(&Hooks, &Trace)>,
        noted: &mut Option<&'static OperationInfo>,
    ) -> Result<Reply, Fault>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let operation = match named? {
            Named::Operation(operation) => operation,
            Named::Reply(reply) => return Ok(reply),
        };
        *noted = Some(operation.info());
        self.run(operation, arriving, hooks).await
    }

    async fn run<B>(
        &self,
        operation: &'static dyn ErasedOperation,
        arriving: Arriving<'_, B>,
        hooks: Option<(&Hooks, &Trace)>,
    ) -> Result<Reply, Fault>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (head, venue) = (arriving.head, arriving.venue);
        let received = receive::receive(self, arriving).await?;
        if let Some((_, trace)) = hooks {
            trace.asks(operation.info().name, received.plain());
        }
        let decoded = decode::decode(operation, &received)?;
        let authenticated = authenticate::authenticate(self, decoded, head, &received)?;
        let validated = validate::validate(authenticated)?;
        if venue.is_some_and(Venue::come_back) {
            tokio::task::yield_now().await;
        }
        match hooks {
            None => perform::perform(self, validated, head, None).await.map(Reply::Answer),
            Some((hooks, trace)) => hooked::perform(self, validated, head, hooks, trace).await,
        }
    }
}
