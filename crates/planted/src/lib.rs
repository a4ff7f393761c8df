//! Faults that are planted into a server for tests, so that each proof first shows that it would find one.
//!
//! A place in the product that could be wrong asks whether its fault is planted, and does wrong then. Without the feature
//! `planted` the answer is a constant `false` and the compiler leaves nothing of the question; with it, the variable
//! `STATOR_PLANTED` of the environment names the faults, separated by commas. What must stay true: no default build has the
//! feature, and a test of the proof looks for its traces in the default binary.

/// What may be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Writes are acknowledged without a sync.
    SkipSync,
    /// Some writes are acknowledged and left out.
    DropWrite,
    /// Some entries of indexes are not written.
    DropIndexEntry,
    /// Some records of streams are not written.
    DropStreamRecord,
    /// A failed write or sync is acknowledged, and writing goes on.
    IgnoreFailedSync,
    /// Checksums of what is read are not looked at.
    SkipChecksum,
    /// Decisions on one key do not wait for each other.
    SkipLatch,
    /// Any signature is good.
    SkipSignature,
    /// Memory is taken for each commit and never given back.
    LeakMemory,
    /// Some decisions on items panic while they hold their latches.
    PanicInRequest,
    /// Each piece of background work panics at its first attempts.
    PanicInJob,
    /// The thread that writes panics at some batch.
    PanicInCommit,
    /// Latches that a panic meets are not let go.
    KeepLatch,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 13] = [
        Fault::SkipSync,
        Fault::DropWrite,
        Fault::DropIndexEntry,
        Fault::DropStreamRecord,
        Fault::IgnoreFailedSync,
        Fault::SkipChecksum,
        Fault::SkipLatch,
        Fault::SkipSignature,
        Fault::LeakMemory,
        Fault::PanicInRequest,
        Fault::PanicInJob,
        Fault::PanicInCommit,
        Fault::KeepLatch,
    ];

    /// Its name in `STATOR_PLANTED`.
    pub fn name(self) -> &'static str {
        match self {
            Fault::SkipSync => "skip-sync",
            Fault::DropWrite => "drop-write",
            Fault::DropIndexEntry => "drop-index-entry",
            Fault::DropStreamRecord => "drop-stream-record",
            Fault::IgnoreFailedSync => "ignore-failed-sync",
            Fault::SkipChecksum => "skip-checksum",
            Fault::SkipLatch => "skip-latch",
            Fault::SkipSignature => "skip-signature",
            Fault::LeakMemory => "leak-memory",
            Fault::PanicInRequest => "panic-in-request",
            Fault::PanicInJob => "panic-in-job",
            Fault::PanicInCommit => "panic-in-commit",
            Fault::KeepLatch => "keep-latch",
        }
    }

    /// Whether it is planted.
    #[cfg(not(feature = "planted"))]
    #[inline]
    pub const fn is_planted(self) -> bool {
        false
    }

    /// Whether it is planted.
    #[cfg(feature = "planted")]
    pub fn is_planted(self) -> bool {
        grown::is_planted(self)
    }

    /// Whether it is planted and strikes now: once in every [`PERIOD`] calls.
    #[cfg(not(feature = "planted"))]
    #[inline]
    pub const fn strikes(self) -> bool {
        false
    }

    /// Whether it is planted and strikes now: once in every [`PERIOD`] calls.
    #[cfg(feature = "planted")]
    pub fn strikes(self) -> bool {
        grown::is_planted(self) && grown::is_turn(self)
    }
}

/// A fault that does not always strike does so once in so many calls.
pub const PERIOD: u64 = 64;

/// The variable of the environment.
pub const VARIABLE: &str = "STATOR_PLANTED";

#[cfg(feature = "planted")]
mod grown {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Fault, PERIOD, VARIABLE};

    static PLANTED: LazyLock<Vec<Fault>> = LazyLock::new(|| {
        let names = std::env::var(VARIABLE).unwrap_or_default();
        let named = |fault: &Fault| names.split(',').any(|name| name == fault.name());
        Fault::ALL.into_iter().filter(named).collect()
    });
    static CALLS: [AtomicU64; Fault::ALL.len()] = [const { AtomicU64::new(0) }; Fault::ALL.len()];

    pub(super) fn is_planted(fault: Fault) -> bool {
        PLANTED.contains(&fault)
    }

    pub(super) fn is_turn(fault: Fault) -> bool {
        CALLS[fault as usize].fetch_add(1, Ordering::Relaxed) % PERIOD == PERIOD - 1
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn faults_are_listed_once_and_in_their_order() {
        for (place, fault) in Fault::ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, place);
            assert_eq!(Fault::ALL.iter().filter(|other| other.name() == fault.name()).count(), 1);
        }
    }

    #[cfg(not(feature = "planted"))]
    #[test]
    fn nothing_is_planted_by_default() {
        assert!(Fault::ALL.iter().all(|fault| !fault.is_planted() && !fault.strikes()));
    }
}
