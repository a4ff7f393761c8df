//! What a data directory held when it was closed, so that a loss since then is noticed.
//!
//! The engine takes a log of writes or a manifest that is cut short for one that a power cut left, and starts with what
//! came before: rightly after a crash, silently wrong after a copy that broke off or a disk that lost something. `CLOSED` is
//! written when a store has ended in good order:
//!
//! ```text
//!   version 4711                            the last version in the database
//!   1048576 000012.sst                      bytes and name of each file of the engine that holds data
//!   20480 000014.log 1f0c3bd0c4a6d2e7       and the hash of one whose damage the engine may take for its end
//! ```
//!
//! Tables and files of blobs have checksums in each block, which every read looks at. A damaged manifest may hide a table,
//! though, and the engine removes what no manifest names; a damaged log of writes is replayed up to the damage and then
//! removed. So these are looked at before the engine opens them, and a directory that is refused is left as it was.
//!
//! What must stay true: it is there only while nothing has been written since: it names no file once the engine may change
//! them, and it is gone, for good, before the first write.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::directory::{OpenError, sync_names};

/// Names of the engine's files that tell of no data: its own log, its lock, its settings.
const OTHERS: [&str; 4] = ["LOG", "LOCK", "OPTIONS", "IDENTITY"];

/// Kinds of files that the engine checks block by block, and refuses where they are damaged.
const CHECKED_BY_ENGINE: [&str; 2] = ["sst", "blob"];
/// Bytes of a file that are hashed at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// What was noted at the end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    /// The last version in the database.
    pub(crate) version: u64,
    files: Vec<Noted>,
}

/// A file as it was at the end.
#[derive(Debug, PartialEq, Eq)]
struct Noted {
    bytes: u64,
    name: String,
    hash: Option<u64>,
}

fn path(directory: &Path) -> PathBuf {
    directory.join("CLOSED")
}

impl Closing {
    /// What a directory's last owner noted; nothing if it did not end in good order.
    pub(crate) fn read(directory: &Path) -> Result<Option<Closing>, OpenError> {
        let path = path(directory);
        match fs::read_to_string(&path) {
            Ok(text) => Closing::parse(&text).map(Some).ok_or_else(|| lost(directory, "the note of what it held is damaged")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::Io(path, error)),
        }
    }

    /// Whether it tells of files, and not of the version alone.
    pub(crate) fn names_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// Whether every file is there in its length, before the engine looks at them.
    pub(crate) fn check_files(&self, directory: &Path, engine: &Path) -> Result<(), OpenError> {
        for Noted { bytes, name, hash } in &self.files {
            let path = engine.join(name);
            match fs::metadata(&path).map(|file| file.len()) {
                Ok(found) if found == *bytes => {}
                Ok(found) => return Err(lost(directory, &format!("{name} had {bytes} bytes when it was closed, and has {found} now"))),
                Err(_) => return Err(lost(directory, &format!("{name} was there when it was closed, and is not now"))),
            }
            if let Some(hash) = hash
                && hash_of(&path).map_err(|error| OpenError::Io(path, error))? != *hash
            {
                return Err(lost(directory, &format!("{name} is not what it was when it was closed")));
            }
        }
        Ok(())
    }

    /// Whether the engine has found everything that was written.
    pub(crate) fn check_version(&self, directory: &Path, found: u64) -> Result<(), OpenError> {
        if found == self.version {
            return Ok(());
        }
        Err(lost(directory, &format!("it was closed after write {}, and the last one found in it is {found}", self.version)))
    }

    /// Removes the note, for good.
    pub(crate) fn remove(directory: &Path) -> Result<(), OpenError> {
        let path = path(directory);
        match fs::remove_file(&path) {
            Ok(()) => sync_names(directory).map_err(|error| OpenError::Io(path, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(OpenError::Io(path, error)),
        }
    }

    /// Notes what the engine's files hold now that it has let go of them.
    pub(crate) fn write(directory: &Path, engine: &Path, version: u64) -> io::Result<()> {
        let mut text = format!("version {version}\n");
        for entry in fs::read_dir(engine)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if OTHERS.iter().any(|other| name.starts_with(other)) {
                continue;
            }
            let is_checked = name.rsplit_once('.').is_some_and(|(_, kind)| CHECKED_BY_ENGINE.contains(&kind));
            let hash = if is_checked { String::new() } else { format!(" {:016x}", hash_of(&entry.path())?) };
            writeln!(text, "{} {name}{hash}", entry.metadata()?.len()).expect("a string takes everything");
        }
        replace(directory, &text)
    }

    /// Forgets the files, which the engine is about to change, and keeps the version: a crash while it opens them is no loss.
    pub(crate) fn forget_files(&self, directory: &Path) -> Result<(), OpenError> {
        replace(directory, &format!("version {}\n", self.version)).map_err(|error| OpenError::Io(path(directory), error))
    }

    fn parse(text: &str) -> Option<Closing> {
        let mut lines = text.lines();
        let version = lines.next()?.strip_prefix("version ")?.parse().ok()?;
        let file = |line: &str| {
            let (bytes, rest) = line.split_once(' ')?;
            let (name, hash) = rest.split_once(' ').map_or((rest, None), |(name, hash)| (name, Some(hash)));
            let hash = hash.map(|hash| u64::from_str_radix(hash, 16)).transpose().ok()?;
            Some(Noted { bytes: bytes.parse().ok()?, name: name.to_owned(), hash })
        };
        Some(Closing { version, files: lines.map(file).collect::<Option<_>>()? })
    }
}

fn hash_of(path: &Path) -> io::Result<u64> {
    let (mut file, mut chunk, mut hash) = (File::open(path)?, vec![0; CHUNK_BYTES], Xxh3::new());
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hash.digest()),
            read => hash.update(&chunk[..read]),
        }
    }
}

fn replace(directory: &Path, text: &str) -> io::Result<()> {
    let aside = directory.join("CLOSED.new");
    let mut file = File::create(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path(directory))?;
    sync_names(directory)
}

fn lost(directory: &Path, what: &str) -> OpenError {
    OpenError::Lost { directory: directory.to_owned(), what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Closing, Noted};

    #[test]
    fn a_note_is_read_as_it_was_written_and_a_damaged_one_is_none() {
        let read = Closing::parse("version 7\n10 000003.sst\n200 000004.log 00000000000000ff\n").unwrap();
        let noted = |bytes, name: &str, hash| Noted { bytes, name: name.to_owned(), hash };
        assert_eq!(read, Closing { version: 7, files: vec![noted(10, "000003.sst", None), noted(200, "000004.log", Some(255))] });
        for damaged in ["", "version \n", "version 7\n10\n", "version 7\nten CURRENT\n", "7\n", "version 7\n10 CURRENT x\n"] {
            assert_eq!(Closing::parse(damaged), None, "{damaged:?}");
        }
    }
}
