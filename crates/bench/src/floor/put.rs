//! `floor-put`: commits the body durably through bare RocksDB, one committer, one sync per batch, and says `{}`.
//!
//! The plainest honest group commit: requests queue under a lock, one thread drains the queue into one `WriteBatch` with
//! `sync`, and wakes them. What must stay true: nobody is answered before the sync; keys spread like hashed ones, and
//! the same body has the same key, so that repeated bodies are overwrites as they are in the product.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use bytes::Bytes;
use rocksdb::{DB, DBCompressionType, Options, WriteBatch, WriteOptions};
use tokio::sync::oneshot;

use super::http;
use stator_driver::failure::{Failure, failed};

type Waiting = (Bytes, oneshot::Sender<()>);

#[derive(Default)]
struct Queue {
    waiting: Mutex<Vec<Waiting>>,
    arrived: Condvar,
}

/// Serves from a database in a directory.
pub(crate) fn put(data: &Path) -> Result<Infallible, Failure> {
    let db = DB::open(&options(), data).map_err(|error| failed(error.to_string()))?;
    let queue = Arc::new(Queue::default());
    let drained = Arc::clone(&queue);
    std::thread::spawn(move || commit(&db, &drained));
    http::serve(move |body| {
        let queue = Arc::clone(&queue);
        async move {
            let (done, durable) = oneshot::channel();
            queue.waiting.lock().unwrap_or_else(PoisonError::into_inner).push((body, done));
            queue.arrived.notify_one();
            // The committer ends only with the process.
            let _ = durable.await;
            Bytes::from_static(b"{}")
        }
    })
}

fn commit(db: &DB, queue: &Queue) {
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    loop {
        let mut waiting = queue.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.is_empty() {
            waiting = queue.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = std::mem::take(&mut *waiting);
        drop(waiting);
        let mut batch = WriteBatch::default();
        for (body, _) in &taken {
            let mut hasher = DefaultHasher::new();
            body.hash(&mut hasher);
            batch.put(hasher.finish().to_be_bytes(), body);
        }
        db.write_opt(batch, &synced).expect("the disk takes writes");
        for (_, done) in taken {
            let _ = done.send(());
        }
    }
}

/// What the product's rows have too: buffers of 64 MB, LZ4, leveled compaction.
fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_write_buffer_size(64 << 20);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_level_compaction_dynamic_level_bytes(true);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options
}
