//! One run: what it may use, and how a measure is made and noted.
//!
//! What must stay true: a measure that fails is noted with its reason and ends nothing else; every `stator serve` that a
//! measure starts is counted in the memory bar.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::arguments::Options;
use crate::bar::BARS;
use crate::figures::{Figures, Point};
use crate::load::{self, Outcome, Pace, Plan, Workload};
use stator_driver::failure::{Failure, failed};
use stator_driver::request::{ACCESS_KEY, SECRET};
use stator_driver::scratch::Scratch;
use stator_driver::server::{Server, bound_to_us};

/// Connections, unless a measure says otherwise.
pub(crate) const CONNECTIONS: usize = 64;
/// What `serve` gets as `--memory`.
pub(crate) const MEMORY_MIB: usize = 512;

/// A run.
pub(crate) struct Bench {
    pub(crate) options: Options,
    pub(crate) scratch: Scratch,
    pub(crate) figures: Figures,
    wanted: BTreeSet<&'static str>,
    begin: Instant,
    serve_bytes_max: Option<u64>,
}

/// How a measure is made.
#[derive(Clone, Copy)]
pub(crate) struct Measure<'s> {
    pub(crate) name: &'static str,
    pub(crate) server: &'s Server,
    pub(crate) connections: usize,
    pub(crate) pace: Pace,
    /// Items that a request carries.
    pub(crate) items: f64,
}

impl<'s> Measure<'s> {
    /// A closed loop over all connections.
    pub(crate) fn closed(name: &'static str, server: &'s Server) -> Measure<'s> {
        Measure { name, server, connections: CONNECTIONS, pace: Pace::Closed, items: 1.0 }
    }

    /// An open loop.
    pub(crate) fn open(name: &'static str, server: &'s Server, per_second: f64) -> Measure<'s> {
        Measure { pace: Pace::Open(per_second), ..Measure::closed(name, server) }
    }
}

impl Bench {
    pub(crate) fn new(options: Options) -> Result<Bench, Failure> {
        let scratch = Scratch::new(&options.root.join("target/bench/scratch"))?;
        let wanted = BARS.iter().filter(|bar| options.wants(bar.name)).flat_map(crate::bar::Bar::measures).collect();
        Ok(Bench { options, scratch, figures: Figures::default(), wanted, begin: Instant::now(), serve_bytes_max: None })
    }

    /// Whether any bar asked for needs one of the measures.
    pub(crate) fn wants(&self, measures: &[&str]) -> bool {
        measures.iter().any(|measure| self.wanted.contains(measure))
    }

    /// A line of progress.
    pub(crate) fn say(&self, line: &str) {
        let _ = writeln!(std::io::stdout().lock(), "{:>6.1} s  {line}", self.begin.elapsed().as_secs_f64());
    }

    /// Notes that measures could not be made.
    pub(crate) fn miss(&mut self, measures: &[&str], failure: &Failure) {
        self.say(&format!("FAILED {}: {failure}", measures.join(", ")));
        measures.iter().for_each(|measure| self.figures.miss(measure, &failure.0));
    }

    /// Makes a measure, if it is wanted, and notes its figures.
    pub(crate) fn load(&mut self, measure: &Measure<'_>, workload: &mut dyn Workload) {
        if self.figures.reason(measure.name).is_some() {
            return;
        }
        match self.run(measure, workload) {
            Ok(outcome) => self.note(measure, &outcome),
            Err(failure) => self.miss(&[measure.name], &failed(format!("{failure}{}", measure.server.last_words()))),
        }
    }

    /// Makes a measure and notes nothing.
    pub(crate) fn run(&self, measure: &Measure<'_>, workload: &mut dyn Workload) -> Result<Outcome, Failure> {
        let scale = self.options.scale;
        let plan = Plan {
            address: measure.server.address(),
            pid: Some(measure.server.pid()),
            connections: measure.connections,
            pace: measure.pace,
            warm_up: scale.warm_up(),
            window: scale.window(),
        };
        load::run(&plan, workload)
    }

    /// Notes the figures of a load.
    pub(crate) fn note(&mut self, measure: &Measure<'_>, outcome: &Outcome) {
        let (p50, p99) = (outcome.quantile_us(0.5), outcome.quantile_us(0.99));
        let per_second = outcome.per_second();
        self.figures.record(measure.name, "per_s", per_second);
        self.figures.record(measure.name, "cpu_us", outcome.cpu_us);
        self.figures.record(measure.name, "p50_us", p50);
        self.figures.record(measure.name, "p99_us", p99);
        if measure.items > 1.0 {
            self.figures.record(measure.name, "items_per_s", per_second * measure.items);
        }
        self.say(&format!(
            "{:<18} {per_second:>8.0}/s  {:>7.1} us CPU  p50 {p50:>7.0} us  p99 {p99:>8.0} us",
            measure.name, outcome.cpu_us
        ));
    }

    /// Notes a figure that is not of a load.
    pub(crate) fn record(&mut self, measure: &str, figure: &str, value: f64) {
        self.say(&format!("{measure:<18} {figure} {value:.2}"));
        self.figures.record(measure, figure, value);
    }

    /// A point of a curve of latency over load.
    pub(crate) fn plot(&mut self, series: &'static str, per_second: f64, outcome: &Outcome) {
        let (p50_us, p99_us) = (outcome.quantile_us(0.5), outcome.quantile_us(0.99));
        self.say(&format!("{series:<18} at {per_second:>6.0}/s  p50 {p50_us:>7.0} us  p99 {p99_us:>8.0} us"));
        self.figures.plot(Point { series, per_second, p50_us, p99_us });
    }

    /// The product's binary, built beside this one.
    #[expect(clippy::unused_self, reason = "a run decides which binary it measures")]
    pub(crate) fn stator(&self) -> PathBuf {
        std::env::current_exe().map_or_else(|_| PathBuf::from("stator"), |own| own.with_file_name("stator"))
    }

    /// Starts `stator dev`, with data in a directory.
    pub(crate) fn dev(&self, data: &Path) -> Result<Server, Failure> {
        let mut command = bound_to_us(&self.stator());
        command.args(["dev", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        Server::start(command, self.scratch.path("dev.log"))
    }

    /// Starts `stator serve` on a directory.
    pub(crate) fn serve(&self, data: &Path) -> Result<Server, Failure> {
        let mut command = bound_to_us(&self.stator());
        set_serve(&mut command, data, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Server::start(command, self.scratch.path("serve.log"))
    }

    /// Starts a floor of this binary.
    pub(crate) fn floor(&self, name: &str, path: &Path) -> Result<Server, Failure> {
        let own = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut command = bound_to_us(&own);
        command.arg(name).arg(path);
        Server::start(command, self.scratch.path("floor.log"))
    }

    /// Notes the memory of a `serve` before it ends.
    pub(crate) fn watch_memory(&mut self, server: &Server) {
        if let Ok(bytes) = server.resident_bytes_max() {
            self.serve_bytes_max = self.serve_bytes_max.max(Some(bytes));
        }
    }

    /// Notes what all `serve` of the run came to.
    pub(crate) fn finish(&mut self) {
        if let Some(bytes) = self.serve_bytes_max.filter(|_| self.wants(&["serve-memory"])) {
            self.record("serve-memory", "mb", mb(bytes) - mb((MEMORY_MIB << 20) as u64));
        }
    }
}

/// The arguments of `stator serve`: those of every measure.
pub(crate) fn set_serve(command: &mut Command, data: &Path, address: SocketAddr) {
    command.args(["serve", "--listen", &address.to_string(), "--memory", &format!("{MEMORY_MIB}MiB"), "--data"]).arg(data);
    command.env("STATOR_ACCESS_KEY_ID", ACCESS_KEY).env("STATOR_SECRET_ACCESS_KEY", SECRET);
}

/// Bytes in millions.
#[allow(clippy::cast_precision_loss, reason = "sizes of files and memory are far from 2^53")]
pub(crate) fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
