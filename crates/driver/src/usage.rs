//! What the kernel says about a process: CPU time, memory, bytes written.
//!
//! What must stay true: CPU time is that of all threads. It comes from the scheduler's own counters in nanoseconds; where
//! the kernel does not keep them, from the ticks of `stat`.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, failed};

/// Ticks of `stat` are of this length on every architecture that matters.
const TICK_NS: u64 = 10_000_000;

/// CPU time that a process has used, in nanoseconds.
pub fn cpu_ns(pid: u32) -> Result<u64, Failure> {
    match scheduled_ns(pid) {
        Some(ns) if ns > 0 => Ok(ns),
        _ => ticks(pid)
            .map(|ticks| ticks * TICK_NS)
            .ok_or_else(|| failed(format!("/proc/{pid}/stat can not be read: has the process ended?"))),
    }
}

fn scheduled_ns(pid: u32) -> Option<u64> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end while we look.
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(sum)
}

fn ticks(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the name in brackets and may hold anything.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// Memory resident now, in bytes.
pub fn resident_bytes(pid: u32) -> Result<u64, Failure> {
    of_status(pid, "VmRSS:")
}

/// The most memory that was ever resident, in bytes.
pub fn resident_bytes_max(pid: u32) -> Result<u64, Failure> {
    of_status(pid, "VmHWM:")
}

fn of_status(pid: u32, label: &str) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(|error| failed(format!("{path}: {error}")))?;
    let kib = text.lines().find_map(|line| line.strip_prefix(label)?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| failed(format!("{path} has no {label}")))
}

/// Bytes that a process caused to be written to the disk.
pub fn written_bytes(pid: u32) -> Result<u64, Failure> {
    of_io(pid, "write_bytes:")
}

/// Bytes that a process has read from files, whether the disk had to be asked or not. What comes over sockets does not count.
pub fn read_bytes(pid: u32) -> Result<u64, Failure> {
    of_io(pid, "rchar:")
}

fn of_io(pid: u32, label: &str) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/io");
    let text = fs::read_to_string(&path).map_err(|error| failed(format!("{path}: {error}")))?;
    let bytes = text.lines().find_map(|line| line.strip_prefix(label)?.trim().parse().ok());
    bytes.ok_or_else(|| failed(format!("{path} has no {label}")))
}

/// Bytes that the files of a directory take.
pub fn directory_bytes(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => directory_bytes(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_of_this_process() {
        let own = std::process::id();
        let before = cpu_ns(own).unwrap();
        let mut sum = 0u64;
        while cpu_ns(own).unwrap() < before + 5_000_000 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let resident = resident_bytes(own).unwrap();
        assert!(resident > 100_000 && resident_bytes_max(own).unwrap() >= resident);
        assert!(ticks(own).is_some());
        assert!(cpu_ns(u32::MAX).is_err());
    }

    #[test]
    fn a_directory_is_the_sum_of_its_files() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("in")).unwrap();
        std::fs::write(directory.path().join("a"), [0; 10]).unwrap();
        std::fs::write(directory.path().join("in/b"), [0; 5]).unwrap();
        assert_eq!(directory_bytes(directory.path()), 15);
    }
}
