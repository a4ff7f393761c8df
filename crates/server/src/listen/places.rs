//! The places that there are for connections, and who has to leave when all are taken.
//!
//! Ten thousand connections that do nothing must not keep out the one that has something to ask. So when all places are taken,
//! the longest idle of some connections makes room. What must stay true: a connection on which a request runs, or ran a
//! moment ago, is never closed for another; the lock here is taken when connections come and go, never by a request.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use super::activity::Activity;

/// Idle connections keep their places for so long at least.
const IDLE_MIN: Duration = Duration::from_secs(1);
/// How many connections are looked at to find one that has to leave. Looking at all of ten thousand for each that comes would
/// be work that a flood could ask for.
const LOOKED_AT: usize = 64;
/// How long a newcomer waits for the place of one that leaves.
const LEAVING_TIME_MAX: Duration = Duration::from_secs(1);

/// All places.
pub(super) struct Places {
    permits: Arc<Semaphore>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    slots: Vec<Option<Occupant>>,
    free: Vec<usize>,
    /// Where to look next for one that has to leave.
    cursor: usize,
}

struct Occupant {
    activity: Arc<Activity>,
    task: Option<AbortHandle>,
}

/// A place that is taken until this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    slot: usize,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(count: usize) -> Arc<Places> {
        Arc::new(Places { permits: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))), taken: Mutex::default() })
    }

    /// Whether a place is free.
    pub(super) fn try_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// The place of one that was told to leave, once it has.
    pub(super) async fn next_permit(&self) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(LEAVING_TIME_MAX, Arc::clone(&self.permits).acquire_owned()).await.ok()?.ok()
    }

    /// Takes the place.
    pub(super) fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit, activity: Arc<Activity>) -> Place {
        let mut taken = self.lock();
        let occupant = Some(Occupant { activity, task: None });
        let slot = if let Some(slot) = taken.free.pop() {
            taken.slots[slot] = occupant;
            slot
        } else {
            taken.slots.push(occupant);
            taken.slots.len() - 1
        };
        Place { places: Arc::clone(self), slot, _permit: permit }
    }

    /// Notes the task of the connection in a place, unless it has left already.
    pub(super) fn note(&self, slot: usize, activity: &Arc<Activity>, task: AbortHandle) {
        if let Some(occupant) = self.lock().slots[slot].as_mut().filter(|occupant| Arc::ptr_eq(&occupant.activity, activity)) {
            occupant.task = Some(task);
        }
    }

    /// Closes the longest idle of some connections; answers whether there was one.
    pub(super) fn make_room(&self) -> bool {
        let mut taken = self.lock();
        let (count, from) = (taken.slots.len(), taken.cursor);
        taken.cursor = (from + LOOKED_AT) % count.max(1);
        let looked_at = (from..from + LOOKED_AT.min(count)).map(|at| at % count);
        let idle = |slot: usize| {
            let occupant = taken.slots[slot].as_ref().filter(|occupant| occupant.task.is_some())?;
            occupant.activity.idle().filter(|idle| *idle >= IDLE_MIN)
        };
        let longest = looked_at.filter_map(|slot| Some((idle(slot)?, slot))).max();
        let leaving = longest.and_then(|(_, slot)| taken.slots[slot].as_mut()?.task.take());
        leaving.inspect(AbortHandle::abort).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn slot(&self) -> usize {
        self.slot
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.slots[self.slot] = None;
        taken.free.push(self.slot);
    }
}
