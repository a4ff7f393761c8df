//! How much memory the storage engine gets when nobody says: a quarter of the machine, at most 4 GiB.
//!
//! What must stay true: inside a container its limit is the machine.

use std::fs;

const DEFAULT_BYTES_MAX: u64 = 4 << 30;
/// Where the machine does not say how much it has.
const FALLBACK_BYTES: u64 = 1 << 30;

/// The default for `--memory`.
pub(crate) fn default_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(total_of_meminfo);
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    let available = [machine, container].into_iter().flatten().min().unwrap_or(4 * FALLBACK_BYTES);
    (available / 4).min(DEFAULT_BYTES_MAX)
}

fn total_of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::total_of_meminfo;

    #[test]
    fn reads_the_total_of_the_machine() {
        assert_eq!(total_of_meminfo("MemTotal:       24567890 kB\nMemFree: 1 kB\n"), Some(24_567_890 * 1024));
        assert_eq!(total_of_meminfo("nothing"), None);
    }
}
