//! `delete_range`: everything in it, nothing else, after all that was accepted before.

use std::thread;

use super::block_on;
use super::subject::{DERIVED, ROWS, SMALL, Subject, key, key_in, put_number, sums};
use crate::range::Range;
use crate::space::Space;
use crate::store::Write;

fn delete(subject: &Subject, space: Space, from: &[u8], to: &[u8]) {
    block_on(subject.store().delete_range(space, from, to)).unwrap();
}

pub(super) fn removes_what_lies_in_it_and_nothing_else(subject: &Subject) {
    for name in ["a", "b", "c", "d"] {
        subject.write(&[put_number(&key(name, ""), 1), put_number(&key(name, "z"), 1), put_number(&key_in(DERIVED, name, ""), 1)]);
    }
    delete(subject, ROWS, b"b\0", b"c\0z");
    let left: Vec<_> = subject.rows(&Range::all(ROWS)).into_iter().map(|(key, _)| key).collect();
    assert_eq!(left, [&b"a\0"[..], b"a\0z", b"c\0z", b"d\0", b"d\0z"]);
    assert_eq!(subject.rows(&Range::all(DERIVED)).len(), 4, "another space is another matter");
    assert_eq!(subject.value(&key("b", "z")), None);
    // What comes later stays, and is decided on as it is.
    assert_eq!(subject.increment(&key("b", "z")), 1);
    assert_eq!(subject.number(&key("b", "z")), 1);
}

pub(super) fn comes_after_what_was_acknowledged(subject: &Subject) {
    for round in 0..10 {
        thread::scope(|scope| {
            for writer in 0..4 {
                scope.spawn(move || {
                    (0..5).for_each(|sort| _ = subject.put(&key(&writer.to_string(), &format!("{round}{sort}")), b""));
                });
            }
        });
        delete(subject, ROWS, b"", b"\xFF");
        assert!(subject.rows(&Range::all(ROWS)).is_empty());
    }
}

pub(super) fn of_nothing_does_nothing(subject: &Subject) {
    subject.put(&key("a", ""), b"1");
    for (from, to) in [(&b"x"[..], &b"y"[..]), (b"a", b"a"), (b"z", b"a"), (b"", b"")] {
        delete(subject, ROWS, from, to);
        assert_eq!(subject.value(&key("a", "")), Some(b"1".to_vec()));
    }
    assert_eq!(subject.increment(&key("n", "")), 1, "and writing goes on");
}

pub(super) fn forgets_sums(subject: &Subject) {
    let sum = key_in(SMALL, "sum", "");
    for _ in 0..10 {
        subject.write(&[Write::Add(sum.clone(), vec![5])]);
        delete(subject, SMALL, b"sum", b"sun");
        assert_eq!(subject.value(&sum), None);
        subject.write(&[Write::Add(sum.clone(), vec![2])]);
        assert_eq!(sums(&subject.value(&sum).unwrap()), [2]);
    }
}
