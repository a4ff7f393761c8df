//! The golden scripts, in process over the memory store: one test per file below `scripts/`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use stator_kv::MemoryStore;
use stator_testkit::script::run_folder;
use stator_testkit::target::InProcess;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts");
    run_folder(&folder, false, Arc::new(|_| Box::new(InProcess::open(Arc::new(MemoryStore::new())))))
}
