//! UpdateTable: capacity, billing, protection, class and stream of a table, and its global and vector indexes.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html>

use std::borrow::Cow;

use stator_engine::catalog::{Index, IndexChange, Table, TableChange};
use stator_model::table::{BillingMode, IndexKind};

use super::create_table::class_of;
use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{JsonFault, Reader, Writer};
use crate::messages::table::{index_units_on_demand, invalid, no_change, not_found, refuse_change, unsupported};
use crate::messages::vector;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::stream::StreamSpecification;
use crate::shapes::table::{Definitions, IndexInput, NameAndWord, ReadWrite, constrain_definitions};
use crate::shapes::table_description::{self, Answering};
use crate::shapes::table_name::TableName;
use crate::shapes::unsupported::Unsupported;
use crate::shapes::vector::VectorIndexInput;

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("UpdateTable", Class::Control, |body| {
    let mut input = UpdateTable::default();
    Reader::body(body, |reader, member| {
        match member {
            "AttributeDefinitions" => input.definitions = Some(reader.list(NameAndWord::read)?),
            "TableName" => input.table.0 = Some(reader.string()?),
            "BillingMode" => input.billing = Some(reader.string()?),
            "ProvisionedThroughput" => input.throughput = Some(ReadWrite::read(reader)?),
            "GlobalSecondaryIndexUpdates" => input.indexes = Some(reader.list(IndexUpdate::read)?),
            "VectorIndexUpdates" => input.vectors = Some(reader.list(VectorIndexUpdate::read)?),
            "OnDemandThroughput" => input.on_demand = Some(ReadWrite::read(reader)?),
            "WarmThroughput" => input.warm = Some(ReadWrite::read(reader)?),
            "TableClass" => input.class = Some(reader.string()?),
            "StreamSpecification" => input.stream = Some(StreamSpecification::read(reader)?),
            "DeletionProtectionEnabled" => input.deletion_protection = Some(reader.boolean()?),
            other => input.unsupported.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct UpdateTable<'a> {
    table: TableName<'a>,
    definitions: Option<Vec<NameAndWord<'a>>>,
    billing: Option<Cow<'a, str>>,
    throughput: Option<ReadWrite>,
    indexes: Option<Vec<IndexUpdate<'a>>>,
    vectors: Option<Vec<VectorIndexUpdate<'a>>>,
    on_demand: Option<ReadWrite>,
    warm: Option<ReadWrite>,
    class: Option<Cow<'a, str>>,
    deletion_protection: Option<bool>,
    stream: Option<StreamSpecification<'a>>,
    unsupported: Unsupported,
}

#[derive(Debug, Default)]
struct IndexUpdate<'a> {
    create: Option<IndexInput<'a>>,
    update: Option<IndexInput<'a>>,
    delete: Option<IndexInput<'a>>,
}

impl<'a> IndexUpdate<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<IndexUpdate<'a>, JsonFault> {
        let mut update = IndexUpdate::default();
        reader.object(|reader, member| {
            match member {
                "Create" => update.create = Some(IndexInput::read(reader)?),
                "Update" => update.update = Some(IndexInput::read(reader)?),
                "Delete" => update.delete = Some(IndexInput::read(reader)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(update)
    }

    fn actions(&self) -> [(&'static str, &Option<IndexInput<'a>>); 3] {
        [("Create", &self.create), ("Update", &self.update), ("Delete", &self.delete)]
    }

    fn name(&self) -> &str {
        self.actions().into_iter().find_map(|(_, action)| action.as_ref()).map_or("", IndexInput::name)
    }

    fn change(&self, definitions: &Definitions, billing: BillingMode) -> Result<IndexChange, Fault> {
        let has_units = self.actions().into_iter().any(|(_, action)| action.as_ref().is_some_and(|index| index.throughput.is_some()));
        if has_units && billing == BillingMode::PayPerRequest {
            return Err(index_units_on_demand(self.name()));
        }
        if let Some(index) = &self.create {
            return index.spec(IndexKind::Global, definitions, billing).map(IndexChange::Create);
        }
        let name = self.name().to_owned();
        Ok(match &self.update {
            Some(index) => IndexChange::Update {
                name,
                throughput: index.throughput.map(ReadWrite::throughput),
                on_demand: index.on_demand.map(ReadWrite::on_demand),
                warm: index.warm.map(ReadWrite::warm).transpose()?,
            },
            None => IndexChange::Delete { name, kind: IndexKind::Global },
        })
    }
}

#[derive(Debug, Default)]
struct VectorIndexUpdate<'a> {
    create: Option<VectorIndexInput<'a>>,
    delete: Option<VectorIndexInput<'a>>,
}

impl<'a> VectorIndexUpdate<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<VectorIndexUpdate<'a>, JsonFault> {
        let mut update = VectorIndexUpdate::default();
        reader.object(|reader, member| {
            match member {
                "Create" => update.create = Some(VectorIndexInput::read(reader)?),
                "Delete" => update.delete = Some(VectorIndexInput::read(reader)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(update)
    }

    fn constrain(&self, constraints: &mut Constraints, path: &str) {
        if let Some(index) = &self.create {
            index.constrain(constraints, &format!("{path}.Create"));
        }
        if let Some(index) = &self.delete {
            index.constrain_name(constraints, &format!("{path}.Delete"));
        }
    }

    /// `given` are the attribute definitions of the request: the service does not look at those that the table has.
    fn change(&self, given: &Definitions) -> Result<IndexChange, Fault> {
        match (&self.create, &self.delete) {
            (Some(index), None) => index.spec(given).map(IndexChange::Create),
            (None, Some(index)) => Ok(IndexChange::Delete { name: index.name().to_owned(), kind: IndexKind::Vector }),
            _ => Err(vector::no_change()),
        }
    }
}

impl UpdateTable<'_> {
    fn constrain(&self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        constrain_definitions(&mut constraints, self.definitions.as_deref());
        self.table.constrain(&mut constraints);
        constraints.one_of("BillingMode", self.billing.as_deref(), &["PROVISIONED", "PAY_PER_REQUEST"]);
        ReadWrite::constrain(self.throughput.as_ref(), &mut constraints, "ProvisionedThroughput");
        for (at, update) in self.indexes.iter().flatten().enumerate() {
            let path = |action: &str| format!("GlobalSecondaryIndexUpdates.{}.member.{action}", at + 1);
            for (action, index) in update.actions() {
                match index {
                    Some(index) if action == "Create" => index.constrain(&mut constraints, &path(action), IndexKind::Global),
                    Some(index) => {
                        index.constrain_name(&mut constraints, &path(action));
                        ReadWrite::constrain(
                            index.throughput.as_ref(),
                            &mut constraints,
                            &format!("{}.ProvisionedThroughput", path(action)),
                        );
                    }
                    None => {}
                }
            }
        }
        for (at, update) in self.vectors.iter().flatten().enumerate() {
            update.constrain(&mut constraints, &format!("VectorIndexUpdates.{}.member", at + 1));
        }
        StreamSpecification::constrain(self.stream.as_ref(), &mut constraints);
        constraints.one_of("TableClass", self.class.as_deref(), &["STANDARD", "STANDARD_INFREQUENT_ACCESS"]);
        constraints.finish()
    }

    fn check_changes(&self) -> Result<(), Fault> {
        let indexes = self.indexes.as_deref().unwrap_or_default();
        let changes_something = self.billing.is_some()
            || self.throughput.is_some()
            || !indexes.is_empty()
            || self.vectors.as_ref().is_some_and(|updates| !updates.is_empty())
            || self.on_demand.is_some_and(|limits| !limits.is_empty())
            || self.warm.is_some()
            || self.class.is_some()
            || self.deletion_protection.is_some()
            || self.stream.is_some();
        if !changes_something {
            return Err(no_change());
        }
        for (at, update) in indexes.iter().enumerate() {
            if update.actions().iter().filter(|(_, action)| action.is_some()).count() != 1 {
                return Err(invalid("One of GlobalSecondaryIndexUpdate must not be null"));
            }
            if indexes[..at].iter().any(|other| other.name() == update.name()) {
                return Err(invalid(format!(
                    "Only one global secondary index update per index is allowed simultaneously. Index: {}",
                    update.name()
                )));
            }
        }
        Ok(())
    }

    fn check_on_demand(&self, billing: BillingMode) -> Result<(), Fault> {
        let indexes = self.indexes.iter().flatten().flat_map(IndexUpdate::actions);
        let limits = indexes.filter_map(|(_, action)| action.as_ref().and_then(|index| index.on_demand));
        self.on_demand.into_iter().chain(limits).try_for_each(|limits| limits.check_on_demand(billing, true))
    }

    fn change(&self, table: &Table) -> Result<TableChange, Fault> {
        let billing = match self.billing.as_deref() {
            Some("PAY_PER_REQUEST") => Some(BillingMode::PayPerRequest),
            Some(_) => Some(BillingMode::Provisioned),
            None => None,
        };
        self.check_on_demand(billing.unwrap_or(table.billing))?;
        let indexes = self.index_changes(table, billing.unwrap_or(table.billing))?;
        Ok(TableChange {
            billing,
            throughput: self.throughput.map(ReadWrite::throughput),
            on_demand: self.on_demand.map(ReadWrite::on_demand),
            warm: self.warm.map(ReadWrite::warm).transpose()?,
            class: self.class.as_deref().map(class_of),
            deletion_protection: self.deletion_protection,
            indexes,
            stream: self.stream.as_ref().map(StreamSpecification::change).transpose()?,
        })
    }
}

impl UpdateTable<'_> {
    fn index_changes(&self, table: &Table, billing: BillingMode) -> Result<Vec<IndexChange>, Fault> {
        let known = table.key.attributes().chain(table.indexes.iter().flat_map(Index::attributes));
        let given = Definitions::new(self.definitions.as_deref().unwrap_or_default())?;
        given.check_agree(known)?;
        let secondary = self.indexes.iter().flatten().map(|update| update.change(&given, billing));
        let vectors = self.vectors.iter().flatten().map(|update| update.change(&given));
        let changes = secondary.chain(vectors).collect::<Result<Vec<_>, _>>()?;
        let created: Vec<_> =
            changes.iter().filter_map(|change| if let IndexChange::Create(spec) = change { Some(spec) } else { None }).collect();
        if !created.is_empty() {
            let vectors = table.indexes.iter().filter_map(|index| index.vector.as_ref());
            given.check_vectors(vectors.chain(created.iter().filter_map(|spec| spec.vector.as_ref())))?;
            let indexed = table.indexes.iter().flat_map(Index::attributes).chain(created.iter().flat_map(|spec| spec.attributes()));
            given.check_used(&table.key, Some(&indexed.collect::<Vec<_>>()))?;
        }
        Ok(changes)
    }
}

impl Prepared for UpdateTable<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.constrain()?;
        self.table.check()?;
        self.unsupported.check().map_err(unsupported)?;
        self.throughput.map_or(Ok(()), ReadWrite::check_bounds)?;
        self.check_changes()
    }

    fn perform<'s>(self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let (scope, name) = self.table.resolve(&context.scope).ok_or_else(|| not_found(self.table.given()))?;
            let table = context.engine.snapshot().table(&scope, &name).cloned().ok_or_else(|| not_found(&name))?;
            let change = self.change(&table)?;
            let updated = context.engine.update_table(&scope, &name, &change).await;
            let description = updated.map_err(|error| refuse_change(error, &name))?;
            let answering = Answering::Update(change.on_demand.unwrap_or_default());
            let body = Writer::answer(|writer| table_description::write(writer.name("TableDescription"), &description, answering));
            Ok(Answer { body })
        })
    }
}
