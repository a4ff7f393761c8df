//! Many intents that have nothing to do with each other, in one commit.
//!
//! A batch promises less than it does here: its members may take effect one by one. In one commit they share the latches'
//! turn, a place in the queue and one wake-up, which is most of what a write costs beside its bytes. What must stay true: a
//! member that is refused takes no other with it; what does not fit into one commit, or names an item twice, is written
//! one by one.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use stator_kv::{CommitError, Decision, Found, Key, Write};

use super::decide::{self, WriteError};
use super::effects::merged;
use super::room::Room;
use super::{Intent, Verdict, Written};
use crate::Engine;
use crate::catalog::Table;
use crate::keyspace;

type Outcome = Result<Written, WriteError>;

/// An intent that could not be refused without looking at its item.
#[derive(Debug)]
pub struct Checked {
    table: Arc<Table>,
    intent: Intent,
    key: Key,
}

impl Checked {
    /// An intent, unless it is refused for what it says.
    pub fn new(table: &Arc<Table>, intent: Intent) -> Result<Checked, WriteError> {
        let key = decide::check_intent(table, &intent)?;
        Ok(Checked { table: Arc::clone(table), intent, key })
    }

    /// The table that is written to.
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// What is asked.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// The row of the item: the same for intents that name the same item.
    pub fn key(&self) -> &Key {
        &self.key
    }
}

/// What one run of the decisions came to.
enum Decided {
    /// One outcome for each member.
    All(Vec<Outcome>),
    /// Rows of indexes that are being backfilled have to be read too.
    NeedsRows(Vec<Key>),
}

impl Engine {
    /// Carries out intents that have nothing to do with each other, in their order; each may fail on its own.
    pub async fn write_many(&self, intents: &[Checked]) -> Vec<Outcome> {
        let is_held: Vec<bool> = intents.iter().map(|checked| self.holds.is_held(&checked.key)).collect();
        let members: Vec<&Checked> = intents.iter().zip(&is_held).filter(|(_, is_held)| !**is_held).map(|(checked, _)| checked).collect();
        let keys: Vec<Key> = members.iter().map(|member| member.key.clone()).collect();
        let decided = if keyspace::has_twins(&keys) { None } else { self.write_together(&members, keys).await };
        let mut decided = match decided {
            Some(decided) => decided,
            None => join_all(members.iter().map(|member| self.write(&member.table, &member.intent))).await,
        }
        .into_iter();
        let outcome = |is_held| if is_held { Err(WriteError::Held) } else { decided.next().expect("what is not held was decided") };
        is_held.into_iter().map(outcome).collect()
    }

    /// All members in one commit; nothing if that would be too large.
    async fn write_together(&self, members: &[&Checked], item_keys: Vec<Key>) -> Option<Vec<Outcome>> {
        let rooms = members.iter().map(|member| self.room(&member.table, &member.intent, &member.key));
        let rooms = match try_join_all(rooms).await {
            Ok(rooms) => rooms,
            Err(error) => return Some(members.iter().map(|_| Err(WriteError::Store(error.clone()))).collect()),
        };
        let _writer = self.writers.enter();
        let mut keys = item_keys;
        loop {
            let mut last = None;
            let committed = self
                .store
                .mutate(&keys, &mut |found| {
                    let (decided, writes) = self.decide_many(members, &rooms, &keys, found);
                    last = Some(decided);
                    if writes.is_empty() { Decision::Abort } else { Decision::Commit(writes) }
                })
                .await;
            match (committed, last) {
                (Err(CommitError::TooLarge(_)), _) => return None,
                // Those that were refused do not learn it either: what refused them may not be there after a restart.
                (Err(error), _) => {
                    let error = WriteError::from(error);
                    return Some(members.iter().map(|_| Err(error.clone())).collect());
                }
                (Ok(_), Some(Decided::All(outcomes))) => return Some(outcomes),
                (Ok(_), Some(Decided::NeedsRows(rows))) => {
                    keys.truncate(members.len());
                    keys.extend(rows);
                }
                (Ok(_), None) => unreachable!("a store that answers has asked for a decision"),
            }
        }
    }

    /// Decides on all members; the writes are those of the ones that are not refused, and none if rows are missing.
    fn decide_many(&self, members: &[&Checked], rooms: &[Room], keys: &[Key], found: &[Option<Found>]) -> (Decided, Vec<Write>) {
        let snapshot = self.snapshot.load();
        let moment = decide::Moment { snapshot: &snapshot, now_ms: self.now_ms() };
        let exists = |key: &Key| keys.iter().position(|known| known == key).map(|at| found[at].is_some());
        let (mut outcomes, mut effects) = (Vec::with_capacity(members.len()), Vec::with_capacity(members.len()));
        let mut needed = Vec::new();
        for (((member, room), key), row) in members.iter().zip(rooms).zip(keys).zip(found) {
            match decide::decide(moment, member.table.id, &member.intent, key, row.as_ref(), &exists) {
                Ok((_, its_effects)) if !its_effects.fit(room) => outcomes.push(Err(WriteError::CollectionTooLarge)),
                Ok((written, its_effects)) => {
                    outcomes.push(Ok(written));
                    effects.push(its_effects.writes);
                }
                Err(Verdict::Refuse(error)) => outcomes.push(Err(error)),
                Err(Verdict::NeedsRows(rows)) => needed.extend(rows),
                Err(Verdict::Write(_)) => unreachable!("a decision to write is no error"),
            }
        }
        if needed.is_empty() { (Decided::All(outcomes), merged(effects)) } else { (Decided::NeedsRows(needed), Vec::new()) }
    }
}
