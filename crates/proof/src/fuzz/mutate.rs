//! New inputs out of old ones.
//!
//! What must stay true: an input stays short enough to be looked at quickly; which one comes next depends on the choices alone.

use crate::choices::Choices;

/// Inputs are cut at this length.
pub(super) const BYTES_MAX: usize = 4096;
/// Changes made to one input at most.
const CHANGES_MAX: u64 = 5;
/// A part is repeated so many times at most: nesting and length are what parsers stumble over.
const REPEATS_MAX: u64 = 200;
/// Bytes that mean something more often than others.
const EDGES: [u8; 12] = [0, 1, 0x7F, 0x80, 0xC0, 0xFF, b'"', b'(', b'0', b'9', b'-', b'.'];

/// Makes an input of one or two others.
pub(super) fn mutate(choices: &mut Choices, input: &[u8], other: &[u8], words: &[&str]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=choices.below(CHANGES_MAX) {
        change(choices, &mut bytes, other, words);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn change(choices: &mut Choices, bytes: &mut Vec<u8>, other: &[u8], words: &[&str]) {
    let (from, to) = range(choices, bytes.len());
    match choices.below(10) {
        0 if from < bytes.len() => bytes[from] ^= 1 << choices.below(8),
        1 if from < bytes.len() => bytes[from] = EDGES[place(choices, EDGES.len())],
        2 => drop(bytes.drain(from..to)),
        3 => {
            let part = bytes[from..to].to_vec();
            let times = usize::try_from(1 + choices.below(choices.clone().below(REPEATS_MAX) + 1)).unwrap_or(1);
            splice(bytes, from, from, &part.repeat(times.min(BYTES_MAX / part.len().max(1))));
        }
        4 => {
            let (other_from, other_to) = range(choices, other.len());
            splice(bytes, from, to, &other[other_from..other_to]);
        }
        5 => splice(bytes, from, from, &[u8::try_from(choices.below(256)).unwrap_or_default()]),
        6 => bytes.truncate(from),
        7 if !words.is_empty() => splice(bytes, from, to, words[place(choices, words.len())].as_bytes()),
        _ if !words.is_empty() => splice(bytes, from, from, words[place(choices, words.len())].as_bytes()),
        _ => {}
    }
}

fn splice(bytes: &mut Vec<u8>, from: usize, to: usize, part: &[u8]) {
    drop(bytes.splice(from..to, part.iter().copied()));
}

fn place(choices: &mut Choices, of: usize) -> usize {
    usize::try_from(choices.below(of as u64)).unwrap_or_default()
}

/// A part, mostly a short one.
fn range(choices: &mut Choices, length: usize) -> (usize, usize) {
    const SHORT: u64 = 16;
    let from = place(choices, length + 1);
    let longest = (length - from) as u64;
    let taken = if choices.one_in(4) { choices.below(longest + 1) } else { choices.below(longest.min(SHORT) + 1) };
    (from, from + usize::try_from(taken).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_differ_stay_short_and_come_again_with_the_same_choices() {
        let made = |seed| {
            let mut choices = Choices::of(seed);
            (0..200).map(|_| mutate(&mut choices, b"SELECT (1)", b"other", &["(", "word"])).collect::<Vec<_>>()
        };
        let inputs = made(1);
        assert_eq!(inputs, made(1));
        assert!(inputs.iter().all(|input| input.len() <= BYTES_MAX));
        assert!(inputs.iter().filter(|input| input.as_slice() != b"SELECT (1)").count() > 150);
        assert!(inputs.iter().any(|input| input.windows(4).any(|window| window == b"word")));
    }
}
