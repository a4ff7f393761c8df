//! How RocksDB is set up. One number of bytes decides everything that takes memory.
//!
//! What must stay true: block cache and write buffers are charged to one cache of that size, so that the sum is bounded
//! whatever the load is. Rows held in front of the engine have their share taken off first.

use rocksdb::{BlockBasedIndexType, BlockBasedOptions, Cache, DBCompressionType, Env, Options, WriteBufferManager};
use stator_kv::Profile;

/// Settings of the store.
#[derive(Debug, Clone)]
pub struct RocksOptions {
    /// Bytes for block cache and write buffers together.
    pub memory_bytes: usize,
}

impl Default for RocksOptions {
    /// 256 MiB.
    fn default() -> RocksOptions {
        RocksOptions { memory_bytes: 256 << 20 }
    }
}

/// The part of the memory that holds whole rows.
const RECENT_SHARE: usize = 8;
/// Values above this many bytes live in files of their own, so that compaction does not carry them along.
const BLOB_BYTES_MIN: u64 = 64 << 10;
/// Bytes of a block of rows before compression, and of a piece of an index or a filter.
const BLOCK_BYTES: usize = 16 << 10;
/// New files of rows that are merged into the older ones together; four unless said.
const LEVEL_ZERO_FILES: i32 = 2;
/// Bytes of a file on the first level that is merged into; on each further level it is twice as much. A merge takes about 25 times
/// that at most, and while it runs no file that came and went since it began can be removed.
const LEVEL_FILE_BYTES: u64 = 8 << 20;
/// Flushes and compactions at a time: one flush, and more than one compaction only where files pile up, so that a long one of
/// one family holds up no other.
const BACKGROUND_JOBS: i32 = 4;
/// Bytes of a write buffer at least, and of one for rows that are few and small; and at most.
const BUFFER_BYTES_MIN: usize = 4 << 20;
const BUFFER_BYTES_MAX: usize = 64 << 20;
/// The log of writes holds about so many buffers. It is kept as long as any of its writes lies in a buffer alone; those of the few
/// small rows would keep it for long, and a start after a kill reads all of it.
const LOG_BUFFERS: u64 = 3;
/// Files held open at most.
const OPEN_FILES_MAX: i32 = 1024;
/// Bytes per second that background work may write.
const BACKGROUND_BYTES_PER_SECOND: i64 = 256 << 20;

/// All column families, by profile.
pub(crate) const FAMILIES: [(Profile, &str); 5] =
    [(Profile::Rows, "rows"), (Profile::Derived, "derived"), (Profile::Dense, "dense"), (Profile::Log, "log"), (Profile::Small, "small")];

/// What the database and its column families share.
pub(crate) struct Shared {
    cache: Cache,
    buffers: WriteBufferManager,
    environment: Env,
    /// What memtables and block cache share.
    memory_bytes: usize,
    recent_bytes: usize,
}

impl Shared {
    pub(crate) fn new(options: &RocksOptions) -> Result<Shared, rocksdb::Error> {
        let all_bytes = options.memory_bytes.max(16 << 20);
        let recent_bytes = all_bytes / RECENT_SHARE;
        let memory_bytes = all_bytes - recent_bytes;
        let cache = Cache::new_lru_cache(memory_bytes);
        let buffers = WriteBufferManager::new_write_buffer_manager_with_cache(memory_bytes / 3, false, cache.clone());
        // Compactions stand back behind reads and writes; flushes do not, because writes wait for them.
        let mut environment = Env::new()?;
        environment.lower_thread_pool_cpu_priority();
        environment.lower_thread_pool_io_priority();
        Ok(Shared { cache, buffers, environment, memory_bytes, recent_bytes })
    }

    /// Bytes for rows that were lately written or read, in front of the engine.
    pub(crate) fn recent_bytes(&self) -> usize {
        self.recent_bytes
    }

    /// Bytes of a column family's write buffer.
    fn buffer_bytes(&self) -> usize {
        (self.memory_bytes / 6).clamp(BUFFER_BYTES_MIN, BUFFER_BYTES_MAX)
    }

    /// Options of the database.
    pub(crate) fn database(&self) -> Options {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_env(&self.environment);
        options.set_write_buffer_manager(&self.buffers);
        options.set_max_open_files(OPEN_FILES_MAX);
        options.set_max_background_jobs(BACKGROUND_JOBS);
        options.set_bytes_per_sync(1 << 20);
        options.set_ratelimiter(BACKGROUND_BYTES_PER_SECOND, 100_000, 10);
        // What lies behind the end of a log decides whether that is an end (`write_log`).
        options.set_recycle_log_file_num(0);
        options.set_max_total_wal_size(LOG_BUFFERS * self.buffer_bytes() as u64);
        options.set_keep_log_file_num(4);
        options
    }

    /// Options of the files of a column family.
    fn tables(&self, profile: Profile) -> BlockBasedOptions {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&self.cache);
        table.set_bloom_filter(10.0, false);
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        // Whole, index and filter of a file of 64 MiB come to megabytes, which a look at one row had to read where they were not in
        // memory: its cost grew with the table.
        table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        table.set_partition_filters(true);
        table.set_metadata_block_size(BLOCK_BYTES);
        table.set_block_size(if profile == Profile::Dense { 4 * BLOCK_BYTES } else { BLOCK_BYTES });
        table
    }

    /// Options of a column family.
    pub(crate) fn family(&self, profile: Profile) -> Options {
        let mut options = Options::default();
        options.set_block_based_table_factory(&self.tables(profile));
        if profile == Profile::Dense {
            options.set_compression_type(DBCompressionType::None);
        } else {
            options.set_compression_type(DBCompressionType::Lz4);
            options.set_bottommost_compression_type(DBCompressionType::Zstd);
        }
        options.set_write_buffer_size(if profile == Profile::Small { BUFFER_BYTES_MIN } else { self.buffer_bytes() });
        options.set_level_compaction_dynamic_level_bytes(true);
        // As much as the buffers bring at a time: with more, all of a family smaller than that is written anew each time that a few
        // small files have come, and with runs that are merged by size one merge takes minutes.
        options.set_max_bytes_for_level_base(self.buffer_bytes() as u64);
        options.set_target_file_size_base(LEVEL_FILE_BYTES);
        options.set_target_file_size_multiplier(2);
        if profile == Profile::Rows {
            // A row that is overwritten lies in each of these files, and a page steps over every one of its states.
            options.set_level_zero_file_num_compaction_trigger(LEVEL_ZERO_FILES);
            options.set_enable_blob_files(true);
            options.set_min_blob_size(BLOB_BYTES_MIN);
            options.set_blob_compression_type(DBCompressionType::Lz4);
            options.set_enable_blob_gc(true);
        }
        options
    }
}
