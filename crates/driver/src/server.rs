//! A server in a process of its own, found by the line in which it says where it listens.
//!
//! What must stay true: the process ends when its `Server` is dropped, and (where `setpriv` is there) when this process
//! is killed; what it said before it failed is part of the failure.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Failure, failed};
use crate::usage;

const START_MAX: Duration = Duration::from_secs(120);
const STOP_MAX: Duration = Duration::from_secs(60);
const STOP_INTERVAL: Duration = Duration::from_millis(2);
/// Lines of a failed server's own words that are shown.
const LAST_LINES: usize = 5;
const SETPRIV: &str = "/usr/bin/setpriv";

/// A running server.
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

/// Puts a server's end in the kernel's hands, in case nobody is left to end it.
pub fn bound_to_us(program: &Path) -> Command {
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

impl Server {
    /// Starts a server that says where it listens: the first word that starts with `http://`, on a line of its output.
    pub fn start(mut command: Command, log: PathBuf) -> Result<Server, Failure> {
        let mut child = spawn(&mut command, &log, Stdio::piped())?;
        let Some(output) = child.stdout.take() else { return Err(failed("a server without output")) };
        let (told, hears) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Read on after the address, so that the pipe does not fill.
                let listens = line.contains("listening");
                let url = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
                if let (true, Some(address)) = (listens, url.and_then(|text| text.parse().ok())) {
                    let _ = told.send(address);
                }
            }
        });
        match hears.recv_timeout(START_MAX) {
            Ok(address) => Ok(Server { child, address, log }),
            Err(_) => Err(did_not_start(child, &log)),
        }
    }

    /// Starts a server that listens where it was told to, and says nothing about it.
    pub fn start_at(mut command: Command, address: SocketAddr, log: PathBuf) -> Result<Server, Failure> {
        let mut child = spawn(&mut command, &log, Stdio::null())?;
        let begin = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            if begin.elapsed() > START_MAX || child.try_wait().is_ok_and(|status| status.is_some()) {
                return Err(did_not_start(child, &log));
            }
            std::thread::sleep(STOP_INTERVAL);
        }
        Ok(Server { child, address, log })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it ever had.
    pub fn resident_bytes_max(&self) -> Result<u64, Failure> {
        usage::resident_bytes_max(self.pid())
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> Result<(), Failure> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| failed("a process without a number"))?;
        kill_process(pid, Signal::TERM).map_err(|error| failed(format!("a server can not be stopped: {error}")))?;
        let begin = Instant::now();
        while begin.elapsed() < STOP_MAX {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return Ok(());
            }
            std::thread::sleep(STOP_INTERVAL);
        }
        Err(failed(format!("a server did not stop within {STOP_MAX:?}{}", last_words(&self.log))))
    }

    /// Kills it, as a power cut would.
    pub fn kill(self) {
        drop(self);
    }

    /// What it wrote to standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it wrote to standard error last.
    pub fn last_words(&self) -> String {
        last_words(&self.log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(command: &mut Command, log: &Path, output: Stdio) -> Result<Child, Failure> {
    let errors = File::create(log).map_err(|error| failed(format!("{}: {error}", log.display())))?;
    let spawned = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
    spawned.map_err(|error| failed(format!("{} can not be started: {error}", command.get_program().display())))
}

fn did_not_start(mut child: Child, log: &Path) -> Failure {
    let _ = child.kill();
    let _ = child.wait();
    failed(format!("a server did not start{}", last_words(log)))
}

fn last_words(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() { String::new() } else { format!("; it said: {}", lines[lines.len().saturating_sub(LAST_LINES)..].join(" / ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = bound_to_us(Path::new("/bin/sh"));
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_is_found_by_its_line_and_ended_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let command = shell("echo hello; echo 'listening on http://127.0.0.1:7'; exec sleep 60");
        let server = Server::start(command, folder.path().join("log")).unwrap();
        assert_eq!(server.address(), "127.0.0.1:7".parse().unwrap());
        let process = format!("/proc/{}", server.pid());
        assert!(Path::new(&process).exists());
        drop(server);
        assert!(!Path::new(&process).exists());
    }

    #[test]
    fn a_server_that_fails_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let failure = Server::start(shell("echo 'no such thing' >&2"), folder.path().join("log")).err().unwrap();
        assert!(failure.0.contains("no such thing"), "{failure}");
    }
}
