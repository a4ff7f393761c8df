//! The measures, by what they share: a server and its data are made once for all measures of a file.
//!
//! What must stay true: within a file, rounds go over all measures in turn, so that what is compared was measured within
//! seconds of each other.

mod calm;
mod few;
mod million;
mod peers;
mod process;
pub(crate) mod profile;
mod requests;
mod scan;
mod stream;
mod ttl;

use crate::bench::Bench;
use stator_driver::failure::Failure;

/// Rounds of every measure.
pub(crate) const ROUNDS: usize = 3;

/// A file of measures.
struct Fixture {
    measures: &'static [&'static str],
    run: fn(&mut Bench) -> Result<(), Failure>,
}

const FIXTURES: [Fixture; 6] = [
    Fixture { measures: process::MEASURES, run: process::run },
    Fixture { measures: few::MEASURES, run: few::run },
    Fixture { measures: stream::MEASURES, run: stream::run },
    Fixture { measures: million::MEASURES, run: million::run },
    Fixture { measures: ttl::MEASURES, run: ttl::run },
    Fixture { measures: peers::MEASURES, run: peers::run },
];

/// Makes every measure that is wanted.
pub(crate) fn all(bench: &mut Bench) {
    for fixture in &FIXTURES {
        if !bench.wants(fixture.measures) {
            continue;
        }
        if let Err(failure) = (fixture.run)(bench) {
            bench.miss(fixture.measures, &failure);
        }
    }
    bench.finish();
}
