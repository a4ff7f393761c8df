//! What came out: a table on the screen, `target/bench/latest.json`, and the committed page with its plots.
//!
//! What must stay true: all three are made from the same figures; the page is replaced only by a run of everything.

mod json;
mod machine;
mod page;
mod plot;
mod words;

use std::fs;
use std::path::Path;

use crate::bar::{BARS, Bar};
use crate::bench::Bench;
use crate::say;
use stator_driver::failure::{Failure, failed};

/// Where the page's plots lie, and the text that people write.
const FOLDER: &str = "docs/performance";

/// Reports.
pub(crate) fn all(bench: &Bench) -> Result<(), Failure> {
    let bars: Vec<&Bar> = BARS.iter().filter(|bar| bench.options.wants(bar.name)).collect();
    screen(bench, &bars);
    let machine = machine::Machine::look(&bench.options.root);
    let latest = bench.options.root.join("target/bench/latest.json");
    write(&latest, &json::print(bench, &bars, &machine))?;
    say(&format!("figures are in {}", latest.display()));
    if bench.options.is_complete() {
        let root = &bench.options.root;
        write(&root.join(FOLDER).join("latency.svg"), &plot::latency_over_load(&bench.figures))?;
        write(&root.join(FOLDER).join("size.svg"), &plot::cost_over_size(&bench.figures))?;
        let profile = fs::read_to_string(root.join(FOLDER).join("profile.md")).unwrap_or_default();
        write(&root.join("docs/performance.md"), &page::print(bench, &machine, &profile))?;
        say("docs/performance.md is new");
    }
    Ok(())
}

fn screen(bench: &Bench, bars: &[&Bar]) {
    say("");
    for bar in bars {
        let verdict = bar.verdict(&bench.figures);
        say(&format!("{:<18}{:<9}{}", bar.name, verdict.name(), bar.text));
        for part in bar.parts {
            say(&format!("{:<27}{}", "", words::part(part, &bench.figures)));
        }
        if let Some(reason) = bar.reason(&bench.figures) {
            say(&format!("{:<27}{reason}", ""));
        }
    }
    say("");
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.map_err(|error| failed(format!("{}: {error}", path.display())))
}
