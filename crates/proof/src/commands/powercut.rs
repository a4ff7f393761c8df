//! `powercut`: cuts the power under load, as far as files are concerned, and compares with what clients know.
//!
//! What must stay true: what is cut off was not synced; the load and the comparison are those of `crash`.

use stator_planted::Fault;

use super::crash::{ROLLING, kill_under_load};
use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::disk::{Disk, Lost};
use crate::load::Load;
use crate::run::Run;
use crate::verdict::Violation;

pub(crate) const COMMAND: Command = Command {
    name: "powercut",
    about: "cut the power under mixed load, again and again; nothing acknowledged may be lost",
    help: "The load of `crash`. A library in front of the C library writes down every write, sync, creation, rename and removal below
the data directory. After SIGKILL the files are made anew: what was synced is there; of what was not, each file keeps all, nothing,
a beginning that may end within a write, or single sectors with nothing between them, and each folder a beginning of its
changes. A sync counts for what was written before it began, and a new file or name needs the sync of its folder. What must
hold is what must hold for `crash`. Every 20 rounds begin with no data directory, so that its making is cut off too.",
    options: &[Choice { name: "rounds", default: "200", about: "how many cuts" }],
    faults: &[Fault::SkipSync],
    perform,
};

/// Rounds with one data directory.
const ROUNDS_PER_LIFE: u64 = 20;

fn perform(run: &mut Run) -> Result<String, Violation> {
    let rounds = run.number("rounds")?;
    let mut choices = Choices::of(run.seed);
    let (mut lost, mut figures) = (Lost::default(), Vec::new());
    for life in 0..rounds.div_ceil(ROUNDS_PER_LIFE) {
        let disk = Disk::new(run, &format!("disk-{life}"))?;
        let mut load = None;
        for number in 0..ROUNDS_PER_LIFE.min(rounds - life * ROUNDS_PER_LIFE) {
            run.tell_progress(life * ROUNDS_PER_LIFE + number, rounds, "rounds");
            let taken = round(run, &disk, &mut load, &mut choices)?;
            lost.files += taken.files;
            lost.entries += taken.entries;
        }
        figures.extend(load.map(|load| load.counts()));
    }
    let done = figures.into_iter().sum::<crate::load::Counts>();
    Ok(format!(
        "{rounds} cuts, {} files shortened and {} changes of folders undone; {done}; nothing acknowledged lost",
        lost.files, lost.entries
    ))
}

/// A start, a comparison, load, and a cut.
fn round(run: &Run, disk: &Disk, load: &mut Option<Load>, choices: &mut Choices) -> Result<Lost, Violation> {
    let settled = disk.settled()?;
    let mut command = run.serve_command(&disk.data(), &ROLLING)?;
    disk.attach(&mut command)?;
    let server = run.start(command)?;
    kill_under_load(run, server, load, choices)?;
    let lost = disk.cut(settled, choices)?;
    run.check(&disk.data())?;
    Ok(lost)
}
