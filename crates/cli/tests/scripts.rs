//! The golden scripts of `api` on the other places where they must hold: in process over RocksDB, with the memory store
//! beside it that has to agree row by row, and over HTTP against `stator dev`, in memory and on disk.
//!
//! What must stay true: the scripts are the same files, and nothing in them knows where they run. Over HTTP they share one
//! server, each with regions of its own, so they also show that regions are apart.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail by panicking, and names its parts")]

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;

use stator_kv::MemoryStore;
use stator_kv::wrap::Mirror;
use stator_kv_rocksdb::{RocksOptions, RocksStore};
use stator_testkit::script::run_folder;
use stator_testkit::target::{HttpTarget, InProcess};

/// A server that does not outlive its scripts.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stator"))
            .args(["dev", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on ") {
            line.clear();
            assert!(output.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
        }
        let address = line.trim().rsplit('/').next().unwrap().parse().unwrap();
        Server { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn over_http(folder: &Path, arguments: &[&str]) -> bool {
    let server = Server::start(arguments);
    let address = server.address;
    run_folder(folder, true, Arc::new(move |_| Box::new(HttpTarget::new(address)))) == ExitCode::SUCCESS
}

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/tests/scripts");
    let stores = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    println!("\nin process, on RocksDB and in memory side by side");
    let path = stores.path().to_owned();
    let open = move |number: usize| {
        let options = RocksOptions { memory_bytes: 16 << 20 };
        let store = RocksStore::open(&path.join(number.to_string()), &options).unwrap();
        Arc::new(Mirror::new(Arc::new(store), Arc::new(MemoryStore::new())))
    };
    let mut passed = run_folder(&folder, false, Arc::new(move |number| Box::new(InProcess::open(open(number))))) == ExitCode::SUCCESS;
    println!("\nover HTTP, in memory");
    passed &= over_http(&folder, &[]);
    println!("\nover HTTP, on RocksDB");
    passed &= over_http(&folder, &["--memory", "64MiB", "--data", &data.path().display().to_string()]);
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
