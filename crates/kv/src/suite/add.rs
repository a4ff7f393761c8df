//! Additions: they commute, they fold, and they are never a reason for a conflict.

use std::sync::atomic::AtomicBool;
use std::thread;

use futures_util::future::join_all;

use super::block_on;
use super::subject::{Ending, ROWS, SMALL, Subject, key, key_in, put_number, sums};
use crate::key::Key;
use crate::range::Range;
use crate::store::{Decision, Version, Write};

fn sum_of(subject: &Subject, row: &Key) -> Vec<i64> {
    subject.value(row).map_or_else(Vec::new, |value| sums(&value))
}

pub(super) fn folds_into_numbers(subject: &Subject) {
    let row = key_in(SMALL, "sum", "");
    let steps: [(&[i64], &[i64]); 5] =
        [(&[3, -4], &[3, -4]), (&[1], &[4, -4]), (&[0, 0, 9], &[4, -4, 9]), (&[-4, 4, -9], &[0, 0, 0]), (&[i64::MAX], &[i64::MAX, 0, 0])];
    for (deltas, expected) in steps {
        subject.write(&[Write::Add(row.clone(), deltas.to_vec())]);
        assert_eq!(sum_of(subject, &row), expected);
        assert_eq!(subject.found(&row).unwrap().version, Version(0), "a sum has no version to check");
    }
}

pub(super) fn commutes(subject: &Subject) {
    let row = key_in(SMALL, "sum", "");
    thread::scope(|scope| {
        for writer in 1..=6 {
            let row = &row;
            scope.spawn(move || (0..30).for_each(|step| _ = subject.write(&[Write::Add(row.clone(), vec![writer, -step])])));
        }
    });
    assert_eq!(sum_of(subject, &row), [30 * 21, -6 * 435]);
}

/// A sum counts rows of the same commits: whoever looks at both sees them agree.
pub(super) fn belongs_to_its_commit(subject: &Subject) {
    const ROUNDS: i64 = 60;
    let row = key_in(SMALL, "sum", "");
    let last = key("last", "");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _ending = Ending(&is_over);
        scope.spawn(|| {
            while !Ending::has_come(&is_over) && subject.store().caps().snapshot_across_parts {
                let found = subject.read(&[row.clone(), last.clone()]);
                let sum = found[0].as_ref().map_or(0, |row| sums(&row.value)[0]);
                let last = found[1].as_ref().map_or(0, |row| i64::from_le_bytes(row.value[..].try_into().unwrap()));
                assert_eq!(sum, last);
            }
        });
        for _ in 0..ROUNDS {
            let counted = subject.mutate(std::slice::from_ref(&last), &mut |found| {
                let count = super::subject::number(found[0].as_ref()) + 1;
                Decision::Commit(vec![put_number(&last, count), Write::Add(row.clone(), vec![1])])
            });
            counted.unwrap();
        }
    });
    assert_eq!(sum_of(subject, &row), [ROUNDS]);
    assert_eq!(subject.rows(&Range::all(ROWS)).len(), 1);
}

pub(super) fn begins_anew_after_a_deletion(subject: &Subject) {
    let row = key_in(SMALL, "sum", "");
    for round in 1..5 {
        subject.write(&[Write::Add(row.clone(), vec![round, 1])]);
        assert_eq!(sum_of(subject, &row), [round, 1]);
        subject.write(&[Write::Delete(row.clone())]);
        assert_eq!(subject.value(&row), None);
    }
}

/// As above, but all three are under way at once, so that a store may put them into one batch.
pub(super) fn begins_anew_after_a_deletion_in_the_same_moment(subject: &Subject) {
    for round in 0..60 {
        let row = key_in(SMALL, &format!("sum{round}"), "");
        subject.write(&[Write::Add(row.clone(), vec![100])]);
        let steps: Vec<Write> = vec![
            Write::Add(row.clone(), vec![10]),
            Write::Delete(row.clone()),
            Write::Add(row.clone(), vec![1]),
            Write::Add(row.clone(), vec![2]),
        ];
        let mut decisions: Vec<_> = steps.into_iter().map(|step| move |_: &[_]| Decision::Commit(vec![step.clone()])).collect();
        let writes = decisions.iter_mut().map(|decide| subject.store().mutate(&[], decide));
        let mut versions: Vec<_> = block_on(join_all(writes)).into_iter().map(|receipt| receipt.unwrap().unwrap().version).collect();
        if versions.is_sorted() {
            assert_eq!(sum_of(subject, &row), [3]);
        }
        versions.dedup();
        assert_eq!(versions.len(), 4, "each is a commit of its own");
    }
}

pub(super) fn is_no_reason_for_a_conflict(subject: &Subject) {
    let (row, sum) = (key("a", ""), key_in(SMALL, "sum", ""));
    let version = subject.put(&row, b"1");
    subject.write(&[Write::Add(sum.clone(), vec![1])]);
    let check = crate::store::Check::Version(row, version);
    subject.commit(vec![check], vec![Write::Add(sum.clone(), vec![1])]).unwrap();
    assert_eq!(sum_of(subject, &sum), [2]);
}
