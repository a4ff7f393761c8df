//! `scan`: rows of a range in order, in either direction, until the visitor stops.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::block_on;
use super::subject::{DENSE, DERIVED, ROWS, Subject, key, part};
use crate::key::Key;
use crate::range::{Direction, Range};
use crate::space::Space;
use crate::store::{RowRef, Visit, Write};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;
type MakeBound = fn(Vec<u8>) -> Bound<Vec<u8>>;

/// Rows of three parts, with sort positions of every awkward kind.
fn fill(subject: &Subject) -> Rows {
    fill_space(subject, ROWS)
}

fn fill_space(subject: &Subject, space: Space) -> Rows {
    let sorts: [&[u8]; 9] = [b"", b"\0", b"\0\0", b"\0\xFF", b"a", b"ab", b"b", b"\xFF", b"\xFF\xFF"];
    let mut rows = Rows::new();
    for part in [&b"\x00\x01"[..], b"m\x01", b"\xFF\x01"] {
        for sort in sorts {
            let key = Key::new(space, part, sort);
            rows.insert(key.bytes().to_vec(), [part, b"/", sort].concat());
            subject.put(&key, &[part, b"/", sort].concat());
        }
    }
    rows
}

fn expected(rows: &Rows, range: &Range) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (from, to) = range.joined_bounds();
    let is_within = |key: &Vec<u8>| {
        let above = match &from {
            Bound::Included(from) => key >= from,
            Bound::Excluded(from) => key > from,
            Bound::Unbounded => true,
        };
        let below = match &to {
            Bound::Included(to) => key <= to,
            Bound::Excluded(to) => key < to,
            Bound::Unbounded => true,
        };
        above && below
    };
    let mut met: Vec<_> = rows.iter().filter(|(key, _)| is_within(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    if range.direction() == Direction::Backward {
        met.reverse();
    }
    met
}

pub(super) fn meets_rows_in_order_within_any_bounds(subject: &Subject) {
    let rows = fill(subject);
    meets_in_order(subject, &rows, ROWS);
    assert!(subject.rows(&Range::all(DERIVED)).is_empty());
    meets_in_order(subject, &fill_space(subject, DENSE), DENSE);
}

fn meets_in_order(subject: &Subject, rows: &Rows, space: Space) {
    let bytes: [&[u8]; 5] = [b"", b"\0\0", b"a", b"aa", b"\xFF"];
    let kinds: [MakeBound; 3] = [Bound::Included, Bound::Excluded, |_| Bound::Unbounded];
    for direction in [Direction::Forward, Direction::Backward] {
        for (from, to) in bytes.iter().flat_map(|from| bytes.iter().map(move |to| (from, to))) {
            for (lower, upper) in kinds.iter().flat_map(|lower| kinds.iter().map(move |upper| (lower, upper))) {
                let part = b"m\x01".to_vec();
                let within = Range::InPart { space: ROWS, part, from: lower(from.to_vec()), to: upper(to.to_vec()), direction };
                assert_eq!(subject.rows(&within), expected(rows, &within), "{within:?}");
                let join = |sort: &[u8]| [b"m\x01", sort].concat();
                let across = Range::Across { space, from: lower(join(from)), to: upper(join(to)), direction };
                assert_eq!(subject.rows(&across), expected(rows, &across), "{across:?}");
            }
        }
    }
    assert_eq!(subject.rows(&Range::all(space)).len(), rows.len());
    assert_eq!(subject.rows(&Range::prefix(space, b"\xFF")).len(), 9);
    assert_eq!(subject.rows(&Range::prefix(space, b"")).len(), rows.len());
}

pub(super) fn stays_within_its_part(subject: &Subject) {
    for name in ["a", "b", "c"] {
        (0..3).for_each(|sort| _ = subject.put(&key(name, &sort.to_string()), name.as_bytes()));
    }
    assert_eq!(subject.values(&part(ROWS, "b")), [b"b", b"b", b"b"]);
    let Range::InPart { space, part, from, to, .. } = part(ROWS, "b") else { unreachable!("a part's range") };
    let backward = Range::InPart { space, part, from, to, direction: Direction::Backward };
    let keys: Vec<_> = subject.rows(&backward).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"b\x002", b"b\x001", b"b\x000"]);
}

pub(super) fn stops_when_told(subject: &Subject) {
    (0..10).for_each(|sort| _ = subject.put(&key("a", &sort.to_string()), b""));
    for wanted in [1, 4, 10] {
        let mut met = 0;
        let range = part(ROWS, "a");
        let mut visit = |_: RowRef<'_>| {
            met += 1;
            assert!(met <= wanted, "no row is shown after the visitor has said stop");
            if met == wanted { Visit::Stop } else { Visit::Next }
        };
        block_on(subject.store().scan(&range, &mut visit)).unwrap();
        assert_eq!(met, wanted);
    }
}

pub(super) fn goes_on_behind_any_row(subject: &Subject) {
    let rows = fill(subject);
    let mut met = Vec::new();
    let mut from = Bound::Unbounded;
    loop {
        let range = Range::Across { space: ROWS, from: from.clone(), to: Bound::Unbounded, direction: Direction::Forward };
        let mut page = subject.rows(&range);
        page.truncate(4);
        let Some((last, _)) = page.last().cloned() else { break };
        met.extend(page);
        // The row need not be there any more.
        subject.write(&[Write::Delete(Key::from_joined(ROWS, &last, 2))]);
        from = Bound::Excluded(last);
    }
    assert_eq!(met, rows.into_iter().collect::<Vec<_>>(), "each row once");
}

pub(super) fn meets_nothing_between_inverted_bounds(subject: &Subject) {
    fill(subject);
    let bounds = [
        (Bound::Included(b"m\x01b".to_vec()), Bound::Included(b"m\x01a".to_vec())),
        (Bound::Excluded(b"m\x01a".to_vec()), Bound::Excluded(b"m\x01a".to_vec())),
        (Bound::Included(b"m\x01a".to_vec()), Bound::Excluded(b"m\x01a".to_vec())),
        (Bound::Excluded(b"m\x01a".to_vec()), Bound::Included(b"m\x01a".to_vec())),
    ];
    for ((from, to), direction) in bounds.into_iter().zip([Direction::Forward, Direction::Backward].into_iter().cycle()) {
        assert!(subject.rows(&Range::Across { space: ROWS, from, to, direction }).is_empty());
    }
}
