//! Limits: what every backend takes, and that what is too large leaves nothing.

use super::subject::{LOG, ROWS, SMALL, Subject, key, key_in, put_number};
use crate::key::Key;
use crate::range::Range;
use crate::store::{CommitError, Decision, Write};

/// The least that the contract asks for: 600 writes and 9 MB over 100 parts, and the longest key and value.
pub(super) fn everybody_takes_the_least(subject: &Subject) {
    const VALUE_BYTES: usize = 410_000;
    let caps = subject.store().caps();
    assert!(caps.part_bytes_max >= 2200 && caps.sort_bytes_max >= 1200 && caps.value_bytes_max >= VALUE_BYTES);
    assert!(caps.commit_writes_max >= 600 && caps.commit_bytes_max >= 9_000_000);
    let wide = |number: usize| Key::new(ROWS, &[&[u8::try_from(number % 100).unwrap()], &[7u8; 2199][..]].concat(), &[0; 1190]);
    let mut writes: Vec<Write> = (0..100).map(|number| Write::Put(wide(number), vec![1; 60_000].into())).collect();
    writes.extend((0..500).map(|number| put_number(&key(&(number % 100).to_string(), &number.to_string()), number)));
    subject.write(&writes);
    assert_eq!(subject.rows(&Range::all(ROWS)).len(), 600);
    subject.put(&key("large", ""), &vec![3; VALUE_BYTES]);
    assert_eq!(subject.value(&key("large", "")).map(|value| value.len()), Some(VALUE_BYTES));
}

pub(super) fn what_fits_exactly_is_taken(subject: &Subject) {
    let caps = subject.store().caps().clone();
    let row = Key::new(ROWS, &vec![b'p'; caps.part_bytes_max], &vec![b's'; caps.sort_bytes_max]);
    let value = vec![b'v'; caps.value_bytes_max];
    subject.put(&row, &value);
    assert_eq!(subject.value(&row), Some(value));
    let log = Key::new(LOG, &vec![b'p'; caps.part_bytes_max], &vec![b's'; caps.sort_bytes_max]);
    subject.write(&[Write::Append(log, b"1".to_vec().into())]);
    assert_eq!(subject.rows(&Range::all(LOG)).len(), 1);
    let many: Vec<Write> =
        (0..caps.commit_writes_max as u64).map(|number| put_number(&key_in(SMALL, "m", &number.to_string()), 0)).collect();
    subject.write(&many);
    assert_eq!(subject.rows(&Range::all(SMALL)).len(), caps.commit_writes_max);
}

pub(super) fn too_large_is_refused_before_anything_is_written(subject: &Subject) {
    let caps = subject.store().caps().clone();
    let good = put_number(&key("good", ""), 1);
    let whole = Write::Put(key("whole", ""), vec![0; caps.value_bytes_max].into());
    let cases: [(&str, Vec<Write>); 6] = [
        ("part_bytes_max", vec![good.clone(), Write::Put(Key::new(ROWS, &vec![1; caps.part_bytes_max + 1], b""), Vec::new().into())]),
        ("sort_bytes_max", vec![good.clone(), Write::Delete(Key::new(ROWS, b"p", &vec![1; caps.sort_bytes_max + 1]))]),
        ("value_bytes_max", vec![good.clone(), Write::Put(key("a", ""), vec![0; caps.value_bytes_max + 1].into())]),
        ("value_bytes_max", vec![good.clone(), Write::Append(key_in(LOG, "a", ""), vec![0; caps.value_bytes_max + 1].into())]),
        ("commit_writes_max", vec![good.clone(); caps.commit_writes_max + 1]),
        ("commit_bytes_max", [vec![good], vec![whole; caps.commit_bytes_max / caps.value_bytes_max + 1]].concat()),
    ];
    for (limit, writes) in cases {
        let mutated = subject.mutate(&[], &mut |_| Decision::Commit(writes.clone()));
        assert_eq!(mutated, Err(CommitError::TooLarge(limit)));
        assert_eq!(subject.commit(Vec::new(), writes), Err(CommitError::TooLarge(limit)));
        assert_eq!(subject.value(&key("good", "")), None, "{limit}");
    }
    assert_eq!(subject.increment(&key("good", "")), 1, "and writing goes on");
}
