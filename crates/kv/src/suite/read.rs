//! `read`: strong reads are linearizable.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::block_on;
use super::subject::{DENSE, DERIVED, Ending, LOG, ROWS, SMALL, Subject, key, key_in};
use crate::range::Range;
use crate::store::Level;

const STEPS: u64 = 150;

pub(super) fn answers_in_the_order_of_the_keys(subject: &Subject) {
    subject.put(&key("a", "1"), b"a1");
    subject.put(&key("b", "1"), b"b1");
    subject.put(&key("b", "2"), b"");
    let keys = [key("b", "2"), key("c", ""), key("a", "1"), key("b", "1"), key("a", "1")];
    for level in [Level::Strong, Level::Eventual] {
        let found = block_on(subject.store().read(&keys, level)).unwrap();
        let values: Vec<_> = found.iter().map(|row| row.as_ref().map(|row| &row.value[..])).collect();
        assert_eq!(values, [Some(&b""[..]), None, Some(b"a1"), Some(b"b1"), Some(b"a1")]);
        assert!(block_on(subject.store().read(&[], level)).unwrap().is_empty());
    }
}

pub(super) fn sees_what_was_acknowledged(subject: &Subject) {
    let row = key("a", "");
    let (acknowledged, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ending = Ending(&is_over);
            for _ in 0..STEPS {
                let sum = subject.increment(&row);
                acknowledged.store(sum, Ordering::SeqCst);
                assert_eq!(subject.number(&row), sum, "nobody else writes it");
            }
        });
        for _ in 0..3 {
            scope.spawn(|| {
                while !Ending::has_come(&is_over) {
                    let known = acknowledged.load(Ordering::SeqCst);
                    let seen = subject.number(&row);
                    assert!(seen >= known, "{seen} is read after {known} was acknowledged");
                }
            });
        }
    });
}

pub(super) fn never_goes_back(subject: &Subject) {
    let row = key("a", "");
    let (highest, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let _ending = Ending(&is_over);
        for _ in 0..3 {
            scope.spawn(|| {
                while !Ending::has_come(&is_over) {
                    // What anybody has seen, everybody sees from then on, acknowledged or not.
                    let known = highest.load(Ordering::SeqCst);
                    let seen = subject.number(&row);
                    assert!(seen >= known, "{seen} is read after {known} was read");
                    highest.fetch_max(seen, Ordering::SeqCst);
                }
            });
        }
        (0..STEPS).for_each(|_| _ = subject.increment(&row));
    });
}

pub(super) fn keeps_spaces_apart(subject: &Subject) {
    let spaces = [ROWS, DERIVED, SMALL, LOG, DENSE];
    for (space, value) in spaces.into_iter().zip([b"1", b"2", b"3", b"4", b"5"]) {
        subject.put(&key_in(space, "same", "key"), value);
    }
    for (space, value) in spaces.into_iter().zip([b"1", b"2", b"3", b"4", b"5"]) {
        assert_eq!(subject.value(&key_in(space, "same", "key")), Some(value.to_vec()));
        assert_eq!(subject.values(&Range::all(space)), [value]);
    }
}
