//! What PutItem, UpdateItem and DeleteItem have in common beside the change itself.
//!
//! What must stay true: the three read, check and answer these members in one way.

use std::borrow::Cow;

use stator_engine::catalog::Table;
use stator_engine::write::{WriteError, Written};
use stator_expr::{Binder, Condition, ExpressionKind};
use stator_model::{Item, MapRef};

use super::capacity::{self, Wanted};
use super::expressions::{Substitutions, Wording};
use super::legacy::{self, Entries, Entry};
use super::table_name::TableName;
use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{JsonFault, Reader, Writer};
use crate::messages::{expression, item};
use crate::operation::Context;

/// The common members, as read.
#[derive(Debug, Default)]
pub(crate) struct WriteInput<'a> {
    /// TableName
    pub table: TableName<'a>,
    /// ExpressionAttributeNames, ExpressionAttributeValues
    pub substitutions: Substitutions<'a>,
    condition_text: Option<Cow<'a, str>>,
    expected: Option<Entries>,
    conditional_operator: Option<Cow<'a, str>>,
    return_values: Option<Cow<'a, str>>,
    return_on_failure: Option<Cow<'a, str>>,
    return_capacity: Option<Cow<'a, str>>,
    return_metrics: Option<Cow<'a, str>>,
    /// What Expected or ConditionExpression come to; set by validation.
    pub condition: Option<Condition>,
}

impl<'a> WriteInput<'a> {
    /// Reads a member, if it is one of these.
    pub(crate) fn read(&mut self, reader: &mut Reader<'a>, member: &str) -> Result<(), JsonFault> {
        match member {
            "TableName" => self.table.0 = Some(reader.string()?),
            "ConditionExpression" => self.condition_text = Some(reader.string()?),
            "Expected" => self.expected = Some(reader.map(Entry::read)?),
            "ConditionalOperator" => self.conditional_operator = Some(reader.string()?),
            "ReturnValues" => self.return_values = Some(reader.string()?),
            "ReturnValuesOnConditionCheckFailure" => self.return_on_failure = Some(reader.string()?),
            "ReturnConsumedCapacity" => self.return_capacity = Some(reader.string()?),
            "ReturnItemCollectionMetrics" => self.return_metrics = Some(reader.string()?),
            other => self.substitutions.read(reader, other)?,
        }
        Ok(())
    }

    /// The constraints of the common members; the caller has stated its own.
    pub(crate) fn constrain(&self, constraints: &mut Constraints) {
        constraints.one_of("ReturnConsumedCapacity", self.return_capacity.as_deref(), &capacity::WORDS);
        constraints.one_of("ReturnItemCollectionMetrics", self.return_metrics.as_deref(), &["SIZE", "NONE"]);
        constraints.one_of("ReturnValuesOnConditionCheckFailure", self.return_on_failure.as_deref(), &["ALL_OLD", "NONE"]);
        legacy::constrain(constraints, "Expected", self.expected.as_ref(), false);
        legacy::constrain_conditional(constraints, self.conditional_operator.as_deref());
    }

    /// States the words of ReturnValues (behaviours: that spelling, without value or name).
    pub(crate) fn constrain_return_values(&self, constraints: &mut Constraints) {
        const WORDS: [&str; 5] = ["ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW", "NONE"];
        if self.return_values.as_deref().is_some_and(|word| !WORDS.contains(&word)) {
            constraints.nameless("Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]");
        }
    }

    /// UpdateItem stops at the first word that is none, where the others gather them.
    pub(crate) fn check_return_values(&self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        self.constrain_return_values(&mut constraints);
        constraints.finish()
    }

    /// Refuses what only UpdateItem returns.
    pub(crate) fn check_returns_old(&self) -> Result<(), Fault> {
        match self.return_values.as_deref() {
            None | Some("NONE" | "ALL_OLD") => Ok(()),
            Some(_) => Err(Fault::validation("ReturnValues can only be ALL_OLD or NONE")),
        }
    }

    /// Legacy parameters given, for the check against expressions.
    pub(crate) fn legacy_given(&self) -> [(&'static str, bool); 2] {
        [("Expected", self.expected.is_some()), ("ConditionalOperator", self.conditional_operator.is_some())]
    }

    /// Whether there is a ConditionExpression.
    pub(crate) fn has_expression(&self) -> bool {
        self.condition_text.is_some()
    }

    /// Checks the values of Expected.
    pub(crate) fn check_values(&self) -> Result<(), Fault> {
        legacy::check_values(self.expected.as_ref())
    }

    /// Works the condition out.
    pub(crate) fn bind_condition(&mut self, binder: &mut Binder<'_>, wording: Wording) -> Result<(), Fault> {
        if let Some(text) = &self.condition_text {
            let condition = stator_expr::condition(text, binder).map_err(|error| wording.expression(&error, ExpressionKind::Condition))?;
            self.condition = Some(condition);
        }
        let entries = self.expected.take().unwrap_or_default();
        if !entries.is_empty() || self.conditional_operator.is_some() {
            let joined_by = legacy::conditional(self.conditional_operator.as_deref());
            let condition = stator_expr::legacy::expected(legacy::expectations(entries), joined_by);
            self.condition = Some(condition.map_err(|error| Fault::validation(expression::render_legacy(&error)))?);
        }
        Ok(())
    }

    /// What ReturnValues says.
    pub(crate) fn return_values(&self) -> &str {
        self.return_values.as_deref().unwrap_or("NONE")
    }

    /// The refusal of a write, with the item where it was asked for.
    pub(crate) fn refuse(&self, error: WriteError, written: item::Written) -> Fault {
        let found = if let WriteError::ConditionFailed { found } = &error { found.clone() } else { None };
        let found = found.filter(|_| self.return_on_failure.as_deref() == Some("ALL_OLD"));
        let mut fault = item::refuse(error, written);
        found.iter().for_each(|found| push_item(&mut fault, found));
        fault
    }

    /// The answer of a write.
    pub(crate) async fn answer(
        &self,
        context: &Context,
        table: &Table,
        key: &Item,
        written: &Written,
        attributes: Option<&Item>,
    ) -> Result<Vec<u8>, Fault> {
        context.consumed(self.table.given(), &written.receipt);
        let metrics = match self.return_metrics.as_deref() {
            Some("SIZE") if table.has_local_index() => Some((key.map(), range_gb(context, table, key.map()).await?)),
            _ => None,
        };
        Ok(Writer::answer(|writer| {
            if let Some(attributes) = attributes.filter(|attributes| !attributes.map().is_empty()) {
                writer.name("Attributes").attributes(attributes.map());
            }
            Wanted::of(self.return_capacity.as_deref()).write_member(writer, self.table.given(), &written.receipt);
            if let Some(collection) = metrics {
                writer.name("ItemCollectionMetrics");
                write_metrics(writer, table, collection);
            }
        }))
    }
}

/// Tells the item that was found beside a refusal.
pub(crate) fn push_item(fault: &mut Fault, found: &Item) {
    let mut writer = Writer::new();
    writer.name("Item").attributes(found.map());
    fault.members.push(String::from_utf8(writer.finish()).unwrap_or_default());
}

/// The item collection that a written item belongs to: a key with its partition, and between how many GB it weighs.
pub(crate) type Collection<'k> = (MapRef<'k>, [u64; 2]);

/// The collections of written items.
pub(crate) async fn collections<'k>(
    context: &Context,
    table: &Table,
    keys: impl Iterator<Item = MapRef<'k>>,
) -> Result<Vec<Collection<'k>>, Fault> {
    let mut collections = Vec::new();
    for key in keys {
        collections.push((key, range_gb(context, table, key).await?));
    }
    Ok(collections)
}

async fn range_gb(context: &Context, table: &Table, key: MapRef<'_>) -> Result<[u64; 2], Fault> {
    let Ok(item_key) = stator_engine::keyspace::item::key(table.id, &table.key, key) else { return Ok([0, 1]) };
    let counted = context.engine.collection_bytes(table, &item_key).await.map_err(|error| item::store(&error))?;
    match counted {
        Some(bytes) => Ok([bytes >> 30, (bytes >> 30) + 1]),
        None => Ok([0, bound_gb(context, table).await?]),
    }
}

/// An upper bound of the size of any item collection of a table that does not count them: the size of the table with its
/// local indexes.
async fn bound_gb(context: &Context, table: &Table) -> Result<u64, Fault> {
    let description = context.engine.describe_table(&table.scope, &table.name).await.map_err(|error| item::store(&error))?;
    let Some(description) = description else { return Ok(1) };
    let local = description
        .table
        .indexes
        .iter()
        .zip(&description.index_counts)
        .filter(|(index, _)| index.kind == stator_model::table::IndexKind::Local);
    let bytes = description.counts.1 + local.map(|(_, (_, bytes))| bytes).sum::<u64>();
    Ok(bytes.div_ceil(1 << 30).max(1))
}

/// Writes an ItemCollectionMetrics structure.
pub(crate) fn write_metrics(writer: &mut Writer, table: &Table, (key, range_gb): Collection<'_>) {
    writer.object(|writer| {
        writer.name("ItemCollectionKey").object(|writer| {
            for attribute in &table.key.partition {
                if let Some(value) = key.get(&attribute.name) {
                    writer.name(&attribute.name).attribute(value);
                }
            }
        });
        writer.name("SizeEstimateRangeGB").array(range_gb.map(|gb| 2 * gb), crate::json::Writer::halves);
    });
}
