//! Reading what the library in front of the disk wrote down.
//!
//! What must stay true: the layout is that of `record` in `shim.c`; a record that the killed process did not finish is none.

use std::path::Path;

/// A path below the root, in its parts; no parts are the root itself.
pub(super) type Below = Vec<String>;

/// One operation that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    Open { fd: i32, path: Below, how: Opened },
    Write { fd: i32, offset: u64, bytes: Vec<u8> },
    Length { fd: i32, length: u64, may_shrink: bool },
    SyncBegun { fd: i32 },
    SyncDone { fd: i32 },
    Rename { from: Below, to: Below },
    Link { from: Below, to: Below },
    Remove { path: Below },
    MakeFolder { path: Below },
}

/// What an open found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    Folder,
    Created,
    Emptied,
    AsItWas,
}

const HEAD_BYTES: usize = 1 + 4 + 8 + 4 + 4;

/// All whole records of a journal.
pub(super) fn records(mut bytes: &[u8], root: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some((record, rest)) = next(bytes, root) {
        records.extend(record);
        bytes = rest;
    }
    records
}

/// The first record, and what follows. One that is not known is none.
fn next<'b>(bytes: &'b [u8], root: &Path) -> Option<(Option<Record>, &'b [u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let number = |from: usize| head[from..from + 4].try_into().map_or(0, u32::from_le_bytes);
    let fd = head[1..5].try_into().map_or(0, i32::from_le_bytes);
    let offset = head[5..13].try_into().map_or(0, u64::from_le_bytes);
    let (text, rest) = rest.split_at_checked(number(13) as usize)?;
    let (other, rest) = rest.split_at_checked(number(17) as usize)?;
    let path = || below(text, root);
    let open = |how| Record::Open { fd, path: path(), how };
    let record = match head[0] {
        b'd' => open(Opened::Folder),
        b'c' => open(Opened::Created),
        b't' => open(Opened::Emptied),
        b'o' => open(Opened::AsItWas),
        b'w' => Record::Write { fd, offset, bytes: text.to_vec() },
        b'n' => Record::Length { fd, length: offset, may_shrink: true },
        b'a' => Record::Length { fd, length: offset, may_shrink: false },
        b's' => Record::SyncBegun { fd },
        b'S' => Record::SyncDone { fd },
        b'r' => Record::Rename { from: path(), to: below(other, root) },
        b'l' => Record::Link { from: path(), to: below(other, root) },
        b'u' | b'x' => Record::Remove { path: path() },
        b'm' => Record::MakeFolder { path: path() },
        _ => return Some((None, rest)),
    };
    Some((Some(record), rest))
}

fn below(text: &[u8], root: &Path) -> Below {
    let text = String::from_utf8_lossy(text);
    let rest = text.strip_prefix(&*root.to_string_lossy()).unwrap_or_default();
    rest.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(letter: u8, fd: i32, offset: u64, text: &str, other: &str) -> Vec<u8> {
        let lengths = [text.len(), other.len()].map(|length| u32::try_from(length).unwrap().to_le_bytes()).concat();
        [&[letter][..], &fd.to_le_bytes(), &offset.to_le_bytes(), &lengths, text.as_bytes(), other.as_bytes()].concat()
    }

    #[test]
    fn a_journal_is_read_up_to_the_record_that_was_not_finished() {
        let bytes =
            [raw(b'r', -1, 0, "/disk/data/a.tmp", "/disk/data/a"), raw(b'w', 7, 3, "xyz", ""), raw(b'w', 7, 6, "lost", "")].concat();
        let parts = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let expected = [
            Record::Rename { from: parts(&["data", "a.tmp"]), to: parts(&["data", "a"]) },
            Record::Write { fd: 7, offset: 3, bytes: b"xyz".to_vec() },
        ];
        assert_eq!(records(&bytes[..bytes.len() - 1], Path::new("/disk")), expected);
    }
}
