//! Golden scripts: requests in a compact notation, each with the answer that the real service gives.
//!
//! ```text
//! source: documented WorkingWithItems
//! table T pk:S
//! PutItem T {Item: {pk: 'a'}}
//!
//! # A step has an expectation; a line without one, as above, has to succeed.
//! GetItem T {Key: {pk: 'a'}}
//! ---
//! {Item: {pk: 'a'}}
//!
//! source: assumed the sentence
//! eu> GetItem T {Key: {}}
//! ---
//! 400 ValidationException: The provided key element does not match the schema
//! ```
//!
//! Blocks are separated by empty lines. A block with `---` is one step, which may begin with lines `header Name: value`,
//! `header -Name`, `source: …` (for this step alone) and `pending: why it fails today`. Any other block holds one
//! directive or call per line, continued on indented lines: `source: …` (from here on), `only: http`, `session NAME REGION`,
//! `let NAME = VALUE`, `table …` (see [`table`]), `settle`, `repeat NAME FROM TO Operation …`,
//! `bind NAME PATH Operation …` (names a part of an answer, such as `Shards.0.ShardId`), or a call that must succeed.
//! After an operation a bare word is the table's name; `raw` and text sends that text as the body, `hex` sends bytes.
//!
//! What must stay true: a script says where its expectations come from: `observed`, `documented` or `assumed`, so that the
//! last can be counted.

mod normal;
mod notation;
mod run;
mod suite;
mod table;

pub use notation::{Bindings, NotationError, parse as parse_value, print as print_value};
pub use run::{Outcome, run};
pub use suite::{MakeTarget, run_folder};
pub use table::create_request;

use std::path::Path;

/// Where an expectation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A record of the real service, with its id in `spec/observed`.
    Observed,
    /// The service's public documentation or model.
    Documented,
    /// Recollection or analogy: compatibility debt.
    Assumed,
}

impl Source {
    fn parse(text: &str) -> Option<(Source, String)> {
        let (word, reason) = text.trim().split_once(' ')?;
        let source = match word {
            "observed" => Source::Observed,
            "documented" => Source::Documented,
            "assumed" => Source::Assumed,
            _ => return None,
        };
        Some((source, reason.trim().to_owned()))
    }
}

/// A script as it is written.
#[derive(Debug)]
pub struct Script {
    /// Whether it is about the wire and makes no sense in process.
    pub only_http: bool,
    /// Its parts in order.
    pub blocks: Vec<Block>,
}

/// A part of a script.
#[derive(Debug)]
pub enum Block {
    /// Directives and calls that must succeed, each with its line number.
    Setup(Vec<(usize, String)>),
    /// A call with its expectation.
    Step(Step),
}

/// A call with its expectation.
#[derive(Debug)]
pub struct Step {
    /// Line number of its first line.
    pub line: usize,
    /// Where the expectation comes from.
    pub source: Source,
    /// The record, page or reason named with the source.
    pub source_detail: String,
    /// Why it is known to fail; then it has to.
    pub pending: Option<String>,
    /// Headers to set, or with no value to leave out.
    pub headers: Vec<(String, Option<String>)>,
    /// The call.
    pub call: String,
    /// The expectation as written.
    pub expected: String,
    /// Range of lines that the expectation fills, for rewriting.
    pub expected_lines: std::ops::Range<usize>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// Line number and what is wrong there.
    pub fn parse(text: &str) -> Result<Script, (usize, String)> {
        let mut script = Script { only_http: false, blocks: Vec::new() };
        let mut source = None;
        let lines: Vec<_> = text.lines().collect();
        let mut at = 0;
        while at < lines.len() {
            let start = at;
            while at < lines.len() && !lines[at].trim().is_empty() {
                at += 1;
            }
            let block: Vec<_> = (start..at).filter(|line| !lines[*line].starts_with('#')).map(|line| (line + 1, lines[line])).collect();
            match block.iter().position(|(_, line)| *line == "---") {
                Some(rule) => script.blocks.push(Block::Step(step(&block, rule, source.as_ref())?)),
                None if !block.is_empty() => {
                    let setup = logical_lines(&block);
                    let mut rest = Vec::new();
                    for (line, text) in setup {
                        if let Some(named) = text.strip_prefix("source:") {
                            source = Some(Source::parse(named).ok_or((line, "observed, documented or assumed, and why".to_owned()))?);
                        } else if text == "only: http" {
                            script.only_http = true;
                        } else {
                            rest.push((line, text));
                        }
                    }
                    script.blocks.push(Block::Setup(rest));
                }
                None => {}
            }
            at += 1;
        }
        Ok(script)
    }

    /// Its steps.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.blocks.iter().filter_map(|block| if let Block::Step(step) = block { Some(step) } else { None })
    }
}

/// Joins indented lines to the line they continue.
fn logical_lines(block: &[(usize, &str)]) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    for (number, line) in block {
        match joined.last_mut() {
            Some((_, text)) if line.starts_with(' ') || line.starts_with('}') => {
                text.push('\n');
                text.push_str(line);
            }
            _ => joined.push((*number, (*line).to_owned())),
        }
    }
    joined
}

fn step(block: &[(usize, &str)], rule: usize, source: Option<&(Source, String)>) -> Result<Step, (usize, String)> {
    let line = block[0].0;
    let mut source = source.cloned();
    let mut pending = None;
    let mut headers = Vec::new();
    let mut call = Vec::new();
    for (number, text) in &block[..rule] {
        if let Some(named) = text.strip_prefix("source:") {
            source = Some(Source::parse(named).ok_or((*number, "observed, documented or assumed, and why".to_owned()))?);
        } else if let Some(reason) = text.strip_prefix("pending:") {
            pending = Some(reason.trim().to_owned());
        } else if let Some(header) = text.strip_prefix("header ") {
            headers.push(match header.split_once(": ") {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (header.trim_start_matches('-').to_owned(), None),
            });
        } else {
            call.push(*text);
        }
    }
    let (source, source_detail) = source.ok_or((line, "no source has been named".to_owned()))?;
    let rule_line = block[rule].0;
    let end = block.last().map_or(rule_line, |(number, _)| *number);
    Ok(Step {
        line,
        source,
        source_detail,
        pending,
        headers,
        call: call.join("\n"),
        expected: block[rule + 1..].iter().map(|(_, text)| *text).collect::<Vec<_>>().join("\n"),
        expected_lines: rule_line..end,
    })
}

/// All scripts below a folder, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn find_scripts(folder: &Path) -> std::io::Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(find_scripts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "script") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_setups_or_steps() {
        let text = "source: assumed all\ntable T pk:S\nlet x = {\n  a: 1\n}\n\nheader -Host\nGetItem T {}\n---\n400 X: y\n\nsource: observed 7\nA\n---\n{}\n";
        let script = Script::parse(text).unwrap();
        let Block::Setup(lines) = &script.blocks[0] else { panic!("a setup") };
        assert_eq!(lines, &[(2, "table T pk:S".to_owned()), (3, "let x = {\n  a: 1\n}".to_owned())]);
        let steps: Vec<_> = script.steps().collect();
        assert_eq!((steps[0].source, steps[0].call.as_str(), steps[0].expected.as_str()), (Source::Assumed, "GetItem T {}", "400 X: y"));
        assert_eq!(steps[0].headers, [("Host".to_owned(), None)]);
        assert_eq!(steps[0].expected_lines, 9..10);
        assert_eq!((steps[1].source, steps[1].source_detail.as_str()), (Source::Observed, "7"));
    }

    #[test]
    fn a_step_without_a_source_is_refused() {
        assert!(Script::parse("A\n---\n{}").is_err());
        assert!(Script::parse("source: rumour\nA\n---\n{}").is_err());
    }
}
