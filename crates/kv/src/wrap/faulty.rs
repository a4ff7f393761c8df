//! A store that fails where it was told to.
//!
//! ```text
//!                     effect   answer                     afterwards
//!   Refused           none     an error                   as before
//!   ReplyLost         whole    unknown                    as before
//!   RequestLost       none     unknown                    as before
//!   SyncFailed        either   unknown                    nothing is written any more
//!   Stopped           none     read-only                  nothing is written any more
//!   Torn              partly   unknown                    nothing is written any more      breaks the contract
//!   Forgotten         none     acknowledged               as before                        breaks the contract
//! ```
//!
//! The last two are there to see that somebody notices. What must stay true: faults come by count and never by chance, so a
//! run that failed fails again; without orders it is the store that it wraps. To restart, open what it wraps.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::key::Key;
use crate::range::Range;
use crate::space::Space;
use crate::store::{
    Caps, CommitError, Decide, Decision, Found, Level, MiniTxn, Outcome, Receipt, Store, StoreError, TxnId, Visitor, Write,
};

/// The kinds of calls that are counted and may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`Store::read`].
    Read,
    /// [`Store::scan`].
    Scan,
    /// [`Store::commit`], and [`Store::mutate`] once it has decided to write.
    Commit,
    /// [`Store::delete_range`].
    DeleteRange,
}

/// How a call fails. Reads know only [`Fault::Refused`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens, and the caller learns that.
    Refused,
    /// It takes effect, and the caller does not learn that.
    ReplyLost,
    /// Nothing happens, and the caller does not learn that.
    RequestLost,
    /// The device failed in the middle: the caller learns neither, and nothing is written any more.
    SyncFailed {
        /// Whether it is there after a restart.
        kept: bool,
    },
    /// Nothing happens, and nothing is written any more.
    Stopped,
    /// Only so many of its writes take effect, as if the machine had lost power on a store that is not atomic.
    Torn {
        /// How many.
        writes: usize,
    },
    /// It is acknowledged and lost, as by a device that lies about its sync.
    Forgotten,
}

impl Fault {
    fn stops(self) -> bool {
        matches!(self, Fault::SyncFailed { .. } | Fault::Stopped | Fault::Torn { .. })
    }

    fn takes_effect(self) -> bool {
        matches!(self, Fault::ReplyLost | Fault::SyncFailed { kept: true })
    }
}

#[derive(Debug)]
struct Order {
    call: Call,
    /// Counted from the beginning; every call, where there is none.
    at: Option<u64>,
    fault: Fault,
}

#[derive(Debug, Default)]
struct Plan {
    orders: Vec<Order>,
    counts: [u64; 4],
    stopped: Option<String>,
}

/// A store that fails where it was told to.
pub struct Faulty {
    inner: Arc<dyn Store>,
    plan: Mutex<Plan>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty").field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Faulty {
    /// Wraps a store; nothing is ordered yet.
    pub fn new(inner: Arc<dyn Store>) -> Faulty {
        Faulty { inner, plan: Mutex::default() }
    }

    /// Lets the n-th call of a kind from now on fail; the next one is the first.
    ///
    /// # Panics
    /// There is no call number zero.
    pub fn order(&self, call: Call, nth: u64, fault: Fault) {
        assert!(nth > 0, "the next call is the first");
        let mut plan = self.plan.lock();
        let at = Some(plan.counts[call as usize] + nth);
        plan.orders.push(Order { call, at, fault });
    }

    /// Lets every call of a kind fail.
    pub fn order_always(&self, call: Call, fault: Fault) {
        self.plan.lock().orders.push(Order { call, at: None, fault });
    }

    /// Takes all orders back. A store that has stopped stays so.
    pub fn clear(&self) {
        self.plan.lock().orders.clear();
    }

    /// How many calls of a kind there were.
    pub fn count(&self, call: Call) -> u64 {
        self.plan.lock().counts[call as usize]
    }

    /// Whether it has stopped writing.
    pub fn is_stopped(&self) -> bool {
        self.plan.lock().stopped.is_some()
    }

    /// What is left for a restart.
    pub fn inner(&self) -> &Arc<dyn Store> {
        &self.inner
    }

    /// Counts a call; how it is to fail, if it is.
    fn meet(&self, call: Call) -> Result<Option<Fault>, StoreError> {
        let mut plan = self.plan.lock();
        plan.counts[call as usize] += 1;
        let count = plan.counts[call as usize];
        let writes = matches!(call, Call::Commit | Call::DeleteRange);
        if let Some(cause) = plan.stopped.clone().filter(|_| writes) {
            return Err(StoreError::ReadOnly(cause));
        }
        let found = plan.orders.iter().find(|order| order.call == call && order.at.is_none_or(|at| at == count));
        let Some(fault) = found.map(|order| order.fault) else { return Ok(None) };
        let cause = format!("as ordered, {call:?} number {count} met {fault:?}");
        match fault {
            Fault::Refused => return Err(StoreError::Io(cause)),
            _ if !writes => return Err(StoreError::Io(cause)),
            _ => {}
        }
        if fault.stops() {
            plan.stopped = Some(cause.clone());
        }
        if fault == Fault::Stopped { Err(StoreError::ReadOnly(cause)) } else { Ok(Some(fault)) }
    }
}

/// What a commit that meets a fault still writes.
fn left_of(fault: Option<Fault>, mut writes: Vec<Write>) -> Vec<Write> {
    match fault {
        Some(Fault::Torn { writes: kept }) => writes.truncate(kept),
        Some(Fault::Forgotten) => writes.clear(),
        _ => {}
    }
    writes
}

/// What the caller of a commit that met a fault hears.
fn answer<R>(fault: Option<Fault>, id: TxnId, result: Result<R, CommitError>) -> Result<R, CommitError> {
    match fault {
        None | Some(Fault::Forgotten) => result,
        Some(_) => result.and(Err(CommitError::Unknown(id))),
    }
}

#[async_trait]
impl Store for Faulty {
    fn caps(&self) -> &Caps {
        self.inner.caps()
    }

    async fn read(&self, keys: &[Key], level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        self.meet(Call::Read)?;
        self.inner.read(keys, level).await
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.meet(Call::Scan)?;
        self.inner.scan(range, visit).await
    }

    async fn commit(&self, mut txn: MiniTxn) -> Result<Receipt, CommitError> {
        let (fault, id) = (self.meet(Call::Commit)?, txn.id);
        if matches!(fault, Some(Fault::RequestLost | Fault::SyncFailed { kept: false })) {
            return Err(CommitError::Unknown(id));
        }
        txn.writes = left_of(fault, txn.writes);
        answer(fault, id, self.inner.commit(txn).await)
    }

    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        let mut met = None;
        let mutated = self
            .inner
            .mutate(keys, &mut |found| {
                let Decision::Commit(writes) = decide(found) else {
                    return Decision::Abort;
                };
                // A store that decides again has still been called once.
                match met.get_or_insert_with(|| self.meet(Call::Commit)) {
                    Err(_) | Ok(Some(Fault::RequestLost | Fault::SyncFailed { kept: false })) => Decision::Abort,
                    Ok(fault) => Decision::Commit(left_of(*fault, writes)),
                }
            })
            .await;
        match met {
            None => mutated,
            Some(fault) => answer(fault?, TxnId::NAMELESS, mutated),
        }
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        self.inner.resolve(id).await
    }

    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.splits(space, n).await
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let fault = self.meet(Call::DeleteRange)?;
        if fault.is_none_or(Fault::takes_effect) {
            self.inner.delete_range(space, from, to).await?;
        }
        match fault {
            None | Some(Fault::Forgotten) => Ok(()),
            Some(fault) => Err(StoreError::Io(format!("as ordered, the deletion of a range met {fault:?}"))),
        }
    }
}
