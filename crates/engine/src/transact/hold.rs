//! What transactions that are under way hold: their items and their tokens.
//!
//! The service refuses a write that meets an item of a running transaction instead of letting it wait, and so do we: from
//! the moment a transaction has been accepted until it is durable or refused. What must stay true: holding is only about
//! who is told to come back; that transactions are serializable is the store's doing, and would be so without any hold. A
//! hold ends with its guard, so a request that is given up leaves none behind.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use stator_kv::Key;

/// Everything held now.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    /// How many keys are held; lets writes pass without a lock while there are none.
    count: AtomicUsize,
    keys: Mutex<HashSet<Key>>,
}

/// A transaction's hold.
#[derive(Debug)]
pub(crate) struct Hold<'h> {
    holds: &'h Holds,
    keys: Vec<Key>,
}

impl Holds {
    /// Whether a transaction holds a key.
    pub(crate) fn is_held(&self, key: &Key) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.keys.lock().contains(key)
    }

    /// Takes all of the keys or none; answers which of them are taken.
    pub(crate) fn take(&self, keys: &[Key]) -> Result<Hold<'_>, Vec<bool>> {
        let mut held = self.keys.lock();
        let taken: Vec<bool> = keys.iter().map(|key| held.contains(key)).collect();
        if taken.contains(&true) {
            return Err(taken);
        }
        held.extend(keys.iter().cloned());
        self.count.store(held.len(), Ordering::Release);
        Ok(Hold { holds: self, keys: keys.to_vec() })
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        let mut held = self.holds.keys.lock();
        for key in &self.keys {
            held.remove(key);
        }
        self.holds.count.store(held.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::Holds;
    use crate::keyspace::{counter, sequence};
    use stator_model::table::TableId;

    #[test]
    fn keys_are_held_until_the_guard_goes() {
        let holds = Holds::default();
        let keys = [1, 2].map(|table| counter::key(TableId(table), None));
        let hold = holds.take(&keys).unwrap();
        assert!(holds.is_held(&keys[1]));
        assert_eq!(holds.take(&[sequence::key(sequence::Owner::Tables), keys[1].clone()]).unwrap_err(), [false, true]);
        drop(hold);
        assert!(!holds.is_held(&keys[1]));
    }
}
