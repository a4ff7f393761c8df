//! `floor-scan`: RocksDB iteration over the product's own rows, in process.
//!
//! What must stay true: the database is opened for reading only, after its server has stopped; every key and value is
//! looked at, so that iteration is not optimised into nothing.

use std::path::Path;
use std::time::Instant;

use rocksdb::{BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, Options};

use stator_driver::failure::{Failure, failed};

/// Rows of the product's items lie here (`docs/format.md`).
const FAMILY: &str = "rows";

/// Rows per second of passes over all rows; the first pass, which fills the cache, does not count.
pub(crate) fn scan(data: &Path, cache_bytes: usize, passes: usize) -> Result<Vec<f64>, Failure> {
    let refused = |error: rocksdb::Error| failed(error.to_string());
    let directory = data.join("rocksdb");
    let families = DB::list_cf(&Options::default(), &directory).map_err(refused)?;
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(&Cache::new_lru_cache(cache_bytes));
    let described = families.iter().map(|name| {
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        ColumnFamilyDescriptor::new(name, options)
    });
    let db = DB::open_cf_descriptors_read_only(&Options::default(), &directory, described, false).map_err(refused)?;
    let family = db.cf_handle(FAMILY).ok_or_else(|| failed(format!("there is no column family {FAMILY}")))?;
    let mut rates = Vec::with_capacity(passes);
    for pass in 0..=passes {
        let begin = Instant::now();
        let (mut rows, mut seen) = (0u64, 0u64);
        let mut iterator = db.raw_iterator_cf(family);
        iterator.seek_to_first();
        while let Some((key, value)) = iterator.item() {
            rows += 1;
            seen = seen.wrapping_add(middle(key)).wrapping_add(middle(value));
            iterator.next();
        }
        iterator.status().map_err(refused)?;
        std::hint::black_box(seen);
        if pass > 0 {
            #[allow(clippy::cast_precision_loss, reason = "no count here is near 2^53")]
            rates.push(rows as f64 / begin.elapsed().as_secs_f64());
        }
    }
    Ok(rates)
}

fn middle(bytes: &[u8]) -> u64 {
    bytes.get(bytes.len() / 2).map_or(0, |byte| u64::from(*byte))
}
