//! `commit`: all or nothing, and strictly serializable over its checks and writes.

use std::thread;

use super::subject::{DERIVED, LOG, SMALL, Subject, key, key_in, number, part, put_number, sums};
use crate::range::Range;
use crate::store::{Check, CommitError, Found, Write};

/// Writes of each kind, over parts and spaces.
fn of_each_kind() -> Vec<Write> {
    vec![
        Write::Put(key("a", "1"), b"one".to_vec().into()),
        Write::Put(key("b", "1"), b"two".to_vec().into()),
        Write::Put(key_in(DERIVED, "c", ""), b"three".to_vec().into()),
        Write::Append(key_in(LOG, "log", ""), b"four".to_vec().into()),
        Write::Add(key_in(SMALL, "sum", ""), vec![5, -5]),
        Write::Delete(key("old", "")),
    ]
}

pub(super) fn takes_effect_whole(subject: &Subject) {
    subject.put(&key("old", ""), b"old");
    let receipt = subject.commit(Vec::new(), of_each_kind()).unwrap();
    let keys = [key("a", "1"), key("b", "1"), key_in(DERIVED, "c", ""), key("old", "")];
    let row = |value: &[u8]| Some(Found { version: receipt.version, value: value.to_vec().into() });
    assert_eq!(subject.read(&keys), [row(b"one"), row(b"two"), row(b"three"), None]);
    assert_eq!(subject.values(&part(LOG, "log")), [b"four"]);
    assert_eq!(sums(&subject.value(&key_in(SMALL, "sum", "")).unwrap()), [5, -5]);
}

pub(super) fn is_refused_whole(subject: &Subject) {
    subject.put(&key("old", ""), b"old");
    let refused = subject.commit(vec![Check::Absent(key("old", ""))], of_each_kind());
    assert!(matches!(refused, Err(CommitError::Conflict { .. })), "{refused:?}");
    let keys = [key("a", "1"), key("b", "1"), key_in(DERIVED, "c", ""), key_in(SMALL, "sum", "")];
    assert_eq!(subject.read(&keys), [None, None, None, None]);
    assert_eq!(subject.value(&key("old", "")), Some(b"old".to_vec()));
    assert!(subject.rows(&Range::all(LOG)).is_empty(), "nothing was appended");
}

pub(super) fn needs_every_check(subject: &Subject) {
    let (first, second) = (key("a", ""), key("b", ""));
    let versions = [subject.put(&first, b"1"), subject.put(&second, b"1")];
    let checks = |versions: [_; 2]| vec![Check::Version(first.clone(), versions[0]), Check::Version(second.clone(), versions[1])];
    let writes = vec![Write::Put(first.clone(), b"2".to_vec().into())];
    let newer = subject.put(&second, b"2");
    let refused = subject.commit(checks(versions), writes.clone());
    assert!(matches!(refused, Err(CommitError::Conflict { ref key, .. }) if *key == second), "{refused:?}");
    assert_eq!(subject.value(&first), Some(b"1".to_vec()));
    subject.commit(checks([versions[0], newer]), writes).unwrap();
    assert_eq!(subject.value(&first), Some(b"2".to_vec()));
}

pub(super) fn refuses_a_row_that_came_back(subject: &Subject) {
    let row = key("a", "");
    let before = subject.put(&row, b"same");
    subject.write(&[Write::Delete(row.clone())]);
    let after = subject.put(&row, b"same");
    assert_ne!(before, after);
    let refused = subject.commit(vec![Check::Version(row.clone(), before)], vec![Write::Delete(row.clone())]);
    assert!(matches!(refused, Err(CommitError::Conflict { .. })), "{refused:?}");
    assert_eq!(subject.value(&row), Some(b"same".to_vec()));
    // The same value put over itself is another state as well.
    let again = subject.put(&row, b"same");
    assert_ne!(after, again);
}

pub(super) fn checks_absence(subject: &Subject) {
    let row = key("a", "");
    let create = || subject.commit(vec![Check::Absent(row.clone())], vec![Write::Put(row.clone(), b"new".to_vec().into())]);
    create().unwrap();
    assert!(matches!(create(), Err(CommitError::Conflict { .. })), "there is a row by now");
    subject.write(&[Write::Delete(row.clone())]);
    create().unwrap();
    // A version of a row that is gone is not absence.
    let version = subject.found(&row).unwrap().version;
    subject.write(&[Write::Delete(row.clone())]);
    let refused = subject.commit(vec![Check::Version(row.clone(), version)], vec![]);
    assert_eq!(refused, Err(CommitError::Conflict { key: row, found: None }));
}

pub(super) fn carries_the_row_that_was_found(subject: &Subject) {
    let (there, missing) = (key("a", "there"), key("a", "missing"));
    let stale = subject.put(&there, b"1");
    let version = subject.put(&there, b"2");
    let found = Some(Found { version, value: b"2".to_vec().into() });
    for check in [Check::Absent(there.clone()), Check::Version(there.clone(), stale)] {
        let refused = subject.commit(vec![check], Vec::new());
        assert_eq!(refused, Err(CommitError::Conflict { key: there.clone(), found: found.clone() }));
    }
    let refused = subject.commit(vec![Check::Version(missing.clone(), version)], Vec::new());
    assert_eq!(refused, Err(CommitError::Conflict { key: missing, found: None }));
}

pub(super) fn gives_versions_in_commit_order(subject: &Subject) {
    let row = key("a", "");
    let mut last = subject.put(&row, b"0");
    for _ in 0..20 {
        let by_commit = subject.commit(Vec::new(), vec![Write::Put(row.clone(), b"c".to_vec().into())]).unwrap().version;
        let by_mutation = subject.put(&row, b"m");
        assert!(last < by_commit && by_commit < by_mutation, "{last:?} {by_commit:?} {by_mutation:?}");
        assert_eq!(subject.found(&row).unwrap().version, by_mutation);
        last = by_mutation;
    }
}

/// Two rows of which at least one has to stay: everybody may take one away after seeing both.
pub(super) fn cannot_be_skewed(subject: &Subject) {
    for round in 0..20 {
        let rows = [key("a", &round.to_string()), key("b", &round.to_string())];
        subject.write(&[put_number(&rows[0], 1), put_number(&rows[1], 1)]);
        thread::scope(|scope| {
            for mine in 0..2 {
                let rows = &rows;
                scope.spawn(move || {
                    let found = subject.read(rows);
                    if found.iter().map(|row| number(row.as_ref())).sum::<u64>() < 2 {
                        return;
                    }
                    let checks = rows.iter().zip(&found).map(|(key, row)| Check::Version(key.clone(), row.as_ref().unwrap().version));
                    // Whoever comes second meets a conflict.
                    let _ = subject.commit(checks.collect(), vec![put_number(&rows[mine], 0)]);
                });
            }
        });
        let left: u64 = subject.read(&rows).iter().map(|row| number(row.as_ref())).sum();
        assert_eq!(left, 1, "both checks held for two commits that exclude each other");
    }
}

pub(super) fn may_check_what_it_does_not_write(subject: &Subject) {
    let (guard, row) = (key("guard", ""), key("a", ""));
    let version = subject.put(&guard, b"1");
    subject.commit(vec![Check::Version(guard.clone(), version)], vec![Write::Put(row.clone(), b"1".to_vec().into())]).unwrap();
    assert_eq!(subject.found(&guard).unwrap().version, version, "a check changes nothing");
    subject.put(&guard, b"2");
    subject.commit(vec![Check::Version(guard, version)], vec![Write::Put(row.clone(), b"2".to_vec().into())]).unwrap_err();
    assert_eq!(subject.value(&row), Some(b"1".to_vec()));
}
