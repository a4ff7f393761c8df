//! What a disk holds for certain, and what came after: files with their writes, folders with their entries.
//!
//! A power cut may keep any part of what was not synced: of a file all, nothing, a beginning that may end within a write, or
//! single sectors with nothing between them; of a folder's changes a beginning. What must stay true: a sync that returned covers
//! everything of its file that was done before it began, and nothing more; a rename is one change; a new file needs the sync
//! of its folder too.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use super::Lost;
use super::journal::{Below, Opened, Record};
use crate::choices::Choices;

const SECTOR_BYTES: usize = 512;

/// Something with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File(usize),
    Folder(usize),
}

/// A change, and when it was made.
#[derive(Debug, Clone)]
struct Late<C> {
    at: u64,
    change: C,
}

#[derive(Debug, Clone)]
enum Change {
    Write {
        offset: u64,
        bytes: Vec<u8>,
    },
    Length(u64),
    /// The file is at least so long.
    Reach(u64),
}

#[derive(Debug, Default)]
struct File {
    certain: Vec<u8>,
    late: Vec<Late<Change>>,
}

type Entries = BTreeMap<String, Node>;

/// Names that change together; one without a node goes.
type Renaming = Vec<(String, Option<Node>)>;

#[derive(Debug, Default)]
struct Folder {
    certain: Entries,
    late: Vec<Late<Renaming>>,
    /// As the process sees it.
    shown: Entries,
}

/// A disk.
#[derive(Debug)]
pub(super) struct Model {
    files: Vec<File>,
    /// The first one is the root.
    folders: Vec<Folder>,
    open: HashMap<i32, Node>,
    /// When syncs began that have not returned.
    syncs: HashMap<i32, Vec<u64>>,
    now: u64,
}

impl Model {
    /// What is below a folder, all of it for certain.
    pub(super) fn read(root: &Path) -> io::Result<Model> {
        let mut model = Model { files: Vec::new(), folders: vec![Folder::default()], open: HashMap::new(), syncs: HashMap::new(), now: 0 };
        model.read_folder(0, root)?;
        Ok(model)
    }

    fn read_folder(&mut self, into: usize, path: &Path) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let node = if entry.path().is_dir() {
                let folder = self.new_folder();
                self.read_folder(folder, &entry.path())?;
                Node::Folder(folder)
            } else {
                self.files.push(File { certain: fs::read(entry.path())?, late: Vec::new() });
                Node::File(self.files.len() - 1)
            };
            let name = entry.file_name().to_string_lossy().into_owned();
            self.folders[into].shown.insert(name.clone(), node);
            self.folders[into].certain.insert(name, node);
        }
        Ok(())
    }

    fn new_folder(&mut self) -> usize {
        self.folders.push(Folder::default());
        self.folders.len() - 1
    }

    fn new_file(&mut self) -> Node {
        self.files.push(File::default());
        Node::File(self.files.len() - 1)
    }

    /// Follows one operation.
    pub(super) fn apply(&mut self, record: Record) {
        self.now += 1;
        match record {
            Record::Open { fd, path, how } => self.open(fd, &path, how),
            Record::Write { fd, offset, bytes } => self.change(fd, Change::Write { offset, bytes }),
            Record::Length { fd, length, may_shrink } => {
                self.change(fd, if may_shrink { Change::Length(length) } else { Change::Reach(length) });
            }
            Record::SyncBegun { fd } => self.syncs.entry(fd).or_default().push(self.now),
            Record::SyncDone { fd } => self.sync(fd),
            Record::MakeFolder { path } => {
                let node = Node::Folder(self.new_folder());
                self.name(&path, Some(node));
            }
            Record::Remove { path } => self.name(&path, None),
            Record::Link { from, to } => {
                let node = self.find(&from);
                self.name(&to, node);
            }
            Record::Rename { from, to } => self.rename(&from, &to),
        }
    }

    fn find(&self, path: &[String]) -> Option<Node> {
        path.iter().try_fold(Node::Folder(0), |node, part| match node {
            Node::Folder(folder) => self.folders[folder].shown.get(part).copied(),
            Node::File(_) => None,
        })
    }

    /// The folder that a path lies in, and its name there.
    fn parent(&mut self, path: &Below) -> Option<(&mut Folder, String)> {
        let (name, folder) = path.split_last()?;
        match self.find(folder)? {
            Node::Folder(folder) => Some((&mut self.folders[folder], name.clone())),
            Node::File(_) => None,
        }
    }

    fn open(&mut self, fd: i32, path: &Below, how: Opened) {
        if how == Opened::Created {
            let node = self.new_file();
            self.name(path, Some(node));
        }
        let Some(node) = self.find(path) else { return };
        self.open.insert(fd, node);
        self.syncs.remove(&fd);
        if how == Opened::Emptied {
            self.change(fd, Change::Length(0));
        }
    }

    fn change(&mut self, fd: i32, change: Change) {
        if let Some(Node::File(file)) = self.open.get(&fd) {
            self.files[*file].late.push(Late { at: self.now, change });
        }
    }

    fn sync(&mut self, fd: i32) {
        // Of syncs that run at the same time the first one that began is taken: it promises the least.
        let Some(begun) = self.syncs.get_mut(&fd).filter(|begun| !begun.is_empty()).map(|begun| begun.remove(0)) else { return };
        match self.open.get(&fd) {
            Some(Node::File(file)) => {
                let file = &mut self.files[*file];
                let covered = file.late.partition_point(|late| late.at < begun);
                file.late.drain(..covered).for_each(|late| late.change.apply(&mut file.certain));
            }
            Some(Node::Folder(folder)) => {
                let covered = self.folders[*folder].late.partition_point(|late| late.at < begun);
                self.folders[*folder].keep(covered);
            }
            None => {}
        }
    }

    fn name(&mut self, path: &Below, node: Option<Node>) {
        let at = self.now;
        if let Some((folder, name)) = self.parent(path) {
            folder.change(at, vec![(name, node)]);
        }
    }

    fn rename(&mut self, from: &Below, to: &Below) {
        let (at, node) = (self.now, self.find(from));
        let is_within_one = from.split_last().map(|(_, folder)| folder) == to.split_last().map(|(_, folder)| folder);
        if !is_within_one {
            self.name(to, node);
            self.name(from, None);
            return;
        }
        let old = from.last().cloned().unwrap_or_default();
        if let Some((folder, new)) = self.parent(to) {
            folder.change(at, vec![(old, None), (new, node)]);
        }
    }

    /// Decides what is left. Nothing is late afterwards.
    pub(super) fn cut(&mut self, choices: &mut Choices) -> Lost {
        let mut lost = Lost::default();
        for folder in &mut self.folders {
            let kept = part(folder.late.len(), choices);
            lost.entries += (folder.late.len() - kept) as u64;
            folder.keep(kept);
            folder.late.clear();
            folder.shown = folder.certain.clone();
        }
        for file in &mut self.files {
            lost.files += u64::from(file.cut(choices));
        }
        lost
    }

    /// Makes a folder what is certain.
    pub(super) fn write(&self, root: &Path) -> io::Result<()> {
        self.write_folder(0, root)
    }

    fn write_folder(&self, folder: usize, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)?;
        for (name, node) in &self.folders[folder].certain {
            match node {
                Node::File(file) => fs::write(path.join(name), &self.files[*file].certain)?,
                Node::Folder(folder) => self.write_folder(*folder, &path.join(name))?,
            }
        }
        Ok(())
    }
}

impl Folder {
    fn change(&mut self, at: u64, change: Renaming) {
        name_all(&mut self.shown, &change);
        self.late.push(Late { at, change });
    }

    /// The first changes become certain.
    fn keep(&mut self, count: usize) {
        for late in self.late.drain(..count) {
            name_all(&mut self.certain, &late.change);
        }
    }
}

fn name_all(entries: &mut Entries, change: &[(String, Option<Node>)]) {
    for (name, node) in change {
        match node {
            Some(node) => entries.insert(name.clone(), *node),
            None => entries.remove(name),
        };
    }
}

impl File {
    /// Whether something was lost.
    fn cut(&mut self, choices: &mut Choices) -> bool {
        let late = std::mem::take(&mut self.late);
        if late.is_empty() {
            return false;
        }
        let keeps_sectors_only = choices.one_in(4);
        let kept = part(late.len(), choices);
        let is_lost = kept < late.len() || keeps_sectors_only;
        let torn = late.get(kept).map(|late| late.change.clone());
        for late in late.into_iter().take(kept) {
            if keeps_sectors_only { late.change.apply_sectors(&mut self.certain, choices) } else { late.change.apply(&mut self.certain) }
        }
        if let Some(Change::Write { offset, bytes }) = torn {
            let end = usize::try_from(choices.below(bytes.len() as u64)).expect("below a length");
            Change::Write { offset, bytes: bytes[..end].to_vec() }.apply(&mut self.certain);
        }
        is_lost
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes } => {
                let (from, to) = range(*offset, bytes.len());
                if content.len() < to {
                    content.resize(to, 0);
                }
                content[from..to].copy_from_slice(bytes);
            }
            Change::Length(length) => content.resize(range(*length, 0).0, 0),
            Change::Reach(length) => content.resize(range(*length, 0).0.max(content.len()), 0),
        }
    }

    /// The file grows, and only some sectors come with it.
    fn apply_sectors(&self, content: &mut Vec<u8>, choices: &mut Choices) {
        let Change::Write { offset, bytes } = self else { return self.apply(content) };
        let (from, to) = range(*offset, bytes.len());
        Change::Reach(to as u64).apply(content);
        let mut at = from;
        while at < to {
            let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(to);
            if choices.one_in(2) {
                content[at..end].copy_from_slice(&bytes[at - from..end - from]);
            }
            at = end;
        }
    }
}

fn range(offset: u64, length: usize) -> (usize, usize) {
    let from = usize::try_from(offset).expect("files fit into memory");
    (from, from + length)
}

/// How many of some are kept: none, all, or a part.
fn part(count: usize, choices: &mut Choices) -> usize {
    match choices.below(4) {
        0 => 0,
        1 => count,
        _ => usize::try_from(choices.below(count as u64 + 1)).expect("below a length"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Below {
        text.split('/').map(str::to_owned).collect()
    }

    /// A file that is made, written and synced in part, in a folder that is synced or not.
    fn after(folder_is_synced: bool) -> Model {
        let mut model = Model { files: Vec::new(), folders: vec![Folder::default()], open: HashMap::new(), syncs: HashMap::new(), now: 0 };
        let write = |offset, bytes: &[u8]| Record::Write { fd: 5, offset, bytes: bytes.to_vec() };
        let mut records = vec![
            Record::Open { fd: 5, path: path("log"), how: Opened::Created },
            write(0, b"kept"),
            Record::SyncBegun { fd: 5 },
            write(4, b"late"),
            Record::SyncDone { fd: 5 },
        ];
        if folder_is_synced {
            records.extend([
                Record::Open { fd: 6, path: Vec::new(), how: Opened::Folder },
                Record::SyncBegun { fd: 6 },
                Record::SyncDone { fd: 6 },
            ]);
        }
        records.into_iter().for_each(|record| model.apply(record));
        model
    }

    /// Everything that a cut may leave of the file.
    fn outcomes(folder_is_synced: bool) -> Vec<Option<Vec<u8>>> {
        let mut outcomes: Vec<_> = (0..300)
            .map(|seed| {
                let mut model = after(folder_is_synced);
                model.cut(&mut Choices::of(seed));
                model.folders[0].certain.get("log").map(|node| match node {
                    Node::File(file) => model.files[*file].certain.clone(),
                    Node::Folder(_) => panic!("a file became a folder"),
                })
            })
            .collect();
        outcomes.sort();
        outcomes.dedup();
        outcomes
    }

    #[test]
    fn a_cut_keeps_what_was_synced_and_any_part_of_the_rest() {
        let kept = outcomes(true);
        assert!(kept.iter().all(|content| content.as_ref().is_some_and(|content| content.starts_with(b"kept"))), "{kept:?}");
        for expected in ["kept", "keptla", "keptlate", "kept\0\0\0\0"] {
            assert!(kept.contains(&Some(expected.as_bytes().to_vec())), "{expected:?} in {kept:?}");
        }
    }

    #[test]
    fn a_file_whose_folder_was_not_synced_may_be_gone() {
        let kept = outcomes(false);
        assert!(kept.contains(&None) && kept.iter().any(Option::is_some), "{kept:?}");
    }

    #[test]
    fn a_rename_happens_or_does_not() {
        for seed in 0..100 {
            let mut model = after(true);
            model.apply(Record::Rename { from: path("log"), to: path("new") });
            model.cut(&mut Choices::of(seed));
            assert_eq!(model.folders[0].certain.len(), 1, "seed {seed}");
        }
    }
}
