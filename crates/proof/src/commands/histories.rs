//! `histories`: many clients over few items, kills in between, and one order that explains all that was seen.
//!
//! What must stay true: each history begins with no data and depends on its own number alone, as far as threads allow.

use stator_planted::Fault;

use crate::choices::Choices;
use crate::command::{Choice, Command};
use crate::history::{Figures, perform as history};
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "histories",
    about: "many clients over few items, with kills; what they see has to have one order",
    help: "12 clients append marks to the lists of 5 items: by UpdateItem, by reading an item and putting it under the condition that it
is still the same, and by transactions over several items, which are sent again under their token when the answer was lost. Others
read, one item or several in one moment, with and without ConsistentRead, and query a global index. They pause now and then. The
server is killed (SIGKILL) or stopped, and started again, several times in each history. What must hold: there is one order of
all calls that agrees with what each saw, with when it began and ended, and with the order of the stream (strict serializability of
transactions, linearizability of each item); a call whose answer was lost happened wholly, and before the process ended, or not at
all; the stream tells of each list as it grew; a global index and a read without ConsistentRead show only what once was, and the
index comes to show what the table has; stator check finds no fault.",
    options: &[
        Choice { name: "seeds", default: "50", about: "how many histories" },
        Choice { name: "restarts", default: "4", about: "kills and stops in each" },
    ],
    faults: &[Fault::SkipLatch],
    perform,
};

fn perform(run: &mut Run) -> Result<String, Violation> {
    let (seeds, restarts) = (run.number("seeds")?, run.number("restarts")?);
    let mut figures = Figures::default();
    for number in 0..seeds {
        let told = |violation| match violation {
            Violation::Found(what) => found(format!("history {number}: {what}")),
            Violation::Broken(why) => broken(format!("history {number}: {why}")),
        };
        figures += history(run, Choices::part(run.seed, number).next(), restarts).map_err(told)?;
    }
    Ok(format!("{seeds} histories: {figures}"))
}
