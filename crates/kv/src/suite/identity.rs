//! Names of commits: one name takes effect once, whoever repeats it, and its fate can be asked for.

use std::thread;

use futures_util::FutureExt;

use super::block_on;
use super::subject::{SMALL, Subject, key, key_in, put_number, sums, txn};
use crate::store::{Check, CommitError, Decision, Outcome, TxnId, Write};

pub(super) fn one_name_takes_effect_once(subject: &Subject) {
    let (row, sum) = (key("a", ""), key_in(SMALL, "sum", ""));
    let named = txn(vec![Check::Absent(row.clone())], vec![put_number(&row, 1), Write::Add(sum.clone(), vec![1])]);
    let first = block_on(subject.store().commit(named.clone())).unwrap();
    subject.put(&row, b"something newer");
    // Neither the check, which no longer holds, nor the newer row matters to the repetition.
    let second = block_on(subject.store().commit(named)).unwrap();
    assert_eq!(first, second);
    assert_eq!(subject.value(&row), Some(b"something newer".to_vec()));
    assert_eq!(sums(&subject.value(&sum).unwrap()), [1]);
}

pub(super) fn one_name_takes_effect_once_under_contention(subject: &Subject) {
    let sum = key_in(SMALL, "sum", "");
    for round in 1..=20 {
        let row = key("a", &round.to_string());
        let named = txn(vec![Check::Absent(row.clone())], vec![put_number(&row, 1), Write::Add(sum.clone(), vec![1])]);
        let receipts: Vec<_> = thread::scope(|scope| {
            let repeat = || scope.spawn(|| block_on(subject.store().commit(named.clone())));
            [repeat(), repeat(), repeat(), repeat()].map(|thread| thread.join().unwrap()).into_iter().collect()
        });
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0] && receipt.is_ok()), "{receipts:?}");
        assert_eq!(sums(&subject.value(&sum).unwrap()), [round]);
    }
}

pub(super) fn resolving_tells_what_became_of_a_commit(subject: &Subject) {
    let resolve = |id| block_on(subject.store().resolve(id)).unwrap();
    let row = key("a", "");
    let named = txn(Vec::new(), vec![put_number(&row, 1)]);
    let id = named.id;
    let receipt = block_on(subject.store().commit(named)).unwrap();
    assert_eq!(resolve(id), Outcome::Committed(receipt.version));
    let refused = txn(vec![Check::Absent(row.clone())], vec![put_number(&row, 2)]);
    let id = refused.id;
    block_on(subject.store().commit(refused)).unwrap_err();
    assert!(!matches!(resolve(id), Outcome::Committed(_)), "it was refused");
    // Whoever is told that it never will can rely on it.
    let late = txn(Vec::new(), vec![put_number(&row, 3)]);
    if resolve(late.id) == Outcome::NotCommitted {
        block_on(subject.store().commit(late)).unwrap_err();
        assert_eq!(subject.number(&row), 1);
    }
    assert_eq!(resolve(TxnId::NAMELESS), Outcome::Forgotten, "mutations have no name to ask for");
}

pub(super) fn a_commit_that_is_given_up_is_whole(subject: &Subject) {
    for round in 0..50 {
        let rows = [key("a", &round.to_string()), key("b", &round.to_string())];
        let writes = rows.clone().map(|row| put_number(&row, 1)).to_vec();
        let named = txn(Vec::new(), writes.clone());
        // Polled once and dropped, as by a caller who goes away.
        if round % 2 == 0 {
            let _ = subject.store().commit(named.clone()).now_or_never();
        } else {
            let _ = subject.store().mutate(&rows, &mut |_| Decision::Commit(writes.clone())).now_or_never();
        }
        // Nothing is held by whoever went away: the next one gets through, and follows it.
        let seen = subject.mutate(&rows, &mut |found| {
            assert_eq!(found[0].is_some(), found[1].is_some(), "half of a commit");
            Decision::Commit(rows.clone().map(|row| put_number(&row, 2)).to_vec())
        });
        seen.unwrap();
        assert_eq!(rows.clone().map(|row| subject.number(&row)), [2, 2]);
        if round % 2 == 0 {
            // Repeating it does not bring it back over the newer rows, if it had taken effect.
            let is_known = matches!(block_on(subject.store().resolve(named.id)).unwrap(), Outcome::Committed(_));
            let repeated: Result<_, CommitError> = block_on(subject.store().commit(named));
            assert!(!is_known || (repeated.is_ok() && subject.number(&rows[0]) == 2));
        }
    }
}
