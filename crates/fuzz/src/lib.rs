//! What a stranger's bytes may meet, one function each: it has to return, whatever it is given.
//!
//! ```text
//!   cargo xtask fuzz      mutates the inputs of fuzz/corpus and calls these (stable Rust)
//!   … --engine libfuzzer  the same functions under libFuzzer, which watches what is covered (fuzz/, nightly Rust)
//!   cargo test            gives each what its corpus has, once
//! ```
//!
//! What must stay true: a target depends on its input alone; it panics where a promise is broken, also one about values (what
//! is printed is read as the same); what it answers names the way that the input took, and is short.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a target tells by panicking")]

mod expression;
mod iterator;
mod key;
mod number;
mod partiql;
mod planted;
mod request;
mod signature;
mod stored;

/// Something that takes any bytes.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// What is worth putting into an input.
    pub words: &'static [&'static str],
    /// Takes an input; answers which way it took.
    pub run: fn(&[u8]) -> String,
}

/// All that have to withstand.
pub const TARGETS: &[Target] = &[
    expression::TARGET,
    partiql::TARGET,
    request::TARGET,
    request::PAGE_TARGET,
    request::HISTORY_TARGET,
    number::TARGET,
    key::TARGET,
    stored::TARGET,
    signature::TARGET,
    iterator::TARGET,
];

/// Those that have to fail: in each a fault is planted, so that whoever drives targets shows that it would find one.
pub const PLANTED: &[Target] = &[planted::PANIC, planted::HANG, planted::MEMORY];

/// Gives an input to the target of a name, planted or not.
///
/// # Panics
/// When there is none, and when the target does not withstand.
pub fn run(name: &str, input: &[u8]) -> String {
    let target = TARGETS.iter().chain(PLANTED).find(|target| target.name == name).unwrap_or_else(|| panic!("there is no target {name}"));
    (target.run)(input)
}

/// What an input is as text; bytes that are none become replacement characters.
fn text(input: &[u8]) -> String {
    String::from_utf8_lossy(input).into_owned()
}

/// The beginning of what a value is called: enough to tell ways apart, without what is particular to an input.
fn way(value: &impl std::fmt::Debug) -> String {
    const LENGTH: usize = 24;
    format!("{value:?}").chars().filter(char::is_ascii_alphabetic).take(LENGTH).collect()
}
