//! The engine's log of writes, read before the engine reads it, to tell damage from what a crash leaves.
//!
//! The engine replays a log up to its first record that is not whole and takes that for its end: rightly where a crash cut off
//! the last write, silently wrong where a disk lost something in the middle of writes that were acknowledged. One thing tells
//! them apart. The committer syncs each batch before it begins the next, so a crash leaves at most the last batch in pieces, and
//! nothing that began after it.
//!
//! ```text
//!   log      blocks of 32 KiB, each a row of records; a record never crosses into the next block
//!   record   checksum (4)  length (2)  kind (1)  payload
//!   batch    one whole record, or a first one, middle ones and a last one
//!   checksum CRC-32C of kind and payload, rotated and offset ("masked")
//! ```
//! Source: RocksDB's wiki, "Write Ahead Log File Format".
//!
//! What must stay true: nothing is refused that a crash can leave; a file is only read; memory is one block; no log is used a
//! second time (`recycle_log_file_num` stays 0), because its old writes would lie behind the new ones.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::directory::OpenError;

const BLOCK_BYTES: usize = 32 << 10;
const HEADER_BYTES: usize = 7;
/// Kinds of records that a batch begins with: whole ones and first ones.
const BEGINNINGS: [u8; 2] = [1, 2];

/// A record of a block.
enum Record {
    /// Its checksum holds.
    Whole { begins_batch: bool, end: usize },
    /// It does not; where the next one is if its length is right.
    Broken { end: usize },
    /// No length can be made out: nothing more of this block can be read.
    Unreadable,
}

/// Where a log is damaged.
#[derive(Debug, PartialEq, Eq)]
struct Damage {
    /// The beginning of the record that is not whole.
    at: u64,
    /// The beginning of a batch behind it.
    later: u64,
}

/// Refuses a directory with a log that is damaged in front of later writes.
pub(crate) fn check(engine: &Path) -> Result<(), OpenError> {
    for path in logs(engine) {
        let damage = File::open(&path).and_then(damage).map_err(|error| OpenError::Io(path.clone(), error))?;
        if let Some(Damage { at, later }) = damage {
            return Err(OpenError::DamagedLog { path, at, later });
        }
    }
    Ok(())
}

/// All logs of writes. There is none yet in a new directory.
fn logs(engine: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(engine).into_iter().flatten().flatten().map(|file| file.path());
    files.filter(|file| file.extension().is_some_and(|kind| kind == "log")).collect()
}

/// Looks for the first record that is not whole, and for a batch that begins behind it.
fn damage(mut log: impl Read) -> io::Result<Option<Damage>> {
    let (mut block, mut offset, mut broken_at) = (Vec::with_capacity(BLOCK_BYTES), 0_u64, None);
    loop {
        block.clear();
        log.by_ref().take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            return Ok(None);
        }
        let mut begin = 0;
        // What is shorter than a header fills a block up.
        while block.len() - begin >= HEADER_BYTES {
            let end = match record(&block[begin..]) {
                Record::Whole { begins_batch: true, .. } if broken_at.is_some() => {
                    return Ok(broken_at.map(|at| Damage { at, later: offset + begin as u64 }));
                }
                Record::Whole { end, .. } => Some(end),
                Record::Broken { end } => {
                    broken_at = broken_at.or(Some(offset + begin as u64));
                    Some(end)
                }
                Record::Unreadable => {
                    broken_at = broken_at.or(Some(offset + begin as u64));
                    None
                }
            };
            match end {
                Some(end) => begin += end,
                None => break,
            }
        }
        offset += block.len() as u64;
    }
}

/// Reads the record that begins here; its end is counted from there. There are enough bytes for a header.
fn record(bytes: &[u8]) -> Record {
    let checksum = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let length = usize::from(u16::from_le_bytes([bytes[4], bytes[5]]));
    let kind = bytes[6];
    let end = HEADER_BYTES + length;
    // Zeros are room that was taken in advance, or a sector that never came to the disk.
    if kind == 0 || end > bytes.len() {
        return Record::Unreadable;
    }
    if masked(crc32c::crc32c(&bytes[HEADER_BYTES - 1..end])) == checksum {
        Record::Whole { begins_batch: BEGINNINGS.contains(&kind), end }
    } else {
        Record::Broken { end }
    }
}

/// Checksums are stored in this form, so that one of data that holds checksums is a good one.
fn masked(checksum: u32) -> u32 {
    checksum.rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(log: &mut Vec<u8>, kind: u8, payload: &[u8]) -> usize {
        let begin = log.len();
        let body = [&[kind], payload].concat();
        log.extend(masked(crc32c::crc32c(&body)).to_le_bytes());
        log.extend(u16::try_from(payload.len()).unwrap().to_le_bytes());
        log.extend(body);
        begin
    }

    fn damage_of(log: &[u8]) -> Option<Damage> {
        damage(log).unwrap()
    }

    /// Three batches; the second one goes over three blocks.
    fn log() -> (Vec<u8>, [usize; 3]) {
        let mut log = Vec::new();
        let first = put(&mut log, 1, b"first");
        let rest = BLOCK_BYTES - log.len() - HEADER_BYTES;
        let second = put(&mut log, 2, &vec![2; rest]);
        put(&mut log, 3, &vec![2; BLOCK_BYTES - HEADER_BYTES]);
        put(&mut log, 4, &[2; 100]);
        let third = put(&mut log, 1, b"third");
        (log, [first, second, third])
    }

    #[test]
    fn damage_in_front_of_later_writes_is_told_from_a_torn_end() {
        let (whole, [first, second, third]) = log();
        assert_eq!(damage_of(&whole), None);
        for (broken, later) in [(first, second), (second, third), (2 * BLOCK_BYTES, third)] {
            // Within a payload, and in a checksum.
            for at in [broken + HEADER_BYTES + 1, broken] {
                let mut bytes = whole.clone();
                bytes[at] ^= 4;
                assert_eq!(damage_of(&bytes), Some(Damage { at: broken as u64, later: later as u64 }), "{at}");
            }
        }
        // A length that is damaged hides the rest of its block, and no more.
        let mut bytes = whole.clone();
        bytes[second + 5] ^= 0x80;
        assert_eq!(damage_of(&bytes), Some(Damage { at: second as u64, later: third as u64 }));
    }

    #[test]
    fn what_a_crash_leaves_is_no_damage() {
        let (whole, [_, second, third]) = log();
        for cut in [0, 3, second, second + 3, second + 50, BLOCK_BYTES, BLOCK_BYTES + 3, 2 * BLOCK_BYTES + 40, third + 9] {
            assert_eq!(damage_of(&whole[..cut]), None, "cut at {cut}");
        }
        // The last batch lost sectors, and others of it came to the disk; room was taken behind it.
        let mut torn = whole[..third].to_vec();
        torn[second..second + 600].fill(0);
        assert_eq!(damage_of(&torn), None);
        torn.resize(4 * BLOCK_BYTES, 0);
        assert_eq!(damage_of(&torn), None);
    }
}
