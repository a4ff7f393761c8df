//! The words by which the library in front of the disk is told what fails, and tells what it counted.
//!
//! What must stay true: the places of words are those of `shim.c`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const WORDS: usize = 32;
const FAIL_AT: usize = 8;
const ERRNO: usize = 16;
const IS_SHORT: usize = 17;
const IS_LASTING: usize = 18;
const IS_FULL: usize = 19;
const HITS: usize = 20;

/// Calls that are counted and may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Open,
    Read,
    Write,
    Sync,
    Rename,
    Unlink,
    Allocate,
}

/// What fails.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    /// The n-th call of a kind, counted from the order.
    pub(crate) at: Option<(Kind, u64)>,
    /// With this number.
    pub(crate) errno: u64,
    /// It writes its first half before.
    pub(crate) is_short: bool,
    /// And so do all after it.
    pub(crate) is_lasting: bool,
    /// There is no room for anything.
    pub(crate) is_full: bool,
}

impl Order {
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut words = [0_u64; WORDS];
        if let Some((kind, nth)) = self.at {
            words[FAIL_AT + kind as usize] = nth;
        }
        words[ERRNO] = self.errno;
        words[IS_SHORT] = u64::from(self.is_short);
        words[IS_LASTING] = u64::from(self.is_lasting);
        words[IS_FULL] = u64::from(self.is_full);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        File::options().write(true).create(true).truncate(false).open(path)?.write_all(&bytes)
    }
}

pub(super) fn count(path: &Path, kind: Kind) -> io::Result<u64> {
    word(path, kind as usize)
}

pub(super) fn hits(path: &Path) -> io::Result<u64> {
    word(path, HITS)
}

fn word(path: &Path, at: usize) -> io::Result<u64> {
    let bytes = fs::read(path)?;
    let word = bytes.get(at * 8..at * 8 + 8).and_then(|word| word.try_into().ok());
    Ok(word.map_or(0, u64::from_le_bytes))
}
