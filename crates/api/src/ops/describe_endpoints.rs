//! DescribeEndpoints: where requests go, which is where this one went.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeEndpoints.html>

use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};

/// How long a client may keep the answer; the service says the same.
const CACHE_PERIOD_MINUTES: u32 = 1440;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("DescribeEndpoints", Class::Control, |body| {
    Reader::body(body, |_, _| Ok(()))?;
    Ok(Box::new(DescribeEndpoints))
});

struct DescribeEndpoints;

impl Prepared for DescribeEndpoints {
    fn validate(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        let body = Writer::answer(|writer| {
            writer.name("Endpoints").array([&context.host], |writer, host| {
                writer.object(|writer| {
                    writer.name("Address").string(host);
                    writer.name("CachePeriodInMinutes").integer(CACHE_PERIOD_MINUTES);
                });
            });
        });
        Box::pin(async { Ok(Answer { body }) })
    }
}
