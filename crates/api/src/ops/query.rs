//! Query: a page of one partition of a table or index, in the order of its sort key.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html>

use std::borrow::Cow;

use stator_engine::read::Target;
use stator_expr::{ExpressionKind, KeyCondition};
use stator_model::key::KeySchema;

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::Reader;
use crate::messages::{expression, read};
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::expressions::{Use, Wording, check_kinds, finish};
use crate::shapes::legacy::{self, Entries};
use crate::shapes::page::PageInput;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("Query", Class::Read, |body| {
    let mut input = Query { forward: true, ..Query::default() };
    Reader::body(body, |reader, member| {
        match member {
            "KeyConditionExpression" => input.key_text = Some(reader.string()?),
            "KeyConditions" => input.key_conditions = Some(reader.map(legacy::Entry::read)?),
            "ScanIndexForward" => input.forward = reader.boolean()?,
            other => input.page.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct Query<'a> {
    key_text: Option<Cow<'a, str>>,
    key_conditions: Option<Entries>,
    filters_by_legacy: bool,
    forward: bool,
    key_condition: Option<KeyCondition>,
    page: PageInput<'a>,
}

impl Query<'_> {
    fn check_kinds(&self) -> Result<(), Fault> {
        let ([attributes, filter, operator], [projection, filter_text]) = self.page.kinds_given("QueryFilter");
        // KeyConditions may stand beside expressions other than its successor.
        let key_conditions = ("KeyConditions", self.key_conditions.is_some() && self.key_text.is_some());
        let key_text = ("KeyConditionExpression", self.key_text.is_some());
        check_kinds(&[attributes, filter, operator, key_conditions], &[projection, filter_text, key_text])
    }

    /// A filter may not look at the key that the query reads by.
    fn check_filter(&self, key: &KeySchema) -> Result<(), Fault> {
        let filtered = self.page.filter.iter().flat_map(stator_expr::Condition::attributes);
        match filtered.into_iter().find(|attribute| key.contains(attribute)) {
            Some(attribute) => Err(Fault::validation(expression::filter_on_key(self.filters_by_legacy, attribute))),
            None => Ok(()),
        }
    }

    fn target(&self, key: &KeySchema) -> Result<Target, Fault> {
        let condition = self.key_condition.as_ref().ok_or_else(read::no_key_condition)?;
        let plan = condition.plan(key).map_err(|error| Fault::validation(expression::render_key_condition(&error)))?;
        Ok(Target::Query { plan, forward: self.forward })
    }
}

impl Prepared for Query<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.page.table.check_alone()?;
        let mut constraints = Constraints::new(Style::Current);
        self.page.constrain(&mut constraints, "QueryFilter");
        legacy::constrain(&mut constraints, "KeyConditions", self.key_conditions.as_ref(), true);
        constraints.finish()?;
        self.page.table.check()?;
        self.check_kinds()?;
        self.page.selection.substitutions.check_use(self.page.has_expression() || self.key_text.is_some())?;
        self.page.check_select(false)?;
        legacy::check_values(self.key_conditions.as_ref())?;
        self.page.check_values()?;
        self.filters_by_legacy = self.page.has_legacy_filter();
        let mut binder = self.page.selection.substitutions.binder(Wording::Bare, Use::Compared)?;
        self.page.bind(&mut binder)?;
        if let Some(text) = &self.key_text {
            let condition = stator_expr::key_condition(text, &mut binder);
            self.key_condition = Some(condition.map_err(|error| Wording::Bare.expression(&error, ExpressionKind::KeyCondition))?);
        }
        if let Some(entries) = self.key_conditions.take() {
            let condition = stator_expr::legacy::key_conditions(legacy::comparisons(entries));
            self.key_condition = Some(condition.map_err(|error| Fault::validation(expression::render_legacy(&error)))?);
        }
        finish(&binder, Wording::Bare)?;
        if self.key_condition.is_none() { Err(read::no_key_condition()) } else { Ok(()) }
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let table = self.page.table.table(context)?;
            let index = self.page.index(context, &table, false)?;
            let key = index.map_or(&table.key, |index| &index.key);
            let target = self.target(key)?;
            self.check_filter(key)?;
            let body = self.page.read_page(context, &table, index, target).await?;
            Ok(Answer { body })
        })
    }
}
