//! Other servers that speak the same API, each in its fastest and in its most durable setting.
//!
//! What must stay true: a peer that can not be installed or started is shown as absent, with the reason; a setting says in
//! words what it is, so that nobody has to guess what was measured.

mod install;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::bench::Bench;
use stator_driver::failure::Failure;
use stator_driver::server::{Server, bound_to_us};

/// One peer in one setting.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    /// What the setting is.
    pub(crate) setting: &'static str,
    pub(crate) is_durable: bool,
    program: fn(&Path) -> Result<Vec<String>, Failure>,
    /// Arguments, for a port and a directory.
    arguments: fn(u16, &Path) -> Vec<String>,
}

/// All of them.
pub(crate) const PEERS: [Peer; 6] = [
    Peer {
        name: "dynoxide, memory",
        setting: "`dynoxide serve` without a file",
        is_durable: false,
        program: install::dynoxide,
        arguments: |port, _| words(&["serve", "--port", &port.to_string()]),
    },
    Peer {
        name: "dynoxide, file",
        setting: "`--db-path`: SQLite with a write-ahead log, synced at each commit",
        is_durable: true,
        program: install::dynoxide,
        arguments: |port, data| words(&["serve", "--port", &port.to_string(), "--db-path", &data.join("data.db").to_string_lossy()]),
    },
    Peer {
        name: "DynamoDB Local, memory",
        setting: "`-inMemory -sharedDb`",
        is_durable: false,
        program: install::dynamodb_local,
        arguments: |port, _| words(&["-port", &port.to_string(), "-inMemory", "-sharedDb", "-disableTelemetry"]),
    },
    Peer {
        name: "DynamoDB Local, file",
        setting: "`-dbPath -sharedDb`: its only way of keeping data, SQLite in its own setting",
        is_durable: true,
        program: install::dynamodb_local,
        arguments: |port, data| words(&["-port", &port.to_string(), "-dbPath", &data.to_string_lossy(), "-sharedDb", "-disableTelemetry"]),
    },
    Peer {
        name: "dynalite, memory",
        setting: "without a path",
        is_durable: false,
        program: install::dynalite,
        arguments: |port, _| words(&["--host", "127.0.0.1", "--port", &port.to_string(), "--createTableMs", "0"]),
    },
    Peer {
        name: "dynalite, file",
        setting: "`--path`: LevelDB, which it does not ask to sync; it has no more durable setting",
        is_durable: true,
        program: install::dynalite,
        arguments: |port, data| {
            words(&["--host", "127.0.0.1", "--port", &port.to_string(), "--createTableMs", "0", "--path", &data.to_string_lossy()])
        },
    },
];

impl Peer {
    /// Installs it if need be, and starts it on a directory of its own.
    pub(crate) fn start(&self, bench: &Bench, address: SocketAddr) -> Result<Server, Failure> {
        let program = (self.program)(&bench.options.root.join("target/bench/peers"))?;
        let data = bench.scratch.path("peer");
        std::fs::create_dir_all(&data).map_err(|error| stator_driver::failure::failed(format!("{}: {error}", data.display())))?;
        let mut command = program_of(&program);
        command.args((self.arguments)(address.port(), &data)).current_dir(&data);
        // It wants some, and looks at none.
        command.env("AWS_ACCESS_KEY_ID", "bench").env("AWS_SECRET_ACCESS_KEY", "bench").env("AWS_REGION", "us-east-1");
        Server::start_at(command, address, bench.scratch.path("peer.log"))
    }
}

fn program_of(words: &[String]) -> Command {
    let (program, arguments) = words.split_first().map_or(("", &[][..]), |(program, arguments)| (program.as_str(), arguments));
    let mut command = bound_to_us(Path::new(program));
    command.args(arguments);
    command
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
