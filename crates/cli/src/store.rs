//! Which storage backend holds the rows: the only file that names one.
//!
//! What must stay true: everything above sees `dyn Store`.

use std::path::Path;
use std::sync::Arc;

use stator_kv::{MemoryStore, Rewind, Store};
use stator_kv_rocksdb::{RocksOptions, RocksStore};

use crate::failure::Failure;

/// Rows in memory, gone when the process ends; and their way back to a state they had.
pub(crate) fn in_memory() -> (Arc<dyn Store>, Arc<dyn Rewind>) {
    let rows = Arc::new(MemoryStore::new());
    (Arc::clone(&rows) as Arc<dyn Store>, rows)
}

/// Makes the directory that rows on disk need, and whatever else is kept beside them.
pub(crate) fn make_directory(directory: &Path) -> Result<(), Failure> {
    stator_kv_rocksdb::make_directory(directory).map_err(|error| Failure::Failed(error.to_string()))
}

/// Rows on disk. `memory_bytes` bounds caches and write buffers.
pub(crate) fn on_disk(directory: &Path, memory_bytes: u64) -> Result<Arc<dyn Store>, Failure> {
    let options = RocksOptions { memory_bytes: usize::try_from(memory_bytes).unwrap_or(usize::MAX) };
    match RocksStore::open(directory, &options) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(Failure::Failed(error.to_string())),
    }
}
