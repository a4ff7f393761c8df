//! DescribeLimits: the quotas on provisioned capacity.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeLimits.html>

use stator_model::limits::{ACCOUNT_UNITS_MAX, TABLE_UNITS_MAX};

use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("DescribeLimits", Class::Control, |body| {
    Reader::body(body, |_, _| Ok(()))?;
    Ok(Box::new(DescribeLimits))
});

struct DescribeLimits;

impl Prepared for DescribeLimits {
    fn validate(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn perform<'s>(self: Box<Self>, _context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        let body = Writer::answer(|writer| {
            writer.name("AccountMaxReadCapacityUnits").integer(ACCOUNT_UNITS_MAX);
            writer.name("AccountMaxWriteCapacityUnits").integer(ACCOUNT_UNITS_MAX);
            writer.name("TableMaxReadCapacityUnits").integer(TABLE_UNITS_MAX);
            writer.name("TableMaxWriteCapacityUnits").integer(TABLE_UNITS_MAX);
        });
        Box::pin(async { Ok(Answer { body }) })
    }
}
