//! Clients that behave, and what they notice of the others.
//!
//! Each sends one request after another on a connection that it keeps, and now and then on a new one, as a client that starts
//! does. What must stay true: an answer is compared with what was put; whoever is told to try again does so, and the time that
//! takes counts.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use stator_driver::client::Client;
use stator_driver::failure::Failure;

use crate::verdict::{Violation, found};

pub(super) const TABLE: &str = "Guests";
/// How many there are.
const GUESTS: u64 = 4;
/// Between two requests of one, so that they alone do not keep the machine busy.
const PAUSE: Duration = Duration::from_millis(4);
/// Once in so many requests the connection is a new one.
const NEW_CONNECTION_PERIOD: u64 = 16;
const TRIES: u32 = 5;
const TRY_PAUSE: Duration = Duration::from_millis(20);

/// What all of them have noticed so far.
#[derive(Default)]
pub(crate) struct Guests {
    is_over: AtomicBool,
    /// In microseconds, since they were last taken.
    latencies: Mutex<Vec<u64>>,
    violation: Mutex<Option<String>>,
}

impl Guests {
    /// Lets them work until `host` has ended.
    pub(crate) fn entertain<T>(address: SocketAddr, host: impl FnOnce(&Guests) -> Result<T, Violation>) -> Result<T, Violation> {
        let guests = Guests::default();
        std::thread::scope(|scope| {
            for number in 0..GUESTS {
                let guests = &guests;
                scope.spawn(move || guests.stay(address, number));
            }
            let ending = Ending(&guests.is_over);
            let result = host(&guests);
            drop(ending);
            result
        })
    }

    /// Forgets what was noticed so far.
    pub(crate) fn begin(&self) {
        lock(&self.latencies).clear();
    }

    /// How many requests were answered since, and their 99th percentile in microseconds. A guest that was not served ends it all.
    pub(crate) fn noticed(&self) -> Result<(usize, u64), Violation> {
        if let Some(what) = lock(&self.violation).take() {
            return Err(found(what));
        }
        let mut latencies = std::mem::take(&mut *lock(&self.latencies));
        latencies.sort_unstable();
        Ok((latencies.len(), latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default()))
    }

    fn stay(&self, address: SocketAddr, number: u64) {
        let mut client = None;
        for request in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            if request % NEW_CONNECTION_PERIOD == number {
                client = None;
            }
            let begin = Instant::now();
            if let Err(Failure(what)) = insist(address, &mut client, number, request) {
                *lock(&self.violation) = Some(format!("a client that behaves is not served: {what}"));
                return;
            }
            lock(&self.latencies).push(u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX));
            std::thread::sleep(PAUSE);
        }
    }
}

struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Asks, and asks again where an SDK would.
fn insist(address: SocketAddr, client: &mut Option<Client>, number: u64, request: u64) -> Result<(), Failure> {
    let mut last = Failure(String::new());
    for _ in 0..TRIES {
        match ask(address, client, number, request) {
            Ok(()) => return Ok(()),
            Err(failure) => last = failure,
        }
        *client = None;
        std::thread::sleep(TRY_PAUSE);
    }
    Err(last)
}

fn ask(address: SocketAddr, client: &mut Option<Client>, number: u64, request: u64) -> Result<(), Failure> {
    let client = match client {
        Some(client) => client,
        None => client.insert(Client::connect(address)?),
    };
    let (id, text) = (format!("guest {number}"), format!("request {}", request / 2));
    if request.is_multiple_of(2) {
        let item = json!({"id": {"S": id}, "text": {"S": text}});
        return client.call("PutItem", &json!({"TableName": TABLE, "Item": item}).to_string()).map(drop);
    }
    let answer = client.call("GetItem", &json!({"TableName": TABLE, "Key": {"id": {"S": id}}, "ConsistentRead": true}).to_string())?;
    if answer["Item"]["text"]["S"] == text { Ok(()) } else { Err(Failure(format!("put was {text}, and there is {answer}"))) }
}
