//! The processes that are measured: started, watched by the kernel's own numbers, and always ended.

pub(crate) mod scratch;
pub(crate) mod server;
pub(crate) mod usage;
