//! The wire: AWS JSON 1.0, the shapes and constraints of the requests, and one file per operation.
//!
//! What must stay true: nothing here knows a socket or the bytes of a key, and every sentence that AWS says is
//! written here and nowhere else.

pub mod constraint;
pub mod fault;
pub mod json;
pub mod ledger;
pub mod messages;
pub mod operation;
mod ops;
mod shapes;
pub mod target;
pub mod touch;

pub use fault::Fault;
pub use ledger::Ledger;
pub use operation::{Answer, BoxFuture, Class, Context, ErasedOperation, OperationInfo, Prepared, Service, Status};

/// Every operation that this server knows by name, sorted by service and name.
pub fn registry() -> &'static [&'static dyn ErasedOperation] {
    &ops::OPERATIONS
}
