//! `mutate`: read, decide and commit as if nothing could come in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;
use std::thread;

use super::subject::{DERIVED, Ending, Subject, key, key_in, number, put_number};
use crate::key::Key;
use crate::store::{Check, CommitError, Decision, Write};

const THREADS: u64 = 8;
const STEPS: u64 = 40;

pub(super) fn decides_on_the_rows_as_they_are(subject: &Subject) {
    let (there, missing) = (key("a", "there"), key("b", "missing"));
    let version = subject.put(&there, b"value");
    let mut seen = Vec::new();
    let receipt = subject.mutate(&[missing.clone(), there.clone()], &mut |found| {
        seen = found.to_vec();
        Decision::Commit(vec![Write::Delete(there.clone()), Write::Put(missing.clone(), b"new".to_vec().into())])
    });
    assert_eq!(seen[0], None);
    assert_eq!(seen[1].as_ref().map(|row| (row.version, &row.value[..])), Some((version, &b"value"[..])));
    let receipt = receipt.unwrap().unwrap();
    assert!(receipt.version > version);
    assert_eq!(subject.value(&there), None);
    assert_eq!(subject.found(&missing).unwrap().version, receipt.version);
}

pub(super) fn writes_nothing_when_it_aborts(subject: &Subject) {
    let row = key("a", "");
    let version = subject.put(&row, b"1");
    assert_eq!(subject.mutate(std::slice::from_ref(&row), &mut |_| Decision::Abort), Ok(None));
    assert_eq!(subject.found(&row).unwrap().version, version);
}

pub(super) fn loses_no_update(subject: &Subject) {
    let row = key("a", "");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..STEPS).for_each(|_| _ = subject.increment(&row)));
        }
    });
    assert_eq!(subject.number(&row), THREADS * STEPS);
}

/// One caller sets a row without looking, others count it up: what was set is never lost to a decision made before it.
pub(super) fn loses_no_blind_write_beside_decisions(subject: &Subject) {
    const APART: u64 = 1_000_000;
    let row = key("a", "");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ending = Ending(&is_over);
            for round in 1..=150 {
                subject.write(&[put_number(&row, round * APART)]);
                let now = subject.number(&row);
                assert!(now >= round * APART, "{now} is there after {} was acknowledged", round * APART);
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                while !Ending::has_come(&is_over) {
                    subject.increment(&row);
                }
            });
        }
    });
}

pub(super) fn moves_between_many_rows_without_waiting_forever(subject: &Subject) {
    const ACCOUNTS: u64 = 6;
    let accounts: Vec<Key> = (0..ACCOUNTS).map(|account| key_in(DERIVED, &account.to_string(), "")).collect();
    subject.write(&accounts.iter().map(|account| put_number(account, 100)).collect::<Vec<_>>());
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let accounts = &accounts;
            scope.spawn(move || {
                for step in 0..STEPS {
                    // Every pair in both orders.
                    let pick = |factor: u64| usize::try_from((seed * 7 + step * factor) % ACCOUNTS).unwrap();
                    let (from, to) = (&accounts[pick(5)], &accounts[(pick(5) + 1 + pick(3) % 5) % accounts.len()]);
                    let moved = subject.mutate(&[from.clone(), to.clone()], &mut |found| {
                        let (rich, poor) = (number(found[0].as_ref()), number(found[1].as_ref()));
                        if rich == 0 {
                            return Decision::Abort;
                        }
                        Decision::Commit(vec![put_number(from, rich - 1), put_number(to, poor + 1)])
                    });
                    moved.unwrap();
                }
            });
        }
    });
    let sum: u64 = subject.read(&accounts).iter().map(|row| number(row.as_ref())).sum();
    assert_eq!(sum, ACCOUNTS * 100);
}

pub(super) fn remembers_the_last_decision_only(subject: &Subject) {
    let row = key("a", "");
    let mut sums: Vec<u64> = thread::scope(|scope| {
        let count = || scope.spawn(|| (0..STEPS).map(|_| subject.increment(&row)).collect::<Vec<_>>());
        let threads: Vec<_> = (0..THREADS).map(|_| count()).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    sums.sort_unstable();
    assert_eq!(sums, (1..=THREADS * STEPS).collect::<Vec<_>>(), "what each caller was left with is what it committed");
}

pub(super) fn survives_a_decision_that_panics(subject: &Subject) {
    let row = key("a", "");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        subject.mutate(std::slice::from_ref(&row), &mut |_| std::panic::resume_unwind(Box::new("a decision may fail")))
    }));
    assert!(panicked.is_err());
    assert_eq!(subject.increment(&row), 1);
}

pub(super) fn takes_a_key_twice(subject: &Subject) {
    let row = key("a", "");
    subject.put(&row, b"1");
    let keys = [row.clone(), key("b", ""), row.clone()];
    let mut seen = Vec::new();
    subject
        .mutate(&keys, &mut |found| {
            seen = found.to_vec();
            Decision::Abort
        })
        .unwrap();
    assert_eq!(seen, subject.read(&keys));
}

pub(super) fn writes_rows_that_were_not_read(subject: &Subject) {
    let others: Vec<Key> = (0..20).map(|number| key_in(DERIVED, &number.to_string(), "")).collect();
    let writes: Vec<Write> = others.iter().map(|other| put_number(other, 7)).collect();
    subject.mutate(&[key("a", "")], &mut |_| Decision::Commit(writes.clone())).unwrap();
    assert!(others.iter().all(|other| subject.number(other) == 7));
}

pub(super) fn and_commits_exclude_each_other(subject: &Subject) {
    let (row, tally) = (key("a", ""), key("tally", ""));
    subject.put(&row, &0u64.to_le_bytes());
    let committed: u64 = thread::scope(|scope| {
        let checker = || {
            scope.spawn(|| {
                let mut committed = 0;
                for _ in 0..STEPS {
                    let found = subject.found(&row).unwrap();
                    let next = number(Some(&found)) + 1;
                    match subject.commit(vec![Check::Version(row.clone(), found.version)], vec![put_number(&row, next)]) {
                        Ok(_) => committed += 1,
                        Err(CommitError::Conflict { .. }) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
                committed
            })
        };
        let (first, second) = (checker(), checker());
        // These write two rows, of which they read one only.
        let blind = scope.spawn(|| {
            for step in 1..=STEPS {
                let keys = std::slice::from_ref(&row);
                subject
                    .mutate(keys, &mut |found| {
                        Decision::Commit(vec![put_number(&row, number(found[0].as_ref()) + 1), put_number(&tally, step)])
                    })
                    .unwrap();
            }
            STEPS
        });
        [first, second, blind].map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert_eq!(subject.number(&row), committed, "every acknowledged step counts once");
    assert_eq!(subject.number(&tally), STEPS);
}
