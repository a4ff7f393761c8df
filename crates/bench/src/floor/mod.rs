//! Floors: the least that any honest server has to do for the same bytes, measured in the same run.

mod echo;
pub(crate) mod fsync;
mod http;
mod put;
pub(crate) mod scan;

pub(crate) use echo::echo;
pub(crate) use put::put;
