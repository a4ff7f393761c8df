//! One `read` is one moment, one `scan` is one moment, whatever is written meanwhile.

use std::sync::atomic::AtomicBool;
use std::thread;

use super::subject::{DERIVED, Ending, Subject, key, key_in, number, part, put_number};
use crate::key::Key;
use crate::range::Range;
use crate::store::Decision;

const ROWS: usize = 24;
const STEPS: usize = 120;

/// While writers write all of the rows with one number after the other, and move single units about, looks again and again.
fn look_while_written(subject: &Subject, rows: &[Key], look: impl Fn() -> Vec<u64> + Sync) {
    let total = 100 * rows.len() as u64;
    subject.write(&rows.iter().map(|row| put_number(row, 100)).collect::<Vec<_>>());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _ending = Ending(&is_over);
        for _ in 0..2 {
            scope.spawn(|| {
                while !Ending::has_come(&is_over) {
                    let seen = look();
                    assert_eq!(seen.len(), rows.len());
                    assert_eq!(seen.iter().sum::<u64>(), total, "rows of two moments: {seen:?}");
                }
            });
        }
        let writers = [3, 7].map(|stride| {
            scope.spawn(move || {
                for step in 0..STEPS {
                    let (from, to) = (&rows[step * stride % rows.len()], &rows[(step * stride + stride) % rows.len()]);
                    let moved = subject.mutate(&[from.clone(), to.clone()], &mut |found| match number(found[0].as_ref()) {
                        0 => Decision::Abort,
                        rich => Decision::Commit(vec![put_number(from, rich - 1), put_number(to, number(found[1].as_ref()) + 1)]),
                    });
                    moved.unwrap();
                }
            })
        });
        let ended = writers.map(thread::ScopedJoinHandle::join);
        assert!(ended.iter().all(Result::is_ok), "a writer failed");
    });
}

pub(super) fn one_read_is_one_moment(subject: &Subject) {
    let rows: Vec<Key> = (0..ROWS).map(|row| key("part", &format!("{row:02}"))).collect();
    look_while_written(subject, &rows, || subject.read(&rows).iter().map(|row| number(row.as_ref())).collect());
}

pub(super) fn one_read_of_many_parts_is_one_moment(subject: &Subject) {
    if !subject.store().caps().snapshot_across_parts {
        return;
    }
    let space = |row: usize| if row.is_multiple_of(2) { DERIVED } else { super::subject::ROWS };
    let rows: Vec<Key> = (0..ROWS).map(|row| key_in(space(row), &format!("{row:02}"), "")).collect();
    look_while_written(subject, &rows, || subject.read(&rows).iter().map(|row| number(row.as_ref())).collect());
}

pub(super) fn one_scan_is_one_moment(subject: &Subject) {
    let number = |value: Vec<u8>| u64::from_le_bytes(value.try_into().expect("the row holds a number"));
    let rows: Vec<Key> = (0..ROWS).map(|row| key("part", &format!("{row:02}"))).collect();
    let within = part(super::subject::ROWS, "part");
    look_while_written(subject, &rows, || subject.values(&within).into_iter().map(number).collect());
    let rows: Vec<Key> = (0..ROWS).map(|row| key_in(DERIVED, &format!("{row:02}"), "")).collect();
    look_while_written(subject, &rows, || subject.values(&Range::all(DERIVED)).into_iter().map(number).collect());
}
