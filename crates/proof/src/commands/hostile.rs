//! `hostile`: everything that a client should not do, while others want to be served.
//!
//! What must stay true: what the guests notice is compared with what the same guests noticed of the same server before.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use stator_driver::usage;
use stator_planted::Fault;

use crate::command::{Choice, Command};
use crate::hostile::{self, ATTACKS, Attack, Guests, Means};
use crate::run::Run;
use crate::say;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "hostile",
    about: "attack the server as one can without its key, and with it, while clients that behave are watched",
    help:
        "Attacks one after another: good requests changed on the way; bodies, values, expressions and headers that are too deep, too large
or no such thing; compressed bodies that grow to a gigabyte; floods of HTTP/2 frames; thousands of connections that are silent,
send their heads or bodies a byte at a time, or do not read what they asked for. What must hold: no changed request is answered
with success; each malformed one gets the answer that the service gives; clients that behave are served meanwhile, with a p99 of
at most 5 times that of a quiet server; the server's memory stays within 300 MB of what it was; it lives, has not panicked, and
stator check finds no fault.",
    options: &[
        Choice { name: "connections", default: "10000", about: "connections of each crowd" },
        Choice { name: "mutations", default: "10000", about: "changed requests" },
        Choice { name: "seconds", default: "10", about: "how long each crowd stays" },
    ],
    faults: &[Fault::SkipSignature],
    perform,
};

const P99_FACTOR_MAX: u64 = 5;
const MEMORY_BYTES_MAX: u64 = 300_000_000;
/// The guests are watched for so long before anything happens.
const QUIET: Duration = Duration::from_secs(8);
const WATCH_INTERVAL: Duration = Duration::from_millis(20);
/// Connections of the guests, and files.
const DESCRIPTORS_BESIDE: u64 = 200;

fn perform(run: &mut Run) -> Result<String, Violation> {
    let connections = run.number("connections")?;
    raise_descriptors(connections + DESCRIPTORS_BESIDE)?;
    let data = run.path("data")?;
    let server = run.start(run.serve_command(&data, &[])?)?;
    let (address, pid) = (server.address(), server.pid());
    let means = Means {
        seed: run.seed,
        connections,
        mutations: run.number("mutations")?,
        stay: Duration::from_secs(run.number("seconds")?),
        malformed: hostile::malformed(address),
    };
    hostile::invite(address)?;
    let told = Guests::entertain(address, |guests| attack_all(guests, address, pid, &means))?;
    let log = server.log();
    if let Some(line) = log.lines().find(|line| line.contains("panic")) {
        return Err(found(format!("the server panicked: {line}")));
    }
    server.stop().map_err(|failure| found(failure.0))?;
    run.check(&data)?;
    Ok(told)
}

fn attack_all(guests: &Guests, address: SocketAddr, pid: u32, means: &Means) -> Result<String, Violation> {
    std::thread::sleep(QUIET / 4);
    let mut quiet_us = quiet(guests)?;
    let idle_bytes = usage::resident_bytes(pid)?;
    say(&format!("  quiet: p99 {quiet_us} us; {} MB", idle_bytes / 1_000_000));
    let (mut worst, mut most_bytes) = (0, 0);
    for attack in &ATTACKS {
        let mut suffered = suffer(guests, address, pid, attack, means)?;
        if suffered.p99_us > quiet_us * P99_FACTOR_MAX {
            // What else the machine does may have changed: both are measured once more.
            quiet_us = quiet(guests)?;
            say(&format!("  quiet: p99 {quiet_us} us"));
            suffered = suffer(guests, address, pid, attack, means)?;
        }
        let Suffered { p99_us, bytes } = suffered;
        let grown = bytes.saturating_sub(idle_bytes);
        if p99_us > quiet_us * P99_FACTOR_MAX {
            return Err(found(format!("{}: p99 of clients that behave is {p99_us} us, and {quiet_us} us when it is quiet", attack.name)));
        }
        if grown > MEMORY_BYTES_MAX {
            return Err(found(format!("{}: the server took {} MB more than before", attack.name, grown / 1_000_000)));
        }
        worst = worst.max(p99_us);
        most_bytes = most_bytes.max(grown);
    }
    Ok(format!(
        "{} attacks; p99 {:.1} ms when quiet and {:.1} ms at worst, {} MB more memory at most; no forgery answered",
        ATTACKS.len(),
        milliseconds(quiet_us),
        milliseconds(worst),
        most_bytes / 1_000_000
    ))
}

/// The p99 of the guests when nobody else is there.
fn quiet(guests: &Guests) -> Result<u64, Violation> {
    guests.begin();
    std::thread::sleep(QUIET);
    Ok(guests.noticed()?.1)
}

#[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 us")]
fn milliseconds(us: u64) -> f64 {
    us as f64 / 1000.0
}

/// What came of an attack.
struct Suffered {
    p99_us: u64,
    /// The most memory meanwhile.
    bytes: u64,
}

/// One attack, and what was noticed of it.
fn suffer(guests: &Guests, address: SocketAddr, pid: u32, attack: &Attack, means: &Means) -> Result<Suffered, Violation> {
    let (is_over, most_bytes) = (AtomicBool::new(false), AtomicU64::new(0));
    guests.begin();
    let done = std::thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let done = (attack.perform)(address, means);
            is_over.store(true, Ordering::Relaxed);
            done
        });
        while !is_over.load(Ordering::Relaxed) && !attacker.is_finished() {
            most_bytes.fetch_max(usage::resident_bytes(pid).unwrap_or(0), Ordering::Relaxed);
            std::thread::sleep(WATCH_INTERVAL);
        }
        attacker.join().map_err(|_| broken("an attacker panicked"))?
    })?;
    let (count, p99_us) = guests.noticed()?;
    let bytes = most_bytes.into_inner();
    say(&format!("  {}: {done}; guests: {count} requests, p99 {p99_us} us; {} MB", attack.name, bytes / 1_000_000));
    Ok(Suffered { p99_us, bytes })
}

fn raise_descriptors(needed: u64) -> Result<(), Violation> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).map_err(broken)?;
    match limit.maximum {
        Some(most) if most < needed => {
            Err(broken(format!("{needed} open files are needed and the system allows {most}; give fewer --connections")))
        }
        _ => Ok(()),
    }
}
