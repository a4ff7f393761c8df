//! The contract of [`crate::store`] as tests that every backend has to pass, one named function per promise.
//!
//! A backend's test binary opens a new store for each of [`PROMISES`] and hands it over; [`FAULTS`] wrap it themselves in
//! [`crate::wrap::Faulty`]. What must stay true: nothing here knows a backend, what differs between backends is asked of
//! their [`crate::Caps`], and a promise fails by panicking with what it saw.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a promise that is broken panics")]
#![allow(clippy::disallowed_methods, reason = "promises about concurrent callers need threads")]

mod add;
mod append;
mod commit;
mod delete_range;
mod faults;
mod identity;
mod limits;
mod mutate;
mod read;
mod scan;
mod snapshot;
mod splits;
mod subject;

use std::sync::Arc;

pub use futures_executor::block_on;
pub use subject::Subject;

use crate::store::Store;

/// One promise of the contract.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// Group and name.
    pub name: &'static str,
    keep: fn(&Subject),
}

impl Promise {
    /// Tests it on a store that is new and empty.
    ///
    /// # Panics
    /// The store breaks the promise.
    pub fn keep(&self, store: Arc<dyn Store>) {
        (self.keep)(&Subject::new(store));
    }
}

macro_rules! promises {
    ($($group:ident: $($name:ident)*;)*) => {
        &[$($(Promise { name: concat!(stringify!($group), "::", stringify!($name)), keep: $group::$name }),*),*]
    };
}

/// What holds for every store.
pub const PROMISES: &[Promise] = promises! {
    commit:
        takes_effect_whole
        is_refused_whole
        needs_every_check
        refuses_a_row_that_came_back
        checks_absence
        carries_the_row_that_was_found
        gives_versions_in_commit_order
        cannot_be_skewed
        may_check_what_it_does_not_write;
    identity:
        one_name_takes_effect_once
        one_name_takes_effect_once_under_contention
        resolving_tells_what_became_of_a_commit
        a_commit_that_is_given_up_is_whole;
    mutate:
        decides_on_the_rows_as_they_are
        writes_nothing_when_it_aborts
        loses_no_update
        loses_no_blind_write_beside_decisions
        moves_between_many_rows_without_waiting_forever
        remembers_the_last_decision_only
        survives_a_decision_that_panics
        takes_a_key_twice
        writes_rows_that_were_not_read
        and_commits_exclude_each_other;
    read:
        answers_in_the_order_of_the_keys
        sees_what_was_acknowledged
        never_goes_back
        keeps_spaces_apart;
    snapshot:
        one_read_is_one_moment
        one_read_of_many_parts_is_one_moment
        one_scan_is_one_moment;
    scan:
        meets_rows_in_order_within_any_bounds
        stays_within_its_part
        stops_when_told
        goes_on_behind_any_row
        meets_nothing_between_inverted_bounds;
    splits:
        cut_a_space_into_runs;
    delete_range:
        removes_what_lies_in_it_and_nothing_else
        comes_after_what_was_acknowledged
        of_nothing_does_nothing
        forgets_sums;
    add:
        folds_into_numbers
        commutes
        belongs_to_its_commit
        begins_anew_after_a_deletion
        begins_anew_after_a_deletion_in_the_same_moment
        is_no_reason_for_a_conflict;
    append:
        places_rows_by_their_commit
        shows_readers_every_row_in_commit_order
        belongs_to_its_commit;
    limits:
        everybody_takes_the_least
        what_fits_exactly_is_taken
        too_large_is_refused_before_anything_is_written;
};

/// What holds for every store when it fails, too: the store is wrapped, and made to fail.
pub const FAULTS: &[Promise] = promises! {
    faults:
        refused_writes_leave_nothing
        lost_replies_are_unknown_and_whole
        lost_replies_can_be_resolved
        a_failed_sync_stops_writing_for_good
        acknowledged_writes_are_there_wherever_it_stops
        failed_reads_are_errors
        failures_come_where_they_were_ordered;
};
