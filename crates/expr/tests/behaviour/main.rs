//! What expressions mean, through the public face of the crate alone.

mod conditions;
mod key_conditions;
mod legacy_conditions;
mod notation;
mod projections;
mod search_conditions;
mod updates;
