//! A folder of scripts as a test binary: one test per file, and a count of where the expectations come from.
//!
//! What must stay true: with `UPDATE_SCRIPTS=1` failing expectations are rewritten for review, and the test still fails.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};

use super::{Source, find_scripts, run::run};
use crate::target::Target;

#[derive(Default)]
struct Totals {
    files: usize,
    steps: BTreeMap<Source, usize>,
    pending: usize,
}

/// Makes the target of the script with this number.
pub type MakeTarget = dyn Fn(usize) -> Box<dyn Target> + Send + Sync;

/// Runs all scripts below a folder, each on a target of its own.
///
/// With `share_regions`, the targets may be views of one server: each script then has regions of its own.
#[expect(clippy::needless_pass_by_value, reason = "each trial takes a share of it")]
pub fn run_folder(folder: &Path, share_regions: bool, make_target: Arc<MakeTarget>) -> ExitCode {
    let totals = Arc::new(Mutex::new(Totals::default()));
    let files = find_scripts(folder).unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()));
    let trials = files.into_iter().enumerate().map(|(number, path)| {
        let name = path.strip_prefix(folder).unwrap_or(&path).with_extension("").display().to_string();
        let (totals, make_target) = (Arc::clone(&totals), Arc::clone(&make_target));
        let suffix = if share_regions { format!("-s{number}") } else { String::new() };
        Trial::test(name, move || run_file(&path, make_target(number).as_mut(), &suffix, &totals))
    });
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials.collect());
    let totals = totals.lock().expect("no test panics while it counts");
    let of = |source| totals.steps.get(&source).copied().unwrap_or(0);
    let counts = [of(Source::Observed), of(Source::Documented), of(Source::Assumed)];
    println!(
        "scripts: {} files, {} steps: {} observed, {} documented, {} assumed; {} pending",
        totals.files,
        counts.iter().sum::<usize>(),
        counts[0],
        counts[1],
        counts[2],
        totals.pending
    );
    conclusion.exit_code()
}

fn run_file(path: &PathBuf, target: &mut dyn Target, suffix: &str, totals: &Mutex<Totals>) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let outcome = run(&text, target, suffix);
    let mut totals = totals.lock().expect("no test panics while it counts");
    totals.files += 1;
    totals.pending += outcome.pending;
    for (source, count) in &outcome.steps {
        *totals.steps.entry(*source).or_default() += count;
    }
    if outcome.failures.is_empty() {
        return Ok(());
    }
    if std::env::var_os("UPDATE_SCRIPTS").is_some() {
        std::fs::write(path, &outcome.rewritten).map_err(|error| format!("cannot be rewritten: {error}"))?;
    }
    Err(format!("{}\n{}", path.display(), outcome.failures.join("\n")).into())
}
