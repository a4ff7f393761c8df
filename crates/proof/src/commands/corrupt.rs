//! `corrupt`: a bit of a closed data directory flips, or a file of it is cut short or goes, and the server is started over it.
//!
//! What must stay true: the directory was closed in good order, with rows in tables, in files of blobs and in the log of
//! writes; each damage is done to a copy of it, and is the only one.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use stator_driver::client::Client;
use stator_driver::request::{ACCESS_KEY, SECRET};
use stator_driver::server::Server;
use stator_planted::Fault;

use super::crash::ROLLING;
use super::faults::copy;
use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::load::{Load, settle};
use crate::reading::Reading;
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "corrupt",
    about: "flip bits and cut files of a closed data directory; a loss has to be noticed and told",
    help: "The load of `crash` makes a data directory, which is closed in good order; all that the server shows of it is noted. Then,
each time on a fresh copy, one bit of one file flips, or a file is cut short, or goes: tables, files of blobs, the log of writes,
MANIFEST, CURRENT, OPTIONS, IDENTITY, FORMAT, CLOSED, LOCK and the root credential. The server is started twice and asked for
everything, and stator check is run first or last. What must hold: a start that fails says why and exits with 1, and so does the
next one; every answer is what it was before or an error of the server, whose log then names the damage; if anything was refused,
stator check says so too.",
    options: &[Choice { name: "damages", default: "40", about: "how many to each kind of file" }],
    faults: &[Fault::SkipChecksum],
    perform,
};

/// Kinds of files: what they are called here, how the name begins, and how it ends.
const KINDS: [(&str, &str, &str); 11] = [
    ("table", "", ".sst"),
    ("blobs", "", ".blob"),
    ("log of writes", "", ".log"),
    ("MANIFEST", "MANIFEST-", ""),
    ("CURRENT", "CURRENT", ""),
    ("OPTIONS", "OPTIONS-", ""),
    ("IDENTITY", "IDENTITY", ""),
    ("FORMAT", "FORMAT", ""),
    ("CLOSED", "CLOSED", ""),
    ("LOCK", "LOCK", ""),
    ("root credential", "root-credential", ""),
];
/// Those whose blocks carry checksums that a read looks at.
const CHECKED_KINDS: usize = 2;
/// Requests that are answered before the server is stopped.
const ANSWERED: u64 = 1_500;
/// Flips happen so many times as often as cuts.
const CUT_PERIOD: u64 = 4;

/// A directory that was closed, and all that was shown of it.
struct Beginning {
    folder: PathBuf,
    reading: Reading,
}

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip { byte: u64, bit: u64 },
    Cut { to_bytes: u64 },
    Remove,
}

#[derive(Default)]
struct Tally {
    refused_starts: u64,
    refused_answers: u64,
    harmless: u64,
}

fn perform(run: &mut Run) -> Result<String, Violation> {
    let beginning = beginning(run)?;
    let mut tally = Tally::default();
    let each = run.number("damages")?;
    // In this run a fault is planted that only tables and blobs meet.
    let kinds = if run.planted().is_some() { &KINDS[..CHECKED_KINDS] } else { &KINDS[..] };
    for (number, kind) in (0_u64..).zip(kinds) {
        let mut choices = Choices::part(run.seed, number);
        for _ in 0..each {
            let (path, damage) = choose(&beginning.folder, kind, &mut choices)?;
            let told = |violation| match violation {
                Violation::Found(what) => found(format!("{damage:?} of {} ({}): {what}", path.display(), kind.0)),
                broken @ Violation::Broken(_) => broken,
            };
            case(run, &beginning, &path, damage, choices.one_in(2), &mut tally).map_err(told)?;
        }
    }
    let Tally { refused_starts, refused_answers, harmless } = tally;
    Ok(format!(
        "{} damages to {} kinds of files: {refused_starts} times no start, {refused_answers} times answers were refused, {harmless} times \
         everything was there; of {} questions none was answered wrongly",
        each * kinds.len() as u64,
        kinds.len(),
        beginning.reading.len()
    ))
}

/// Makes a directory under load, closes it, and notes what is shown of a copy.
fn beginning(run: &Run) -> Result<Beginning, Violation> {
    let folder = run.path("closed")?;
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let mut credential = fs::File::options().write(true).create_new(true).mode(0o600).open(folder.join("root-credential"))?;
    write!(credential, "access-key-id {ACCESS_KEY}\nsecret-access-key {SECRET}\n")?;
    let mut load = None;
    for _ in 0..2 {
        let server = start(run, &folder)?;
        let (address, mut stopped) = (server.address(), Ok(()));
        let load = match &mut load {
            Some(load) => load,
            None => load.insert(Load::new(run, address)?),
        };
        load.verify(address)?;
        load.until(address, ANSWERED, || stopped = server.stop())?;
        stopped?;
    }
    let server = start(run, &folder)?;
    if let Some(load) = &mut load {
        load.verify(server.address())?;
    }
    settle(&mut Client::connect(server.address())?)?;
    server.stop()?;
    let shown = run.path("shown")?;
    let _ = fs::remove_dir_all(&shown);
    copy(&folder, &shown)?;
    let server = start(run, &shown)?;
    let reading = Reading::take(&mut Client::connect(server.address())?)?;
    server.stop()?;
    Ok(Beginning { folder, reading })
}

/// A server whose credential is the one in its directory.
fn start(run: &Run, data: &Path) -> Result<Server, Violation> {
    let mut command = run.serve_command(data, &ROLLING)?;
    command.env_remove("STATOR_ACCESS_KEY_ID").env_remove("STATOR_SECRET_ACCESS_KEY");
    run.start(command)
}

/// A file of a kind, the larger the likelier, and what happens to it.
fn choose(folder: &Path, kind: &(&str, &str, &str), choices: &mut Choices) -> Result<(PathBuf, Damage), Violation> {
    let mut files = Vec::new();
    for within in ["", "rocksdb"] {
        for entry in fs::read_dir(folder.join(within))?.flatten() {
            let (name, metadata) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?);
            if metadata.is_file() && metadata.len() > 0 && name.starts_with(kind.1) && name.ends_with(kind.2) {
                files.push((Path::new(within).join(name), metadata.len()));
            }
        }
    }
    files.sort();
    let all: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let mut place = choices.below(all);
    for (path, bytes) in files {
        if place >= bytes {
            place -= bytes;
            continue;
        }
        let damage = match choices.below(CUT_PERIOD * 3) {
            0 => Damage::Remove,
            1 => Damage::Cut { to_bytes: 0 },
            2 => Damage::Cut { to_bytes: place },
            _ => Damage::Flip { byte: place, bit: choices.below(8) },
        };
        return Ok((path, damage));
    }
    Err(broken(format!("the directory has no {}", kind.0)))
}

fn inflict(path: &Path, damage: Damage) -> Result<(), Violation> {
    match damage {
        Damage::Remove => fs::remove_file(path)?,
        Damage::Cut { to_bytes } => fs::File::options().write(true).open(path)?.set_len(to_bytes)?,
        Damage::Flip { byte, bit } => {
            let mut bytes = fs::read(path)?;
            let flipped = usize::try_from(byte).ok().and_then(|byte| bytes.get_mut(byte)).ok_or_else(|| broken("there is no such byte"))?;
            *flipped ^= 1 << bit;
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

/// One damage, from the copy to the last look.
fn case(run: &Run, beginning: &Beginning, path: &Path, damage: Damage, checks_first: bool, tally: &mut Tally) -> Result<(), Violation> {
    let data = run.path("data")?;
    let _ = fs::remove_dir_all(&data);
    copy(&beginning.folder, &data)?;
    inflict(&data.join(path), damage)?;
    let before = if checks_first { Some(check(run, &data)?) } else { None };
    let (mut refused_start, mut refused) = (None, None);
    for _ in 0..2 {
        match start(run, &data) {
            Err(Violation::Found(said)) => {
                explained(&said)?;
                refused_start = Some(said);
            }
            Err(broken) => return Err(broken),
            Ok(server) => {
                if let Some(said) = look(beginning, server)? {
                    refused = Some(said);
                }
            }
        }
    }
    let after = check(run, &data)?;
    let is_of_check = !path.ends_with("root-credential");
    match (&refused_start, &refused) {
        (Some(said), _) | (None, Some(said)) if is_of_check && (after.is_none() || before == Some(None)) => {
            return Err(found(format!("stator check finds nothing, although there was this: {said}")));
        }
        (Some(_), _) => tally.refused_starts += 1,
        (None, Some(_)) => tally.refused_answers += 1,
        (None, None) => tally.harmless += 1,
    }
    Ok(())
}

/// Asks a server for everything, and stops it; the first refusal.
fn look(beginning: &Beginning, server: Server) -> Result<Option<String>, Violation> {
    let compared = beginning.reading.compare(&mut Client::connect(server.address())?)?;
    if compared.refused == 0 {
        // It may have stopped to write; then its end is as untidy as it has to be.
        server.stop()?;
        return Ok(None);
    }
    let log = server.log();
    let is_of_caller = compared.equal == 0;
    if !is_of_caller && !log.contains("damaged") {
        return Err(found(format!(
            "{} answers were refused ({}), and the log does not name the damage{}",
            compared.refused,
            compared.said,
            server.last_words()
        )));
    }
    server.stop()?;
    Ok(Some(compared.said))
}

/// A start that fails says why, and does not panic.
fn explained(said: &str) -> Result<(), Violation> {
    let is_explained = said.contains("stator: ") && !said.contains("panicked");
    if is_explained { Ok(()) } else { Err(found(format!("the server did not start, and does not say why{said}"))) }
}

/// `stator check`: what it says against the directory, if anything. It has to say it in a sentence of its own.
fn check(run: &Run, data: &Path) -> Result<Option<String>, Violation> {
    match run.check(data) {
        Ok(()) => Ok(None),
        Err(Violation::Found(said)) => explained(&said).map(|()| Some(said)),
        Err(broken) => Err(broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damage_is_one_bit_or_an_end() {
        let file = std::env::temp_dir().join(format!("stator-damage-{}", std::process::id()));
        fs::write(&file, [0; 4]).unwrap();
        inflict(&file, Damage::Flip { byte: 2, bit: 3 }).unwrap();
        assert_eq!(fs::read(&file).unwrap(), [0, 0, 8, 0]);
        inflict(&file, Damage::Cut { to_bytes: 1 }).unwrap();
        assert_eq!(fs::read(&file).unwrap(), [0]);
        inflict(&file, Damage::Remove).unwrap();
        assert!(!file.exists());
    }
}
