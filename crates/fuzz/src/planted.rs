//! Three targets that fail at an input that only mutation comes to: by a panic, by going on too long, by taking memory.
//!
//! What must stay true: none of their corpora has the input.

use std::hint::black_box;

use crate::Target;

pub(crate) const PANIC: Target = Target { name: "planted-panic", words: &["(", "7"], run: panics };
pub(crate) const HANG: Target = Target { name: "planted-hang", words: &["(", "7"], run: hangs };
pub(crate) const MEMORY: Target = Target { name: "planted-memory", words: &["(", "7"], run: grows };

const BYTES: usize = 256 << 20;

/// A digit after two brackets; how many brackets there are is the way.
fn is_it(input: &[u8]) -> bool {
    input.windows(3).any(|window| matches!(window, [b'(', b'(', b'7']))
}

fn way(input: &[u8]) -> String {
    input.split(|byte| *byte == b'(').count().min(4).to_string()
}

fn panics(input: &[u8]) -> String {
    assert!(!is_it(input), "planted");
    way(input)
}

fn hangs(input: &[u8]) -> String {
    while black_box(is_it(input)) {}
    way(input)
}

fn grows(input: &[u8]) -> String {
    if is_it(input) {
        black_box(vec![1u8; BYTES]);
    }
    way(input)
}
