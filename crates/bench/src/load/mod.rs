//! The load generator: many connections on one thread, closed or open loop, latency from the intended start.
//!
//! ```text
//! warm-up ──────┬── window: requests counted, latencies recorded, CPU time of the server read at both ends ──┬── drain
//! ```
//!
//! In a closed loop each connection sends its next request when the last one is answered. In an open loop requests have
//! times at which they should start (exponential gaps from a fixed seed); one that finds no free connection starts late,
//! and its wait counts. What must stay true: a stall of the server is seen by every request that should have started
//! during it, and any answer other than success ends the measurement with the answer's words.

mod connection;
mod workload;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::time::Timespec;

use crate::data::Random;
use connection::{Connection, Progress};
use stator_driver::failure::{Failure, failed};
use stator_driver::usage;
pub(crate) use workload::{Each, Pool, Workload};

/// An hour, which no latency reaches.
const LATENCY_NS_MAX: u64 = 3_600_000_000_000;
/// A server that answers nothing for so long has failed.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// The longest sleep, so that the end of a window is not missed.
const SLEEP_MAX: Duration = Duration::from_millis(50);

/// When requests start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// One after another on each connection.
    Closed,
    /// So many per second, whatever the answers do.
    Open(f64),
}

/// A measurement to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    /// Whose CPU time counts.
    pub(crate) pid: Option<u32>,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    pub(crate) warm_up: Duration,
    pub(crate) window: Duration,
}

/// What a window showed.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// CPU time of the server per request.
    pub(crate) cpu_us: f64,
    pub(crate) latency: Histogram<u64>,
}

impl Outcome {
    #[allow(clippy::cast_precision_loss, reason = "no count here is near 2^53")]
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// A latency in microseconds.
    #[allow(clippy::cast_precision_loss, reason = "no latency here is near 2^53")]
    pub(crate) fn quantile_us(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// Makes the measurement.
pub(crate) fn run(plan: &Plan, workload: &mut dyn Workload) -> Result<Outcome, Failure> {
    Generator::connect(plan, workload)?.run()
}

/// Sends what the workload has, once each over all connections, as fast as they are answered.
pub(crate) fn drain(address: SocketAddr, connections: usize, workload: &mut dyn Workload) -> Result<u64, Failure> {
    let hour = Duration::from_secs(3600);
    let plan = Plan { address, pid: None, connections, pace: Pace::Closed, warm_up: Duration::ZERO, window: hour };
    Ok(Generator::connect(&plan, workload)?.run()?.requests)
}

struct Generator<'w> {
    plan: Plan,
    workload: &'w mut dyn Workload,
    poll: OwnedFd,
    connections: Vec<Connection>,
    idle: Vec<usize>,
    gaps: Random,
    next_start: Instant,
    last_answer: Instant,
    window: Option<Window>,
    is_exhausted: bool,
}

struct Window {
    start: Instant,
    cpu_ns: u64,
    requests: u64,
    latency: Histogram<u64>,
}

impl<'w> Generator<'w> {
    fn connect(plan: &Plan, workload: &'w mut dyn Workload) -> Result<Generator<'w>, Failure> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|error| failed(format!("epoll: {error}")))?;
        let mut connections = Vec::with_capacity(plan.connections);
        for at in 0..plan.connections {
            let connection = Connection::open(plan.address)?;
            let added = epoll::add(&poll, connection.stream(), EventData::new_u64(at as u64), EventFlags::IN);
            added.map_err(|error| failed(format!("epoll: {error}")))?;
            connections.push(connection);
        }
        let now = Instant::now();
        Ok(Generator {
            plan: *plan,
            workload,
            poll,
            idle: (0..connections.len()).rev().collect(),
            connections,
            gaps: Random::new(11),
            next_start: now,
            last_answer: now,
            window: None,
            is_exhausted: false,
        })
    }

    fn run(mut self) -> Result<Outcome, Failure> {
        let begin = Instant::now();
        let (window_start, window_end) = (begin + self.plan.warm_up, begin + self.plan.warm_up + self.plan.window);
        let mut events = Vec::with_capacity(self.connections.len().max(1));
        loop {
            let now = Instant::now();
            if self.window.is_none() && now >= window_start {
                self.window = Some(self.open_window(now)?);
            }
            let all_idle = self.idle.len() == self.connections.len();
            if now >= window_end || (self.is_exhausted && all_idle) {
                break;
            }
            self.start_due(now)?;
            self.wait(window_end, &mut events)?;
            let ready: Vec<usize> = events.iter().filter_map(|event: &epoll::Event| usize::try_from(event.data.u64()).ok()).collect();
            for at in ready {
                self.advance(at)?;
            }
            if self.idle.len() < self.connections.len() && self.last_answer.elapsed() > SILENCE_MAX {
                return Err(failed(format!("no answer for {SILENCE_MAX:?}")));
            }
        }
        let outcome = self.close_window()?;
        self.finish_requests(&mut events)?;
        Ok(outcome)
    }

    fn open_window(&self, now: Instant) -> Result<Window, Failure> {
        let latency = Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).map_err(|error| failed(error.to_string()))?;
        Ok(Window { start: now, cpu_ns: self.cpu_ns()?, requests: 0, latency })
    }

    fn close_window(&mut self) -> Result<Outcome, Failure> {
        let cpu_ns = self.cpu_ns()?;
        let window = self.window.take().ok_or_else(|| failed("the window never opened"))?;
        let seconds = window.start.elapsed().as_secs_f64();
        if window.requests == 0 {
            return Err(failed("no request was answered in the window"));
        }
        #[allow(clippy::cast_precision_loss, reason = "nanoseconds of a run are far from 2^53")]
        let cpu_us = (cpu_ns.saturating_sub(window.cpu_ns)) as f64 / 1000.0 / window.requests as f64;
        Ok(Outcome { requests: window.requests, seconds, cpu_us, latency: window.latency })
    }

    fn cpu_ns(&self) -> Result<u64, Failure> {
        self.plan.pid.map_or(Ok(0), usage::cpu_ns)
    }

    /// Starts what should have started by now, as far as there are connections.
    fn start_due(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(at) = self.idle.last().copied() {
            let intended = match self.plan.pace {
                Pace::Closed => now,
                Pace::Open(per_second) => {
                    if self.next_start > now {
                        return Ok(());
                    }
                    let intended = self.next_start;
                    self.next_start += Duration::from_secs_f64(-self.gaps.fraction().ln() / per_second);
                    intended
                }
            };
            if self.is_exhausted {
                return Ok(());
            }
            let connection = &mut self.connections[at];
            if !self.workload.write(connection.request()) {
                self.is_exhausted = true;
                return Ok(());
            }
            self.idle.pop();
            self.connections[at].start(intended);
            self.send(at)?;
        }
        Ok(())
    }

    fn send(&mut self, at: usize) -> Result<(), Failure> {
        let was_whole = !self.connections[at].is_sending();
        let is_whole = self.connections[at].send()?;
        if is_whole != was_whole {
            let flags = if is_whole { EventFlags::IN } else { EventFlags::IN | EventFlags::OUT };
            let modified = epoll::modify(&self.poll, self.connections[at].stream(), EventData::new_u64(at as u64), flags);
            modified.map_err(|error| failed(format!("epoll: {error}")))?;
            self.connections[at].set_sending(!is_whole);
        }
        Ok(())
    }

    fn wait(&self, window_end: Instant, events: &mut Vec<epoll::Event>) -> Result<(), Failure> {
        events.clear();
        let now = Instant::now();
        let mut until = window_end;
        if let (Pace::Open(_), false) = (self.plan.pace, self.idle.is_empty()) {
            until = until.min(self.next_start);
        }
        let sleep = until.saturating_duration_since(now).min(SLEEP_MAX);
        let timeout = Timespec::try_from(sleep).map_err(|_| failed("a sleep that is too long"))?;
        match epoll::wait(&self.poll, spare_capacity(events), Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(failed(format!("epoll: {error}"))),
        }
    }

    /// Reads, and sends what is left to send, on one connection.
    fn advance(&mut self, at: usize) -> Result<(), Failure> {
        if self.connections[at].is_sending() {
            self.send(at)?;
        }
        let Progress::Answered(reply) = self.connections[at].receive()? else { return Ok(()) };
        let now = Instant::now();
        self.last_answer = now;
        if reply.status != 200 {
            return Err(failed(format!("an answer with status {}: {}", reply.status, String::from_utf8_lossy(&reply.body))));
        }
        if let Some(window) = &mut self.window {
            let waited = now.saturating_duration_since(self.connections[at].intended());
            window.requests += 1;
            window.latency.saturating_record(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX));
        }
        self.idle.push(at);
        if self.plan.pace == Pace::Closed {
            self.start_due(now)?;
        }
        Ok(())
    }

    /// Waits for the answers that are still to come, so that the next measurement meets a server at rest.
    fn finish_requests(&mut self, events: &mut Vec<epoll::Event>) -> Result<(), Failure> {
        self.is_exhausted = true;
        let deadline = Instant::now() + SILENCE_MAX;
        while self.idle.len() < self.connections.len() {
            self.wait(deadline, events)?;
            let ready: Vec<usize> = events.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()).collect();
            for at in ready {
                self.advance(at)?;
            }
            if Instant::now() > deadline {
                return Err(failed(format!("no answer for {SILENCE_MAX:?}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
