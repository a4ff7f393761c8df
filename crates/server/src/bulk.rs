//! Threads for work that may take long: scans, searches, large bodies, and what runs in the background.
//!
//! Short requests are answered on the threads of their connections. A page of a scan keeps a core for milliseconds, a tick
//! of a backfill too; were they to run there, every get behind them would wait as long. They run here instead, at a
//! lower priority, and get what the short ones leave. A lower priority does not say how soon a thread makes way, so they also
//! pause within their pieces. What must stay true: nothing that runs here is awaited by a short request, and the threads are as
//! many as the machine has cores, however much there is to do.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::pace::Pace;

/// How far the threads stand back (`nice`). Beside a busy core they still get about a tenth of it, so that scans and
/// backfills end on a server that is never idle.
const NICE: i32 = 10;

/// The threads. Drop them outside of any runtime.
#[derive(Debug)]
pub struct BulkThreads {
    runtime: Runtime,
    pace: Arc<Pace>,
}

/// Where long work runs.
#[derive(Debug, Clone)]
pub struct Bulk {
    threads: Handle,
    pace: Arc<Pace>,
}

impl Bulk {
    /// Runs work on these threads. Whoever brings it does its pieces at the [`pace`](Bulk::pace).
    pub fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.threads.spawn(work)
    }

    /// How long pieces of work give way.
    pub fn pace(&self) -> &Arc<Pace> {
        &self.pace
    }
}

impl BulkThreads {
    /// Starts them.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start() -> io::Result<BulkThreads> {
        let runtime = Builder::new_multi_thread().thread_name("stator-bulk").on_thread_start(stand_back).enable_time().build()?;
        Ok(BulkThreads { runtime, pace: Arc::default() })
    }

    /// Where to spawn work.
    pub fn bulk(&self) -> Bulk {
        Bulk { threads: self.runtime.handle().clone(), pace: Arc::clone(&self.pace) }
    }
}

/// Lowers the priority of the calling thread. Where that is not to be had, everything works, with longer waits.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "long work runs at the priority of short requests");
    }
}
