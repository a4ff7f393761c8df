//! `fsync`: how often the disk alone makes a kilobyte durable.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use stator_driver::failure::{Failure, failed};

/// Appends of 1 KB with a sync after each, per second, for a time.
pub(crate) fn per_second(path: &Path, window: Duration) -> Result<f64, Failure> {
    let refused = |error: std::io::Error| failed(format!("{}: {error}", path.display()));
    let mut file = File::create(path).map_err(refused)?;
    let bytes = [b'x'; 1024];
    let begin = Instant::now();
    let mut count = 0u32;
    while begin.elapsed() < window {
        file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(refused)?;
        count += 1;
    }
    let per_second = f64::from(count) / begin.elapsed().as_secs_f64();
    std::fs::remove_file(path).map_err(refused)?;
    Ok(per_second)
}
