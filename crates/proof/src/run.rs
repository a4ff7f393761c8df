//! One run of a command: its seed, its options, its servers, and the folder that all of it happens in.
//!
//! What must stay true: the folder stays after a violation and goes otherwise; a planted fault reaches a server through its
//! environment only, and only the binary that was built with them knows any.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use stator_driver::request::{ACCESS_KEY, SECRET};
use stator_driver::server::{Server, bound_to_us};
use stator_planted::{Fault, VARIABLE};

use crate::verdict::{Violation, broken, found};

/// Where `cargo xtask` puts the binaries under test, relative to the folder of this program: they have its profile.
const DEFAULT_BINARY: &str = "under-test/stator";
const PLANTED_BINARY: &str = "under-test/stator-planted";

/// Long work tells how far it is once in this time.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(60);

/// A run.
pub(crate) struct Run {
    pub(crate) seed: u64,
    command: &'static str,
    is_proving: bool,
    keeps: bool,
    planted: Option<Fault>,
    values: HashMap<&'static str, String>,
    folder: PathBuf,
    binaries: PathBuf,
    begin: Instant,
    servers: Cell<u32>,
    told: Cell<Instant>,
}

impl Run {
    pub(crate) fn new(
        command: &'static str,
        seed: Option<u64>,
        is_proving: bool,
        keeps: bool,
        values: HashMap<&'static str, String>,
    ) -> Result<Run, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let target = own.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists() || folder.ends_with("target"));
        let target = target.ok_or("this program lies outside of a target folder")?.to_owned();
        let seed = seed.unwrap_or_else(new_seed);
        let folder = target.join(format!("proof/{command}-{seed}-{}", std::process::id()));
        Ok(Run {
            seed,
            command,
            is_proving,
            keeps,
            planted: None,
            values,
            folder,
            binaries: own.parent().unwrap_or(&target).to_owned(),
            begin: Instant::now(),
            servers: Cell::new(0),
            told: Cell::new(Instant::now()),
        })
    }

    /// What is printed before anything happens.
    pub(crate) fn title(&self) -> String {
        format!("{}: seed {}", self.command, self.seed)
    }

    pub(crate) fn is_proving(&self) -> bool {
        self.is_proving
    }

    /// The fault that the servers have from now on.
    pub(crate) fn plant(&mut self, fault: Fault) {
        self.planted = Some(fault);
    }

    /// The fault that the servers have.
    pub(crate) fn planted(&self) -> Option<Fault> {
        self.planted
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Tells how far the work is, if it has not been told for a while.
    pub(crate) fn tell_progress(&self, done: u64, all: u64, what: &str) {
        if self.told.get().elapsed() >= PROGRESS_INTERVAL {
            self.told.set(Instant::now());
            crate::say(&format!("  {done} of {all} {what}, {:.0} s", self.elapsed().as_secs_f64()));
        }
    }

    /// The value of an option, as it was given.
    pub(crate) fn text(&self, option: &str) -> &str {
        self.values.get(option).map_or("", String::as_str)
    }

    /// The value of an option that is a number.
    pub(crate) fn number(&self, option: &str) -> Result<u64, Violation> {
        let text = self.text(option);
        text.parse().map_err(|_| broken(format!("--{option}: '{text}' is not a number")))
    }

    /// A path in the folder of this run, which is there.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Violation> {
        fs::create_dir_all(&self.folder).map_err(|error| broken(format!("{}: {error}", self.folder.display())))?;
        Ok(self.folder.join(name))
    }

    /// The binary under test, with what is planted now, as a command that is yet to be told what to do.
    pub(crate) fn stator(&self) -> Result<Command, Violation> {
        let mut command = self.binary(if self.planted.is_some() { PLANTED_BINARY } else { DEFAULT_BINARY })?;
        if let Some(fault) = self.planted {
            command.env(VARIABLE, fault.name());
        }
        Ok(command)
    }

    fn binary(&self, name: &str) -> Result<Command, Violation> {
        let path = self.binaries.join(name);
        if !path.exists() {
            return Err(broken(format!("{} is not there: cargo xtask {} builds it", path.display(), self.command)));
        }
        let mut command = bound_to_us(&path);
        command.env_remove(VARIABLE);
        Ok(command)
    }

    /// A `stator serve` over a data directory, with further arguments, that takes the signatures of the driver.
    pub(crate) fn serve_command(&self, data: &Path, arguments: &[&str]) -> Result<Command, Violation> {
        Ok(serving(self.stator()?, data, arguments))
    }

    /// The same in the binary that knows planted faults, whichever are to be found.
    pub(crate) fn planted_command(&self, data: &Path) -> Result<Command, Violation> {
        Ok(serving(self.binary(PLANTED_BINARY)?, data, &[]))
    }

    /// A `stator dev` over a data directory, which takes any signature.
    pub(crate) fn dev_command(&self, data: &Path) -> Result<Command, Violation> {
        let mut command = self.stator()?;
        command.args(["dev", "--listen", "127.0.0.1:0", "--memory", "64MiB", "--data"]).arg(data);
        Ok(command)
    }

    /// Starts it. One that does not start over data that was there is a violation.
    pub(crate) fn start(&self, command: Command) -> Result<Server, Violation> {
        self.servers.set(self.servers.get() + 1);
        let log = self.path(&format!("server-{:04}.log", self.servers.get()))?;
        Server::start(command, log).map_err(|failure| found(failure.0))
    }

    /// `stator check`: what it found wrong is a violation.
    pub(crate) fn check(&self, data: &Path) -> Result<(), Violation> {
        let output = self.stator()?.args(["check", "--memory", "64MiB", "--data"]).arg(data).output().map_err(broken)?;
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        if output.status.success() { Ok(()) } else { Err(found(format!("stator check: {}", said.trim()))) }
    }

    /// Removes what is not needed any more.
    pub(crate) fn clear(&self) {
        if self.keeps {
            crate::say(&format!("kept: {}", self.folder.display()));
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    /// What somebody needs who wants to see it again.
    pub(crate) fn how_to_repeat(&self) -> String {
        let given = self.values.iter().filter(|(_, value)| !value.is_empty());
        let mut values: Vec<String> = given.map(|(name, value)| format!(" --{name} {value}")).collect();
        values.sort();
        // The folder of a profile has its name, but for that of Cargo's default. Said always: commands differ in theirs.
        if let Some(folder) = self.binaries.file_name().and_then(|name| name.to_str()) {
            values.push(format!(" --profile {}", if folder == "debug" { "dev" } else { folder }));
        }
        format!("data and logs: {}\nagain: cargo xtask {} --seed {}{}", self.folder.display(), self.command, self.seed, values.concat())
    }
}

/// A server that takes the signatures of the driver.
fn serving(mut command: Command, data: &Path, arguments: &[&str]) -> Command {
    command.args(["serve", "--listen", "127.0.0.1:0", "--memory", "64MiB", "--data"]).arg(data).args(arguments);
    command.env("STATOR_ACCESS_KEY_ID", ACCESS_KEY).env("STATOR_SECRET_ACCESS_KEY", SECRET);
    command
}

/// Small enough to be read out.
fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mixed = crate::choices::Choices::part(u64::from(since.subsec_nanos()) ^ since.as_secs(), u64::from(std::process::id())).next();
    mixed % 1_000_000_000
}
