//! Scan: a page of a whole table or index, or of one segment of it.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html>

use stator_engine::read::Target;
use stator_model::limits::SCAN_SEGMENTS_MAX;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::Reader;
use crate::messages::read;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::expressions::{Use, Wording, check_kinds, finish};
use crate::shapes::page::PageInput;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("Scan", Class::Read, |body| {
    let mut input = Scan::default();
    Reader::body(body, |reader, member| {
        match member {
            "Segment" => input.segment = Some(reader.integer("Integer")?),
            "TotalSegments" => input.total_segments = Some(reader.integer("Integer")?),
            other => input.page.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
})
.in_bulk();

#[derive(Debug, Default)]
struct Scan<'a> {
    segment: Option<i64>,
    total_segments: Option<i64>,
    page: PageInput<'a>,
}

impl Scan<'_> {
    fn check_segments(&self) -> Result<(), Fault> {
        match (self.segment, self.total_segments) {
            (Some(_), None) => Err(Fault::validation(read::TOTAL_SEGMENTS_MISSING)),
            (None, Some(_)) => Err(Fault::validation(read::SEGMENT_MISSING)),
            (Some(segment), Some(total)) if segment >= total => Err(Fault::validation(read::SEGMENT_TOO_LARGE)),
            _ => Ok(()),
        }
    }

    fn target(&self) -> Target {
        let number = |value: Option<i64>, default| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default);
        Target::Scan { segment: number(self.segment, 0), total: number(self.total_segments, 1) }
    }
}

impl Prepared for Scan<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.page.table.check_alone()?;
        let mut constraints = Constraints::new(Style::Current);
        self.page.constrain(&mut constraints, "ScanFilter");
        constraints.range("Segment", self.segment, 0, i64::from(SCAN_SEGMENTS_MAX) - 1);
        constraints.range("TotalSegments", self.total_segments, 1, i64::from(SCAN_SEGMENTS_MAX));
        constraints.finish()?;
        self.page.table.check()?;
        let ([attributes, filter, operator], texts) = self.page.kinds_given("ScanFilter");
        check_kinds(&[attributes, filter, operator], &texts)?;
        self.page.selection.substitutions.check_use(self.page.has_expression())?;
        self.check_segments()?;
        self.page.check_select(true)?;
        self.page.check_values()?;
        let mut binder = self.page.selection.substitutions.binder(Wording::Bare, Use::Compared)?;
        self.page.bind(&mut binder)?;
        finish(&binder, Wording::Bare)
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let table = self.page.table.table(context)?;
            let index = self.page.index(context, &table, true)?;
            let body = self.page.read_page(context, &table, index, self.target()).await?;
            Ok(Answer { body })
        })
    }
}
