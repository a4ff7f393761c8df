//! What to run: `stator-bench [--quick] [--only NAME] [--peers] [--large]`.
//!
//! What must stay true: only a run of everything replaces the committed page; a partial one shows its table and leaves
//! `latest.json`.

use std::path::PathBuf;
use std::time::Duration;

use crate::bar::BARS;
use stator_driver::failure::{Failure, failed};

/// The usage, as `--help` prints it.
pub(crate) const USAGE: &str =
    "usage: cargo xtask bench [--quick] [--only NAME] [--peers] [--large] [--smoke] [--profile OP] [--baselines] [--list]
  --quick      short windows: the whole in under 8 minutes on two cores
  --only NAME  one bar, or more with more of these
  --peers      also DynamoDB Local, dynalite and dynoxide, installed on first use
  --large      also ten million items, and a million deadlines at once
  --smoke      tiny: shows that everything runs; its figures mean nothing
  --profile OP no bars: `perf` on the server under get, put, query, update, batch-write or transact-write
  --baselines  rewrite the committed allocation counts instead
  --list       the names of the bars";

/// A run as asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) only: Vec<String>,
    pub(crate) scale: Scale,
    pub(crate) has_peers: bool,
    pub(crate) is_large: bool,
    /// An operation to look into, instead of the bars.
    pub(crate) profile: Option<String>,
    /// Where results go: the workspace.
    pub(crate) root: PathBuf,
}

/// How long and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Scale {
    #[default]
    Whole,
    Quick,
    Smoke,
}

impl Scale {
    pub(crate) fn window(self) -> Duration {
        match self {
            Scale::Whole => Duration::from_secs(6),
            Scale::Quick => Duration::from_millis(1500),
            Scale::Smoke => Duration::from_millis(200),
        }
    }

    pub(crate) fn warm_up(self) -> Duration {
        match self {
            Scale::Whole => Duration::from_secs(1),
            Scale::Quick => Duration::from_millis(300),
            Scale::Smoke => Duration::from_millis(50),
        }
    }

    /// Items of the tables that are there for the hot path.
    pub(crate) fn items_few(self) -> u64 {
        if self == Scale::Smoke { 2_000 } else { 20_000 }
    }

    /// "A million".
    pub(crate) fn million(self) -> u64 {
        if self == Scale::Smoke { 30_000 } else { 1_000_000 }
    }

    /// A million small items are loaded within so many seconds.
    pub(crate) fn load_seconds(self) -> u64 {
        if self == Scale::Smoke { 5 } else { 120 }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scale::Whole => "whole",
            Scale::Quick => "--quick",
            Scale::Smoke => "--smoke",
        }
    }
}

impl Options {
    /// Reads the arguments. An empty error asks for the usage.
    pub(crate) fn parse(arguments: &[String], root: PathBuf) -> Result<Options, Failure> {
        let mut options = Options { root, ..Options::default() };
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "--quick" => options.scale = Scale::Quick,
                "--smoke" => options.scale = Scale::Smoke,
                "--peers" => options.has_peers = true,
                "--large" => options.is_large = true,
                "--profile" => options.profile = Some(words.next().ok_or_else(|| failed("--profile needs an operation"))?.to_owned()),
                "--only" => {
                    let name = words.next().ok_or_else(|| failed("--only needs the name of a bar; --list shows them"))?;
                    if !BARS.iter().any(|bar| bar.name == name) {
                        return Err(failed(format!("there is no bar {name}; --list shows them")));
                    }
                    options.has_peers |= name.starts_with("peers-");
                    options.is_large |= name.starts_with("ttl-");
                    options.only.push(name.to_owned());
                }
                _ => return Err(failed("")),
            }
        }
        Ok(options)
    }

    /// Whether a bar was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let is_asked = self.only.is_empty() || self.only.iter().any(|only| only == name);
        is_asked && (self.has_peers || !name.starts_with("peers-")) && (self.is_large || !name.starts_with("ttl-"))
    }

    /// Whether the results are those of everything, and so may replace the page.
    pub(crate) fn is_complete(&self) -> bool {
        self.only.is_empty() && self.scale != Scale::Smoke
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options, Failure> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::parse(&words, PathBuf::new())
    }

    #[test]
    fn a_partial_run_does_not_replace_the_page() {
        assert!(parse(&["--quick"]).unwrap().is_complete());
        assert!(!parse(&["--only", "calm"]).unwrap().is_complete());
        assert!(!parse(&["--smoke"]).unwrap().is_complete());
    }

    #[test]
    fn peers_are_asked_for_by_their_flag_or_their_bar() {
        assert!(!parse(&[]).unwrap().wants("peers-get"));
        assert!(parse(&["--peers"]).unwrap().wants("peers-get"));
        let only = parse(&["--only", "peers-get"]).unwrap();
        assert!(only.wants("peers-get") && !only.wants("calm"));
        assert!(parse(&["--only", "no-such-bar"]).is_err());
    }
}
