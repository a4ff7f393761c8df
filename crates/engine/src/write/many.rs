//! Many intents that have nothing to do with each other, in one commit.
//!
//! A batch promises less than it does here: its members may take effect one by one. In one commit they share the latches'
//! turn, a place in the queue and one wake-up, which is most of what a write costs beside its bytes. What must stay true: a
//! member that is refused takes no other with it; what does not fit into one commit, or names an item twice, is written
//! one by one.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use stator_kv::{CommitError, Decision, Found, Key, Write};

use super::decide::{self, KeyError, WriteError};
use super::effects::merged;
use super::room::Room;
use super::{Intent, Verdict, Written};
use crate::Engine;
use crate::catalog::Table;
use crate::keyspace;

type TableIntent = (Arc<Table>, Intent);
type Outcome = Result<Written, WriteError>;

/// A member that could not be refused without looking at its item.
struct Member<'i> {
    /// Its place among the intents.
    at: usize,
    intent: &'i TableIntent,
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
    pub async fn write_many(&self, intents: &[TableIntent]) -> Vec<Outcome> {
        let (mut members, mut item_keys) = (Vec::with_capacity(intents.len()), Vec::with_capacity(intents.len()));
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(intents.len());
        for (at, intent) in intents.iter().enumerate() {
            match self.key_to_write(intent) {
                Ok(key) => {
                    members.push(Member { at, intent });
                    item_keys.push(key);
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Err(error))),
            }
        }
        let decided = if keyspace::has_twins(&item_keys) { None } else { self.write_together(&members, item_keys).await };
        let decided = match decided {
            Some(decided) => decided,
            None => join_all(members.iter().map(|member| self.write(&member.intent.0, &member.intent.1))).await,
        };
        for (member, outcome) in members.iter().zip(decided) {
            outcomes[member.at] = Some(outcome);
        }
        outcomes.into_iter().map(|outcome| outcome.expect("what was not refused was decided")).collect()
    }

    fn key_to_write(&self, (table, intent): &TableIntent) -> Result<Key, WriteError> {
        decide::check_intent(table, intent)?;
        let key = keyspace::item::key(table.id, &table.key, intent.action.key_source().map())
            .map_err(|fault| WriteError::Key(KeyError::Fault(fault)))?;
        if self.holds.is_held(&key) { Err(WriteError::Held) } else { Ok(key) }
    }

    /// All members in one commit; nothing if that would be too large.
    async fn write_together(&self, members: &[Member<'_>], item_keys: Vec<Key>) -> Option<Vec<Outcome>> {
        let rooms = members.iter().zip(&item_keys).map(|(member, key)| self.room(&member.intent.0, &member.intent.1, key));
        let rooms = match try_join_all(rooms).await {
            Ok(rooms) => rooms,
            Err(error) => return Some(members.iter().map(|_| Err(WriteError::Store(error.clone()))).collect()),
        };
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
    fn decide_many(&self, members: &[Member<'_>], rooms: &[Room], keys: &[Key], found: &[Option<Found>]) -> (Decided, Vec<Write>) {
        let snapshot = self.snapshot.load();
        let moment = decide::Moment { snapshot: &snapshot, now_ms: self.now_ms() };
        let exists = |key: &Key| keys.iter().position(|known| known == key).map(|at| found[at].is_some());
        let (mut outcomes, mut effects) = (Vec::with_capacity(members.len()), Vec::with_capacity(members.len()));
        let mut needed = Vec::new();
        for (((member, room), key), row) in members.iter().zip(rooms).zip(keys).zip(found) {
            let (table, intent) = member.intent;
            match decide::decide(moment, table.id, intent, key, row.as_ref(), &exists) {
                Ok((_, its_effects)) if !its_effects.fit(*room) => outcomes.push(Err(WriteError::CollectionTooLarge)),
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
