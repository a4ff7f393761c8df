//! Background work: what is owed is a row, so that a restart goes on where it stopped.
//!
//! | job | owed since | a tick does | done when |
//! |---|---|---|---|
//! | drop table | the table left the catalog | removes all its rows | they are gone |
//! | drop index | UpdateTable deleted it | removes all its entries | they are gone and the definition forgets it |
//! | backfill | UpdateTable made an index | enters some hundred items | every item has been met |
//! | deadlines | UpdateTimeToLive turned TTL on | enters those of some hundred items | every item has been met |
//!
//! What must stay true: every tick may be repeated, and may be the last before a crash. No tick holds a table: writers only
//! ever wait for the latch of a single item. A job that fails or panics is tried again, later each time, and holds up no other.

mod backfill;
mod backoff;
mod drop;
mod upkeep;

use std::sync::atomic::Ordering;

use bytes::Bytes;
use stator_kv::{StoreError, Visit, Write};
use stator_model::table::{IndexId, TableId};
use stator_model::{Item, Value, ValueRef};
pub(crate) use upkeep::Upkeep;

use crate::Engine;
use crate::encoding::stored;
use crate::keyspace::job::{self, JobKind};

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The last joined key that is done with; empty at the start.
    pub after: Vec<u8>,
    /// Items left out.
    pub skipped_items: u64,
}

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobsState {
    /// Nothing.
    Idle,
    /// More, at once.
    Pending,
    /// Nothing before a moment, in ms since the epoch.
    DueAt(u64),
}

/// Jobs that are owed once more when this is dropped.
struct StillOwed<'e>(&'e Engine);

impl Drop for StillOwed<'_> {
    fn drop(&mut self) {
        self.0.wake_jobs();
    }
}

/// What a job is about.
type JobKey = (TableId, JobKind, Option<IndexId>);

struct Job {
    table: TableId,
    kind: JobKind,
    index: Option<IndexId>,
    progress: Progress,
}

impl Progress {
    /// The stored form.
    pub fn encode(&self) -> Bytes {
        let skipped = stator_model::Number::from(i64::try_from(self.skipped_items).unwrap_or(i64::MAX));
        let item: Item = [("after", Value::B(self.after.clone())), ("skipped_items", Value::N(skipped))].into_iter().collect();
        stored::wrap(item.as_bytes())
    }

    /// The progress of a stored form.
    pub fn decode(row: &[u8]) -> Option<Progress> {
        let members = stored::validate(row).ok()?;
        let ValueRef::B(after) = members.get("after")?.view() else { return None };
        let ValueRef::N(skipped) = members.get("skipped_items")?.view() else { return None };
        Some(Progress { after: after.to_vec(), skipped_items: skipped.number().to_i64()?.unsigned_abs() })
    }
}

impl Engine {
    /// Does a bounded piece of the work that is owed.
    pub async fn run_jobs(&self) -> Result<JobsState, StoreError> {
        let _turn = self.jobs_turn.lock().await;
        self.run_upkeep().await?;
        if !self.jobs_owed.swap(false, Ordering::AcqRel) {
            return Ok(JobsState::Idle);
        }
        // However it ends, by a panic too, what is left is owed.
        let owed = StillOwed(self);
        let outcome = self.run_owed().await;
        if matches!(outcome, Ok(JobsState::Idle)) {
            std::mem::forget(owed);
        }
        outcome
    }

    /// Works until nothing is owed. For tests and for tools.
    pub async fn settled(&self) -> Result<(), StoreError> {
        self.upkeep.forgive();
        while self.run_jobs().await? == JobsState::Pending {}
        Ok(())
    }

    pub(crate) fn wake_jobs(&self) {
        self.jobs_owed.store(true, Ordering::Release);
    }

    async fn run_owed(&self) -> Result<JobsState, StoreError> {
        let next_due_ms = self.drop_due_tables().await?;
        let owed = self.owed_jobs().await?;
        if !owed.is_empty() {
            // A job's row shows with its commit, and the catalog a moment later: worked on in between, an index would be filled
            // that nobody knows, and nothing be entered. Who changes the catalog holds the turn until it shows.
            drop(self.catalog_turn.lock().await);
        }
        let (waiting, jobs): (Vec<Job>, Vec<Job>) = owed.into_iter().partition(|job| self.waits_until(job).is_some());
        let next_due_ms = waiting.iter().filter_map(|job| self.waits_until(job)).chain(next_due_ms).min();
        for job in &jobs {
            let key = (job.table, job.kind, job.index);
            self.upkeep.broken_jobs.begins(&key, self.now_ms());
            match job.kind {
                JobKind::DropTable => self.drop_table_rows(job.table).await?,
                JobKind::DropIndex => self.drop_index_rows(job.table, job.index).await?,
                JobKind::Deadlines => self.enter_deadlines(job.table, &job.progress).await?,
                JobKind::Backfill => self.backfill_some(job.table, job.index, &job.progress).await?,
            }
            self.upkeep.broken_jobs.ends_well(&key);
        }
        Ok(match next_due_ms {
            _ if !jobs.is_empty() => JobsState::Pending,
            Some(due_ms) => JobsState::DueAt(due_ms),
            None => JobsState::Idle,
        })
    }

    /// Indexes change as long as their table shows that it is being changed; what has failed is not tried again at once.
    fn waits_until(&self, job: &Job) -> Option<u64> {
        let now_ms = self.now_ms();
        let is_of_index = matches!(job.kind, JobKind::Backfill | JobKind::DropIndex);
        let changing_until_ms = self.snapshot.load().table_by_id(job.table).map(|table| table.updating_until_ms);
        let changes_until_ms = changing_until_ms.filter(|until_ms| is_of_index && now_ms < *until_ms);
        changes_until_ms.or_else(|| self.upkeep.broken_jobs.waits_until(&(job.table, job.kind, job.index), now_ms))
    }

    /// Waits until all that was decided before the catalog showed what this job is for, and knew nothing of it, can be read. What
    /// a client has not waited for is in the queue; commits are in one order, so it is done when the job's row is committed again.
    pub(crate) async fn follow_all_before(&self, table: TableId, kind: JobKind, index: Option<IndexId>) -> Result<(), StoreError> {
        self.writers.pass().await;
        let job_key = job::key(table, kind, index);
        let again = |found: &[Option<stator_kv::Found>]| match &found[0] {
            Some(row) => stator_kv::Decision::Commit(vec![Write::Put(job_key.clone(), row.value.clone())]),
            None => stator_kv::Decision::Abort,
        };
        self.store.mutate(std::slice::from_ref(&job_key), &mut { again }).await.map(|_| ()).map_err(crate::catalog::store_error)
    }

    async fn owed_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        let mut damaged = None;
        self.store
            .scan(&job::all(), &mut |row| {
                match job::parse(row.key).zip(Progress::decode(row.value)) {
                    Some(((table, kind, index), progress)) => jobs.push(Job { table, kind, index, progress }),
                    None => damaged = Some(row.key.to_vec()),
                }
                Visit::Next
            })
            .await?;
        match damaged {
            Some(key) => Err(StoreError::Corrupt(format!("the job row {key:02x?} cannot be read"))),
            None => Ok(jobs),
        }
    }

    /// Commits a job's last writes: none of them depends on what was read.
    pub(crate) async fn finish_job(
        &self,
        table: TableId,
        kind: JobKind,
        index: Option<IndexId>,
        mut writes: Vec<Write>,
    ) -> Result<(), StoreError> {
        writes.push(Write::Delete(job::key(table, kind, index)));
        self.store.mutate(&[], &mut |_| stator_kv::Decision::Commit(writes.clone())).await.map(|_| ()).map_err(crate::catalog::store_error)
    }
}
