//! Start-up and idle memory of `stator dev`, and what the disk alone can do.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::bench::{Bench, mb};
use crate::figures::Spread;
use crate::floor::fsync;
use crate::measure::ROUNDS;
use stator_driver::failure::{Failure, failed};
use stator_driver::usage;

pub(super) const MEASURES: &[&str] = &["start-dev", "idle-dev"];

const STARTS: usize = 5;
const IDLE: Duration = Duration::from_millis(500);
const START_MAX: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_micros(200);

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    for _ in 0..ROUNDS {
        let window = bench.options.scale.warm_up();
        let per_second = fsync::per_second(&bench.scratch.path("fsync"), window)?;
        bench.record("fsync", "per_s", per_second);
        let mut times = Vec::with_capacity(STARTS);
        for at in 0..STARTS {
            let (child, ms) = start_dev(bench)?;
            times.push(ms);
            if at == 0 {
                std::thread::sleep(IDLE);
                let resident = mb(usage::resident_bytes(child.0.id())?);
                bench.record("idle-dev", "mb", resident);
            }
        }
        if let Some(spread) = Spread::of(&times) {
            bench.record("start-dev", "ms", spread.median);
        }
    }
    Ok(())
}

/// A process that ends with its holder.
pub(super) struct Held(pub(super) Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_dev(bench: &Bench) -> Result<(Held, f64), Failure> {
    let address = free_address()?;
    let mut command = Command::new(bench.stator());
    command.args(["dev", "--listen", &address.to_string()]);
    time_to_answer(command, address)
}

/// An address that nobody listens on.
pub(super) fn free_address() -> Result<SocketAddr, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).map_err(|error| failed(error.to_string()))
}

/// Milliseconds from the start of a process to the end of its first answer.
pub(super) fn time_to_answer(mut command: Command, address: SocketAddr) -> Result<(Held, f64), Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let child = command.spawn().map_err(|error| failed(format!("{} can not be started: {error}", command.get_program().display())))?;
    let mut child = Held(child);
    loop {
        if answers(address) {
            return Ok((child, begin.elapsed().as_secs_f64() * 1000.0));
        }
        if child.0.try_wait().is_ok_and(|status| status.is_some()) || begin.elapsed() > START_MAX {
            return Err(failed("a server ended, or did not answer, instead of starting"));
        }
        std::thread::sleep(RETRY);
    }
}

/// Whether the health check answers, waiting for it as long as the connection is open.
fn answers(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut buffer = [0; 512];
        let read = stream.read(&mut buffer)?;
        Ok(buffer[..read].starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}
