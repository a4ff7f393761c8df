//! `splits`: places where a space may be cut for readers that work side by side.

use std::ops::Bound;

use super::block_on;
use super::subject::{DERIVED, ROWS, Subject, key, put_number};
use crate::range::{Direction, Range};
use crate::store::Write;

pub(super) fn cut_a_space_into_runs(subject: &Subject) {
    assert!(block_on(subject.store().splits(ROWS, 4)).unwrap().is_empty(), "there is nothing to cut");
    let writes: Vec<Write> = (0..200).map(|number| put_number(&key(&format!("{number:03}"), ""), number)).collect();
    subject.write(&writes);
    subject.put(&super::subject::key_in(DERIVED, "other", ""), b"");
    let all = subject.rows(&Range::all(ROWS));
    for n in [0, 1, 2, 3, 7, 1000] {
        let cuts = block_on(subject.store().splits(ROWS, n)).unwrap();
        assert!(cuts.len() <= n.saturating_sub(1), "{} cuts are too many for {n} runs", cuts.len());
        assert!(cuts.is_sorted_by(|left, right| left < right), "{cuts:?}");
        let from = std::iter::once(Bound::Unbounded).chain(cuts.iter().cloned().map(Bound::Included));
        let to = cuts.iter().cloned().map(Bound::Excluded).chain([Bound::Unbounded]);
        let runs = from.zip(to).map(|(from, to)| Range::Across { space: ROWS, from, to, direction: Direction::Forward });
        let met: Vec<_> = runs.flat_map(|run| subject.rows(&run)).collect();
        assert_eq!(met, all, "the runs make up the whole");
    }
}
