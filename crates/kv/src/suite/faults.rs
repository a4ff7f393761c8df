//! What a store owes when things fail: nothing acknowledged is missing, nothing is there in part, and a lost reply is never
//! called a failure.
//!
//! What must stay true: each promise looks at the wrapped store afterwards, as a restart would.

use std::sync::Arc;

use super::block_on;
use super::subject::{ROWS, SMALL, Subject, key, key_in, put_number, sums, txn};
use crate::range::Range;
use crate::store::{Check, CommitError, Decision, Level, Outcome, Store, StoreError, TxnId, Visit, Write};
use crate::wrap::{Call, Fault, Faulty};

/// The store behind a wrapper that can be ordered to fail; the wrapped store is what a restart finds.
fn wrap(restarted: &Subject) -> (Arc<Faulty>, Subject) {
    let faulty = Arc::new(Faulty::new(Arc::clone(restarted.store())));
    let subject = Subject::new(Arc::clone(&faulty) as Arc<dyn Store>);
    (faulty, subject)
}

/// Three writes that belong together; the number tells them from those of other steps.
fn step(number: u64) -> Vec<Write> {
    let name = number.to_string();
    vec![put_number(&key(&name, "a"), number), put_number(&key(&name, "b"), number), Write::Add(key_in(SMALL, "sum", ""), vec![1])]
}

/// How many steps are there; panics if one is there in part.
fn steps(subject: &Subject) -> Vec<u64> {
    let mut found: Vec<u64> =
        subject.values(&Range::all(ROWS)).into_iter().map(|value| u64::from_le_bytes(value.try_into().unwrap())).collect();
    found.sort_unstable();
    let whole: Vec<u64> = found.chunks(2).map(|pair| pair[0]).collect();
    assert!(found.chunks(2).all(|pair| pair.len() == 2 && pair[0] == pair[1]), "a commit is there in part: {found:?}");
    let sum = subject.value(&key_in(SMALL, "sum", "")).map_or(0, |value| sums(&value)[0]);
    assert_eq!(u64::try_from(sum), Ok(whole.len() as u64), "a commit is there in part");
    whole
}

fn mutate(subject: &Subject, number: u64) -> Result<(), CommitError> {
    subject.mutate(&[], &mut |_| Decision::Commit(step(number))).map(|_| ())
}

pub(super) fn refused_writes_leave_nothing(restarted: &Subject) {
    let (faulty, subject) = wrap(restarted);
    faulty.order(Call::Commit, 2, Fault::Refused);
    faulty.order(Call::Commit, 3, Fault::Refused);
    mutate(&subject, 1).unwrap();
    assert!(matches!(mutate(&subject, 2), Err(CommitError::Store(StoreError::Io(_)))));
    assert!(matches!(subject.commit(Vec::new(), step(3)), Err(CommitError::Store(StoreError::Io(_)))));
    assert_eq!(steps(restarted), [1]);
    mutate(&subject, 4).unwrap();
    assert_eq!(steps(restarted), [1, 4]);
}

pub(super) fn lost_replies_are_unknown_and_whole(restarted: &Subject) {
    let (faulty, subject) = wrap(restarted);
    let mut there = Vec::new();
    for (number, fault) in (1..).zip([Fault::ReplyLost, Fault::RequestLost, Fault::ReplyLost, Fault::RequestLost]) {
        faulty.order(Call::Commit, 1, fault);
        let lost = if number > 2 { subject.commit(Vec::new(), step(number)).map(|_| ()) } else { mutate(&subject, number) };
        assert!(matches!(lost, Err(CommitError::Unknown(_))), "{lost:?}");
        there.extend((fault == Fault::ReplyLost).then_some(number));
        assert_eq!(steps(restarted), there);
    }
    // A check that fails is an answer; it cannot be lost by writing.
    faulty.clear();
    let refused = subject.commit(vec![Check::Absent(key("1", "a"))], step(5));
    assert!(matches!(refused, Err(CommitError::Conflict { .. })), "{refused:?}");
}

pub(super) fn lost_replies_can_be_resolved(restarted: &Subject) {
    let (faulty, subject) = wrap(restarted);
    for (number, fault) in [(1, Fault::ReplyLost), (2, Fault::RequestLost)] {
        faulty.order(Call::Commit, 1, fault);
        let named = txn(vec![Check::Absent(key(&number.to_string(), "a"))], step(number));
        let lost = block_on(subject.store().commit(named.clone()));
        assert_eq!(lost, Err(CommitError::Unknown(named.id)));
        let repeats = match block_on(subject.store().resolve(named.id)).unwrap() {
            Outcome::Committed(version) => {
                assert_eq!((number, subject.found(&key("1", "a")).unwrap().version), (1, version));
                true
            }
            // Told for good: whoever repeats it is refused.
            Outcome::NotCommitted => {
                assert_eq!(number, 2);
                false
            }
            Outcome::Forgotten => true,
        };
        let repeated = block_on(subject.store().commit(named));
        assert_eq!(repeated.is_ok(), repeats, "{repeated:?}");
        assert_eq!(steps(restarted).contains(&number), repeats);
    }
}

pub(super) fn a_failed_sync_stops_writing_for_good(restarted: &Subject) {
    for kept in [false, true] {
        let (faulty, subject) = wrap(restarted);
        let (before, lost, after) = if kept { (11, 12, 13) } else { (1, 2, 3) };
        mutate(&subject, before).unwrap();
        faulty.order(Call::Commit, 1, Fault::SyncFailed { kept });
        assert_eq!(mutate(&subject, lost), Err(CommitError::Unknown(TxnId::NAMELESS)));
        faulty.clear();
        for refused in [mutate(&subject, after), subject.commit(Vec::new(), step(after)).map(|_| ())] {
            assert!(matches!(refused, Err(CommitError::Store(StoreError::ReadOnly(_)))), "{refused:?}");
        }
        let deleted = block_on(subject.store().delete_range(ROWS, b"", b"\xFF"));
        assert!(matches!(deleted, Err(StoreError::ReadOnly(_))), "{deleted:?}");
        assert!(faulty.is_stopped());
        assert_eq!(subject.number(&key(&before.to_string(), "a")), before, "reading goes on");
        let there = steps(restarted);
        assert!(there.contains(&before) && !there.contains(&after) && there.contains(&lost) == kept, "{there:?}");
    }
}

pub(super) fn acknowledged_writes_are_there_wherever_it_stops(restarted: &Subject) {
    const COMMITS: u64 = 12;
    let faults = [Fault::Stopped, Fault::SyncFailed { kept: false }, Fault::SyncFailed { kept: true }];
    for (run, (fault, nth)) in (0u64..).zip(faults.into_iter().flat_map(|fault| (1..=COMMITS).map(move |nth| (fault, nth)))) {
        let (faulty, subject) = wrap(restarted);
        faulty.order(Call::Commit, nth, fault);
        for number in (1..=COMMITS).map(|number| run * 100 + number) {
            let is_nth = number == run * 100 + nth;
            let written = if number % 2 == 0 { mutate(&subject, number) } else { subject.commit(Vec::new(), step(number)).map(|_| ()) };
            let is_there = steps(restarted).contains(&number);
            match written {
                Ok(()) => assert!(is_there && number < run * 100 + nth),
                Err(CommitError::Unknown(_)) => assert!(is_nth && fault != Fault::Stopped),
                Err(CommitError::Store(StoreError::ReadOnly(_))) => assert!(!is_there && (fault == Fault::Stopped || !is_nth)),
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

pub(super) fn failed_reads_are_errors(restarted: &Subject) {
    let (faulty, subject) = wrap(restarted);
    mutate(&subject, 1).unwrap();
    faulty.order(Call::Read, 1, Fault::Refused);
    faulty.order(Call::Scan, 1, Fault::Refused);
    let read = block_on(subject.store().read(&[key("1", "a")], Level::Strong));
    assert!(matches!(read, Err(StoreError::Io(_))), "{read:?}");
    let scanned = block_on(subject.store().scan(&Range::all(ROWS), &mut |_| Visit::Next));
    assert!(matches!(scanned, Err(StoreError::Io(_))), "{scanned:?}");
    assert_eq!(subject.number(&key("1", "a")), 1, "the next one succeeds");
    assert_eq!(steps(&subject), [1]);
}

pub(super) fn failures_come_where_they_were_ordered(restarted: &Subject) {
    let (faulty, subject) = wrap(restarted);
    mutate(&subject, 1).unwrap();
    subject.mutate(&[], &mut |_| Decision::Abort).unwrap();
    assert_eq!(faulty.count(Call::Commit), 1, "what is not written is not counted");
    faulty.order(Call::Commit, 3, Fault::Refused);
    let outcomes: Vec<bool> = (2..=6).map(|number| mutate(&subject, number).is_ok()).collect();
    assert_eq!(outcomes, [true, true, false, true, true]);
    assert_eq!(faulty.count(Call::Commit), 6);
    faulty.order_always(Call::Commit, Fault::Refused);
    assert!((7..=9).all(|number| mutate(&subject, number).is_err()));
    faulty.clear();
    mutate(&subject, 7).unwrap();
    assert_eq!(steps(restarted), [1, 2, 3, 5, 6, 7]);
}
