//! What reads have in common: which attributes are answered, and for Query and Scan the page.
//!
//! What must stay true: Query and Scan differ in which rows they cover, and in nothing else.

use std::borrow::Cow;

use stator_engine::capacity::Consistency;
use stator_engine::catalog::{Index, Table};
use stator_engine::read::{Page, PageRequest, Select, Target};
use stator_expr::{Binder, Condition, ExpressionKind, Projection};
use stator_model::Item;
use stator_model::table::IndexKind;

use super::capacity::{self, Wanted};
use super::expressions::{Substitutions, Use, Wording, check_kinds, finish};
use super::legacy::{self, Entries, Entry};
use super::table_name::TableName;
use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::{Attributes, JsonFault, Reader, Writer};
use crate::messages::{expression, read, value};
use crate::operation::Context;

/// A parameter and whether it is given.
type Given = (&'static str, bool);

/// The words of Select, as the service lists them.
const SELECT_WORDS: [&str; 4] = ["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"];

/// The consistency that ConsistentRead asks for.
pub(crate) fn consistency(is_consistent: bool) -> Consistency {
    if is_consistent { Consistency::Strong } else { Consistency::Eventual }
}

/// Which attributes are answered: ProjectionExpression or AttributesToGet.
#[derive(Debug, Default)]
pub(crate) struct Selection<'a> {
    /// ExpressionAttributeNames, and where they may be, ExpressionAttributeValues.
    pub substitutions: Substitutions<'a>,
    projection_text: Option<Cow<'a, str>>,
    attributes_to_get: Option<Vec<String>>,
    /// What they come to; set by validation.
    pub projection: Option<Projection>,
}

impl<'a> Selection<'a> {
    /// Reads a member, if it is one of these.
    pub(crate) fn read(&mut self, reader: &mut Reader<'a>, member: &str) -> Result<(), JsonFault> {
        match member {
            "ProjectionExpression" => self.projection_text = Some(reader.string()?),
            "AttributesToGet" => self.attributes_to_get = Some(reader.list(|reader| reader.string().map(Cow::into_owned))?),
            other => self.substitutions.read(reader, other)?,
        }
        Ok(())
    }

    /// The constraints; `path` is where the members stand, with its point.
    pub(crate) fn constrain(&self, constraints: &mut Constraints, path: &str) {
        if let Some(names) = &self.attributes_to_get {
            constraints.count(&format!("{path}AttributesToGet"), &format!("[{}]", names.join(", ")), names.len(), 1, usize::MAX);
        }
    }

    /// For reads whose only expression is the projection: kinds and use of substitutions.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        check_kinds(&[self.legacy_given()], &[self.expression_given()])?;
        self.check_use()
    }

    /// The second half of that.
    pub(crate) fn check_use(&self) -> Result<(), Fault> {
        self.substitutions.check_use(self.projection_text.is_some())
    }

    /// Whether AttributesToGet is given.
    pub(crate) fn legacy_given(&self) -> Given {
        ("AttributesToGet", self.attributes_to_get.is_some())
    }

    /// Whether ProjectionExpression is given.
    pub(crate) fn expression_given(&self) -> Given {
        ("ProjectionExpression", self.projection_text.is_some())
    }

    /// The parameter that lists attributes, if one is given.
    pub(crate) fn list_given(&self) -> Option<&'static str> {
        [self.expression_given(), self.legacy_given()].into_iter().find(|(_, is_given)| *is_given).map(|(name, _)| name)
    }

    /// Works the projection out with a binder of its own. Whether there may be substitutions without one is for the operation to say.
    pub(crate) fn bind_alone(&mut self) -> Result<(), Fault> {
        let mut binder = self.substitutions.binder(Wording::Bare, Use::Compared)?;
        self.bind(&mut binder)?;
        match self.projection_text {
            Some(_) => finish(&binder, Wording::Bare),
            None => Ok(()),
        }
    }

    /// Works the projection out.
    pub(crate) fn bind(&mut self, binder: &mut Binder<'_>) -> Result<(), Fault> {
        if let Some(text) = &self.projection_text {
            let projection = stator_expr::projection(text, binder);
            self.projection = Some(projection.map_err(|error| Wording::Bare.expression(&error, ExpressionKind::Projection))?);
        }
        if let Some(names) = &self.attributes_to_get {
            let projection = stator_expr::legacy::attributes_to_get(names);
            self.projection = Some(projection.map_err(|error| Fault::validation(expression::render_legacy(&error)))?);
        }
        Ok(())
    }

    /// Writes an item, projected.
    pub(crate) fn write(&self, writer: &mut Writer, item: &Item) {
        match &self.projection {
            Some(projection) => writer.attributes(projection.project_item(item.map()).map()),
            None => writer.attributes(item.map()),
        }
    }

    /// Writes the members again, for UnprocessedKeys.
    pub(crate) fn write_members(&self, writer: &mut Writer) {
        if let Some(names) = &self.attributes_to_get {
            writer.name("AttributesToGet").array(names, |writer, name| writer.string(name));
        }
        if let Some(text) = &self.projection_text {
            writer.name("ProjectionExpression").string(text);
        }
        if let Some(names) = self.substitutions.names() {
            writer.name("ExpressionAttributeNames").object(|writer| {
                for (placeholder, name) in names {
                    writer.name(placeholder).string(name);
                }
            });
        }
    }
}

/// The members that Query and Scan share, as read.
#[derive(Debug, Default)]
pub(crate) struct PageInput<'a> {
    /// TableName
    pub table: TableName<'a>,
    /// The attributes answered.
    pub selection: Selection<'a>,
    index: Option<Cow<'a, str>>,
    select: Option<Cow<'a, str>>,
    limit: Option<i64>,
    consistent: bool,
    start: Option<Attributes>,
    return_capacity: Option<Cow<'a, str>>,
    conditional_operator: Option<Cow<'a, str>>,
    filter_text: Option<Cow<'a, str>>,
    legacy_filter: Option<Entries>,
    /// What FilterExpression or its forerunner comes to; set by validation.
    pub filter: Option<Condition>,
}

impl<'a> PageInput<'a> {
    /// Reads a member, if it is one of these.
    pub(crate) fn read(&mut self, reader: &mut Reader<'a>, member: &str) -> Result<(), JsonFault> {
        match member {
            "TableName" => self.table.0 = Some(reader.string()?),
            "IndexName" => self.index = Some(reader.string()?),
            "Select" => self.select = Some(reader.string()?),
            "Limit" => self.limit = Some(reader.integer("Integer")?),
            "ConsistentRead" => self.consistent = reader.boolean()?,
            "ExclusiveStartKey" => self.start = Some(Attributes::read(reader)?),
            "ReturnConsumedCapacity" => self.return_capacity = Some(reader.string()?),
            "ConditionalOperator" => self.conditional_operator = Some(reader.string()?),
            "FilterExpression" => self.filter_text = Some(reader.string()?),
            "QueryFilter" | "ScanFilter" => self.legacy_filter = Some(reader.map(Entry::read)?),
            other => self.selection.read(reader, other)?,
        }
        Ok(())
    }

    /// The constraints.
    pub(crate) fn constrain(&self, constraints: &mut Constraints, filter_parameter: &str) {
        self.table.constrain(constraints);
        constraints.name_pattern("IndexName", self.index.as_deref());
        constraints.length("IndexName", self.index.as_deref(), 3, 255);
        self.selection.constrain(constraints, "");
        constraints.one_of("Select", self.select.as_deref(), &SELECT_WORDS);
        constraints.range("Limit", self.limit, 1, i64::from(i32::MAX));
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        legacy::constrain(constraints, filter_parameter, self.legacy_filter.as_ref(), true);
        legacy::constrain_conditional(constraints, self.conditional_operator.as_deref());
    }

    /// Legacy parameters and expressions of the page, for the check against each other.
    pub(crate) fn kinds_given(&self, filter_parameter: &'static str) -> ([Given; 3], [Given; 2]) {
        let filter = (filter_parameter, self.legacy_filter.is_some());
        let operator = ("ConditionalOperator", self.conditional_operator.is_some());
        (
            [self.selection.legacy_given(), filter, operator],
            [self.selection.expression_given(), ("FilterExpression", self.filter_text.is_some())],
        )
    }

    /// Whether there is a FilterExpression or ProjectionExpression.
    pub(crate) fn has_expression(&self) -> bool {
        self.filter_text.is_some() || self.selection.expression_given().1
    }

    /// Whether QueryFilter or ScanFilter is given.
    pub(crate) fn has_legacy_filter(&self) -> bool {
        self.legacy_filter.is_some()
    }

    /// What Select admits beside the other members. The newer validation words it for Query, not for Scan (documented by
    /// captures of both).
    pub(crate) fn check_select(&self, is_scan: bool) -> Result<(), Fault> {
        let sentence = match (self.select.as_deref(), self.selection.list_given()) {
            (Some("ALL_PROJECTED_ATTRIBUTES"), _) if self.index.is_none() => read::projected_without_index(is_scan),
            (Some("SPECIFIC_ATTRIBUTES"), None) => read::specific_without_list(),
            (Some(select), Some(parameter)) if select != "SPECIFIC_ATTRIBUTES" => read::list_with_select(parameter, select),
            _ => return Ok(()),
        };
        let wording = if is_scan { Wording::Bare } else { Wording::Detected };
        Err(wording.fault(&sentence))
    }

    /// Refuses faulty values.
    pub(crate) fn check_values(&self) -> Result<(), Fault> {
        legacy::check_values(self.legacy_filter.as_ref())?;
        match self.start.as_ref().and_then(|start| start.fault.as_ref()) {
            Some((_, fault)) => Err(value::of_start_key(fault)),
            None => Ok(()),
        }
    }

    /// Works filter and projection out.
    pub(crate) fn bind(&mut self, binder: &mut Binder<'_>) -> Result<(), Fault> {
        if let Some(text) = &self.filter_text {
            let filter = stator_expr::condition(text, binder);
            self.filter = Some(filter.map_err(|error| Wording::Bare.expression(&error, ExpressionKind::Filter))?);
        }
        let entries = self.legacy_filter.take().unwrap_or_default();
        if !entries.is_empty() || self.conditional_operator.is_some() {
            let joined_by = legacy::conditional(self.conditional_operator.as_deref());
            let filter = stator_expr::legacy::filter(legacy::comparisons(entries), joined_by);
            self.filter = Some(filter.map_err(|error| Fault::validation(expression::render_legacy(&error)))?);
        }
        self.selection.bind(binder)
    }

    /// The index named, if it can be read as asked for.
    pub(crate) fn index<'t>(&self, context: &Context, table: &'t Table, is_scan: bool) -> Result<Option<&'t Index>, Fault> {
        let Some(name) = self.index.as_deref() else { return Ok(None) };
        let index = table.index(name).filter(|index| index.is_maintained()).ok_or_else(|| read::no_index(name))?;
        let is_too_consistent = self.consistent && !context.engine.options().consistent_global_reads;
        if index.kind == IndexKind::Vector {
            return Err(if is_too_consistent && !is_scan { read::consistent_global() } else { read::not_on_vectors(is_scan) });
        }
        if !index.is_readable() {
            return Err(read::backfilling(name));
        }
        if index.kind == IndexKind::Local {
            return Ok(Some(index));
        }
        if is_too_consistent {
            return Err(read::consistent_global());
        }
        if self.select.as_deref() == Some("ALL_ATTRIBUTES") && index.projected.is_some() {
            return Err(read::all_attributes(name));
        }
        let asked = self.selection.projection.iter().flat_map(Projection::top_level_names);
        let lacking: Vec<&str> = asked.filter(|attribute| !index.projects(attribute)).collect();
        if lacking.is_empty() { Ok(Some(index)) } else { Err(read::not_projected(name, &lacking)) }
    }

    /// Reads the page.
    pub(crate) async fn read_page(
        &self,
        context: &Context,
        table: &std::sync::Arc<Table>,
        index: Option<&Index>,
        target: Target,
    ) -> Result<Vec<u8>, Fault> {
        let is_scan = matches!(target, Target::Scan { .. });
        let request = PageRequest {
            index,
            target,
            limit: self.limit.and_then(|limit| usize::try_from(limit).ok()),
            start: self.start.as_ref().map(|start| &start.item),
            filter: self.filter.as_ref(),
            select: self.select(index),
            consistency: consistency(self.consistent),
        };
        let mut writer = Writer::new();
        writer.begin_object();
        let has_items = self.select.as_deref() != Some("COUNT");
        if has_items {
            writer.name("Items").begin_array();
        }
        let page = context.engine.page(table, &request, &mut |item| writer.element().attributes(item)).await;
        let page = page.map_err(|error| read::refuse(error, is_scan))?;
        if has_items {
            writer.end_array();
        }
        context.consumed(self.table.given(), &page.receipt);
        self.write_counts(&mut writer, &page);
        writer.end_object();
        Ok(writer.finish())
    }

    fn select(&self, index: Option<&Index>) -> Select<'_> {
        match (self.select.as_deref(), &self.selection.projection) {
            (Some("COUNT"), _) => Select::Count,
            (_, Some(projection)) => Select::Paths(projection),
            (Some("ALL_ATTRIBUTES"), None) if index.is_some() => Select::AllAttributes,
            _ => Select::Projected,
        }
    }

    fn write_counts(&self, writer: &mut Writer, page: &Page) {
        writer.name("Count").integer(page.count);
        writer.name("ScannedCount").integer(page.scanned_count);
        if let Some(key) = &page.last_evaluated_key {
            writer.name("LastEvaluatedKey").attributes(key.map());
        }
        Wanted::of(self.return_capacity.as_deref()).write_member(writer, self.table.given(), &page.receipt);
    }
}
