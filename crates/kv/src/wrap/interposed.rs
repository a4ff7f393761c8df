//! A store in front of which something happens when a certain call comes.
//!
//! For what only shows when two things meet: hold a call up until the test has looked around, or let another write come in
//! between. What must stay true: what was ordered happens once, on the thread of the call, before the store below hears of
//! the call or, where commits are concerned, after it has done it or between a decision and its commit; without an order it is
//! the store that it wraps.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::faulty::Call;
use crate::key::Key;
use crate::range::Range;
use crate::space::Space;
use crate::store::{Caps, CommitError, Decide, Found, Level, MiniTxn, Outcome, Receipt, Store, StoreError, TxnId, Visitor};

/// At which moment of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    /// Between the decision of a mutation and its commit.
    Amid,
    After,
}

struct Order {
    call: Call,
    moment: Moment,
    /// Calls of that kind still to come, this one included.
    left: u64,
    happen: Box<dyn FnOnce() + Send>,
}

/// A store in front of which something happens when a certain call comes.
pub struct Interposed {
    inner: Arc<dyn Store>,
    order: Mutex<Option<Order>>,
}

impl std::fmt::Debug for Interposed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interposed").field("is_waiting", &self.is_waiting()).finish_non_exhaustive()
    }
}

impl Interposed {
    /// Wraps a store; nothing is ordered yet.
    pub fn new(inner: Arc<dyn Store>) -> Interposed {
        Interposed { inner, order: Mutex::default() }
    }

    /// Lets something happen in front of the n-th call of a kind from now on; the next one is the first. An order that
    /// waits is replaced. Mutations count as commits, whatever they decide.
    ///
    /// # Panics
    /// There is no call number zero.
    pub fn before(&self, call: Call, nth: u64, happen: impl FnOnce() + Send + 'static) {
        self.order(call, Moment::Before, nth, happen);
    }

    /// Lets something happen behind it, when the store below has done it and the caller does not know yet.
    ///
    /// # Panics
    /// There is no call number zero.
    pub fn after(&self, call: Call, nth: u64, happen: impl FnOnce() + Send + 'static) {
        self.order(call, Moment::After, nth, happen);
    }

    /// Lets something happen when the n-th mutation has decided and the store below does not know yet. What it writes is
    /// what it decided then, so nothing else may touch its rows meanwhile.
    ///
    /// # Panics
    /// There is no call number zero.
    pub fn amid(&self, nth: u64, happen: impl FnOnce() + Send + 'static) {
        self.order(Call::Commit, Moment::Amid, nth, happen);
    }

    fn order(&self, call: Call, moment: Moment, nth: u64, happen: impl FnOnce() + Send + 'static) {
        assert!(nth > 0, "the next call is the first");
        *self.order.lock() = Some(Order { call, moment, left: nth, happen: Box::new(happen) });
    }

    /// Whether what was ordered has not happened yet.
    pub fn is_waiting(&self) -> bool {
        self.order.lock().is_some()
    }

    fn comes(&self, call: Call) {
        self.passes(call, Moment::Before);
    }

    fn passes(&self, call: Call, moment: Moment) {
        // Without the lock: what happens may call this store.
        if let Some(order) = self.due(call, moment) {
            (order.happen)();
        }
    }

    fn due(&self, call: Call, moment: Moment) -> Option<Order> {
        let mut order = self.order.lock();
        if let Some(waiting) = order.as_mut().filter(|waiting| waiting.call == call && waiting.moment == moment) {
            waiting.left -= 1;
        }
        order.take_if(|waiting| waiting.left == 0)
    }
}

#[async_trait]
impl Store for Interposed {
    fn caps(&self) -> &Caps {
        self.inner.caps()
    }

    async fn read(&self, keys: &[Key], level: Level) -> Result<Vec<Option<Found>>, StoreError> {
        self.comes(Call::Read);
        self.inner.read(keys, level).await
    }

    async fn scan(&self, range: &Range, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        self.comes(Call::Scan);
        self.inner.scan(range, visit).await
    }

    async fn commit(&self, txn: MiniTxn) -> Result<Receipt, CommitError> {
        self.comes(Call::Commit);
        let committed = self.inner.commit(txn).await;
        self.passes(Call::Commit, Moment::After);
        committed
    }

    async fn mutate(&self, keys: &[Key], decide: &mut Decide<'_>) -> Result<Option<Receipt>, CommitError> {
        self.comes(Call::Commit);
        let mutated = match self.due(Call::Commit, Moment::Amid) {
            None => self.inner.mutate(keys, decide).await,
            Some(order) => {
                let decided = decide(&self.inner.read(keys, Level::Strong).await?);
                (order.happen)();
                self.inner.mutate(keys, &mut |_| decided.clone()).await
            }
        };
        self.passes(Call::Commit, Moment::After);
        mutated
    }

    async fn resolve(&self, id: TxnId) -> Result<Outcome, StoreError> {
        self.inner.resolve(id).await
    }

    async fn splits(&self, space: Space, n: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        self.inner.splits(space, n).await
    }

    async fn delete_range(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        self.comes(Call::DeleteRange);
        self.inner.delete_range(space, from, to).await
    }
}
