//! What the stores around stores do beside keeping the contract.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use stator_kv::suite::block_on;
use stator_kv::wrap::{Call, Fault, Faulty, Mirror, Trace, Traced};
use stator_kv::{Check, CommitError, Decision, Key, MemoryStore, MiniTxn, Profile, Range, Space, Stamp, Store, TxnId, Visit, Write};

const ROWS: Space = Space { id: 1, profile: Profile::Rows };

fn put(sort: &str) -> Write {
    Write::Put(Key::new(ROWS, b"a", sort.as_bytes()), b"value".to_vec().into())
}

fn mutate(store: &dyn Store, writes: &[Write]) -> Result<(), CommitError> {
    block_on(store.mutate(&[], &mut |_| Decision::Commit(writes.to_vec()))).map(|_| ())
}

#[test]
fn a_trace_names_what_was_written_and_nothing_else() {
    let faulty = Arc::new(Faulty::new(Arc::new(MemoryStore::new())));
    let trace = Trace::new(Arc::clone(&faulty) as Arc<dyn Store>);
    mutate(&trace, &[put("1"), put("2")]).unwrap();
    let refused = MiniTxn { id: TxnId(7), checks: vec![Check::Absent(put("1").key().clone())], writes: vec![put("3")] };
    block_on(trace.commit(refused)).unwrap_err();
    block_on(trace.mutate(&[], &mut |_| Decision::Abort)).unwrap();
    block_on(trace.delete_range(ROWS, b"a2", b"a3")).unwrap();
    faulty.order(Call::Commit, 1, Fault::ReplyLost);
    mutate(&trace, &[put("4")]).unwrap_err();
    let entries = trace.take();
    assert!(matches!(&entries[0], Traced::Commit { version: Some(_), writes } if *writes == [put("1"), put("2")]), "{entries:?}");
    assert_eq!(entries[1], Traced::DeleteRange { space: ROWS, from: b"a2".to_vec(), to: b"a3".to_vec() });
    assert_eq!(entries[2], Traced::Commit { version: None, writes: vec![put("4")] });
    assert_eq!(entries.len(), 3);
    assert!(trace.take().is_empty());
}

#[test]
fn a_mirror_follows_appended_rows_whatever_their_stamps() {
    let right = Arc::new(MemoryStore::new());
    (0..9).for_each(|_| mutate(right.as_ref(), &[]).unwrap());
    let mirror = Mirror::new(Arc::new(MemoryStore::new()), right);
    let append = |value: &str| Write::Append(Key::new(ROWS, b"log", b""), value.as_bytes().to_vec().into());
    let all = |mirror: &Mirror, range: &Range| {
        let mut rows = Vec::new();
        block_on(mirror.scan(range, &mut |row| {
            rows.push((row.key.to_vec(), row.value.to_vec()));
            Visit::Next
        }))
        .unwrap();
        rows
    };
    for value in ["1", "2", "3", "4"] {
        mutate(&mirror, &[append(value)]).unwrap();
    }
    let rows = all(&mirror, &Range::all(ROWS));
    assert_eq!(rows.iter().map(|(_, value)| value.as_slice()).collect::<Vec<_>>(), [b"1", b"2", b"3", b"4"]);
    // Keys that were learned from one store find the rows of both: deleted by key, and by a place between two commits.
    mutate(&mirror, &[Write::Delete(Key::from_joined(ROWS, &rows[3].0, 3))]).unwrap();
    let between = Stamp { place: 5, ..Stamp::of_key(&rows[1].0).unwrap() };
    block_on(mirror.delete_range(ROWS, b"log", &[&b"log"[..], &between.to_bytes()].concat())).unwrap();
    assert_eq!(all(&mirror, &Range::all(ROWS)), [rows[2].clone()]);
}
