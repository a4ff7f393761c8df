//! Appended rows: their place is that of their commit, and readers meet them in that order.

use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::block_on;
use super::subject::{LOG, ROWS, Subject, key, key_in, number, part, put_number};
use crate::range::{Direction, Range};
use crate::store::{Check, Decision, RowRef, Stamp, Visit, Write};

fn append(value: &[u8]) -> Write {
    Write::Append(key_in(LOG, "log", "s"), value.to_vec().into())
}

pub(super) fn places_rows_by_their_commit(subject: &Subject) {
    let mut expected = Vec::new();
    for round in 0..5u8 {
        // Between the two, something that takes a place but is not appended.
        let writes = [append(&[round, 0]), put_number(&key("a", ""), 1), append(&[round, 1])];
        let version = subject.write(&writes).0;
        expected.extend([(Stamp { version, place: 0 }, vec![round, 0]), (Stamp { version, place: 2 }, vec![round, 1])]);
    }
    let rows = subject.rows(&part(LOG, "log"));
    let met: Vec<_> = rows.iter().map(|(key, value)| (Stamp::of_key(key).unwrap(), value.clone())).collect();
    assert_eq!(met, expected);
    assert!(rows.iter().all(|(key, _)| key.len() == b"log\0s".len() + Stamp::BYTES && key.starts_with(b"log\0s")));
}

/// One of many is gone, also if it ended in a panic.
struct Gone<'g>(&'g AtomicU64);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) fn shows_readers_every_row_in_commit_order(subject: &Subject) {
    const WRITERS: u8 = 6;
    const STEPS: u64 = 50;
    let running = AtomicU64::new(u64::from(WRITERS));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let running = &running;
            scope.spawn(move || {
                let _gone = Gone(running);
                let own = key("count", &writer.to_string());
                for _ in 0..STEPS {
                    let appended = subject.mutate(std::slice::from_ref(&own), &mut |found| {
                        let step = number(found[0].as_ref()) + 1;
                        Decision::Commit(vec![put_number(&own, step), append(&[&[writer], &step.to_le_bytes()[..]].concat())])
                    });
                    appended.unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut steps = [0u64; WRITERS as usize];
                let mut from = Bound::Unbounded;
                loop {
                    let is_last = running.load(Ordering::SeqCst) == 0;
                    let part = b"log\0".to_vec();
                    let range = Range::InPart { space: LOG, part, from, to: Bound::Unbounded, direction: Direction::Forward };
                    let mut last = None;
                    let mut visit = |row: RowRef<'_>| {
                        let (writer, step) = row.value.split_first().unwrap();
                        let step = u64::from_le_bytes(step.try_into().unwrap());
                        steps[usize::from(*writer)] += 1;
                        assert_eq!(steps[usize::from(*writer)], step, "a row of writer {writer} appeared behind the reader");
                        last = Some(row.key[b"log\0".len()..].to_vec());
                        Visit::Next
                    };
                    block_on(subject.store().scan(&range, &mut visit)).unwrap();
                    let Range::InPart { from: began, .. } = range else { unreachable!("a part's range") };
                    from = last.map_or(began, Bound::Excluded);
                    if is_last {
                        break;
                    }
                }
                assert_eq!(steps, [STEPS; WRITERS as usize]);
            });
        }
    });
}

pub(super) fn belongs_to_its_commit(subject: &Subject) {
    let row = key("a", "");
    subject.commit(vec![Check::Absent(row.clone())], vec![append(b"1"), put_number(&row, 1)]).unwrap();
    subject.commit(vec![Check::Absent(row.clone())], vec![append(b"2"), put_number(&row, 2)]).unwrap_err();
    assert_eq!(subject.values(&part(LOG, "log")), [b"1"]);
    assert_eq!(subject.rows(&Range::all(ROWS)).len(), 1);
}
