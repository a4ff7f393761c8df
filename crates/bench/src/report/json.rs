//! `latest.json`: for programs.
//!
//! What must stay true: `bars` is a list of objects with `name`, `bar`, `measured` (the median of the part that takes most
//! of its limit) and `holds`; whatever is added stands beside these.

use serde_json::{Map, Value, json};

use super::machine::Machine;
use crate::bar::{Bar, Verdict};
use crate::bench::Bench;
use crate::figures::{Figures, Spread};

pub(super) fn print(bench: &Bench, bars: &[&Bar], machine: &Machine) -> String {
    let figures = &bench.figures;
    let all: Map<String, Value> = figures.all().map(|(name, values)| (name.to_owned(), json!(values))).collect();
    let reasons: Map<String, Value> = figures.reasons().map(|(name, reason)| (name.to_owned(), json!(reason))).collect();
    let curves: Vec<Value> = figures
        .curves()
        .iter()
        .map(|point| json!({"series": point.series, "per_s": point.per_second, "p50_us": point.p50_us, "p99_us": point.p99_us}))
        .collect();
    let document = json!({
        "bars": bars.iter().map(|bar| row(bar, figures)).collect::<Vec<_>>(),
        "run": {"scale": bench.options.scale.name(), "peers": bench.options.has_peers, "large": bench.options.is_large, "date": machine.date, "revision": machine.revision},
        "machine": {"processor": machine.processor, "cores": machine.cores, "memory_gib": machine.memory_gib, "kernel": machine.kernel},
        "figures": all,
        "curves": curves,
        "missing": reasons,
    });
    format!("{document:#}\n")
}

fn row(bar: &Bar, figures: &Figures) -> Value {
    let verdict = bar.verdict(figures);
    let parts: Vec<Value> = bar
        .parts
        .iter()
        .map(|part| {
            let judged = part.judge(figures);
            json!({"label": part.label, "unit": part.unit, "verdict": judged.verdict.name(), "measured": judged.spread.map(spread)})
        })
        .collect();
    json!({
        "name": bar.name,
        "bar": bar.text,
        "measured": bar.nearest(figures).map(|(_, spread)| spread.median),
        "holds": verdict == Verdict::Holds,
        "verdict": verdict.name(),
        "parts": parts,
        "reason": bar.reason(figures),
    })
}

fn spread(spread: Spread) -> Value {
    json!({"least": spread.least, "median": spread.median, "most": spread.most})
}
