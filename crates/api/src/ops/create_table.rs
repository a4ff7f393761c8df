//! CreateTable: makes a table with its indexes.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>

use std::borrow::Cow;

use stator_engine::catalog::StreamChange;
use stator_model::arn::Scope;
use stator_model::limits::{NAME_BYTES_MAX, NAME_BYTES_MIN};
use stator_model::stream::StreamView;
use stator_model::table::{BillingMode, IndexKind, IndexSpec, TableClass, TableSpec};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::json::{Reader, Writer};
use crate::messages::table::{invalid, not_found, refuse_create, throughput_missing, throughput_on_demand, unsupported};
use crate::messages::vector::provisioned;
use crate::operation::{Answer, BoxFuture, Class, Context, Entry, Prepared};
use crate::shapes::stream::StreamSpecification;
use crate::shapes::table::{Definitions, IndexInput, NameAndWord, ReadWrite, check_indexes, constrain_definitions, constrain_key};
use crate::shapes::table_description::{self, Answering};
use crate::shapes::table_name::TableName;
use crate::shapes::tag::{self, TagInput};
use crate::shapes::unsupported::Unsupported;
use crate::shapes::vector::{VectorIndexInput, check_dimensions};

/// The registry's line.
pub(super) static OPERATION: Entry = Entry::new("CreateTable", Class::Control, |body| {
    let mut input = CreateTable::default();
    Reader::body(body, |reader, member| {
        match member {
            "AttributeDefinitions" => input.definitions = Some(reader.list(NameAndWord::read)?),
            "TableName" => input.table.0 = Some(reader.string()?),
            "KeySchema" => input.key = Some(reader.list(NameAndWord::read)?),
            "LocalSecondaryIndexes" => input.local = Some(reader.list(IndexInput::read)?),
            "VectorIndexes" => input.vectors = Some(reader.list(VectorIndexInput::read)?),
            "GlobalSecondaryIndexes" => input.global = Some(reader.list(IndexInput::read)?),
            "BillingMode" => input.billing = Some(reader.string()?),
            "ProvisionedThroughput" => input.throughput = Some(ReadWrite::read(reader)?),
            "OnDemandThroughput" => input.on_demand = Some(ReadWrite::read(reader)?),
            "WarmThroughput" => input.warm = Some(ReadWrite::read(reader)?),
            "TableClass" => input.class = Some(reader.string()?),
            "StreamSpecification" => input.stream = Some(StreamSpecification::read(reader)?),
            "Tags" => input.tags = reader.list(TagInput::read)?,
            "DeletionProtectionEnabled" => input.deletion_protection = reader.boolean()?,
            other => input.unsupported.read(reader, other)?,
        }
        Ok(())
    })?;
    Ok(Box::new(input))
});

#[derive(Debug, Default)]
struct CreateTable<'a> {
    table: TableName<'a>,
    definitions: Option<Vec<NameAndWord<'a>>>,
    key: Option<Vec<NameAndWord<'a>>>,
    local: Option<Vec<IndexInput<'a>>>,
    global: Option<Vec<IndexInput<'a>>>,
    vectors: Option<Vec<VectorIndexInput<'a>>>,
    billing: Option<Cow<'a, str>>,
    throughput: Option<ReadWrite>,
    on_demand: Option<ReadWrite>,
    warm: Option<ReadWrite>,
    class: Option<Cow<'a, str>>,
    deletion_protection: bool,
    stream: Option<StreamSpecification<'a>>,
    tags: Vec<TagInput<'a>>,
    unsupported: Unsupported,
    spec: Option<TableSpec>,
}

impl CreateTable<'_> {
    fn constrain(&self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Classic);
        constraints.required("AttributeDefinitions", self.definitions.as_ref());
        constrain_definitions(&mut constraints, self.definitions.as_deref());
        self.table.constrain_new(&mut constraints);
        constraints.required("KeySchema", self.key.as_ref());
        constrain_key(&mut constraints, "KeySchema", self.key.as_deref(), 2);
        let indexes =
            [("LocalSecondaryIndexes", IndexKind::Local, &self.local), ("GlobalSecondaryIndexes", IndexKind::Global, &self.global)];
        for (parameter, kind, indexes) in indexes {
            for (at, index) in indexes.iter().flatten().enumerate() {
                index.constrain(&mut constraints, &format!("{parameter}.{}.member", at + 1), kind);
            }
        }
        for (at, index) in self.vectors.iter().flatten().enumerate() {
            index.constrain(&mut constraints, &format!("VectorIndexes.{}.member", at + 1));
        }
        constraints.one_of("BillingMode", self.billing.as_deref(), &["PROVISIONED", "PAY_PER_REQUEST"]);
        ReadWrite::constrain(self.throughput.as_ref(), &mut constraints, "ProvisionedThroughput");
        StreamSpecification::constrain(self.stream.as_ref(), &mut constraints);
        tag::constrain(&mut constraints, &self.tags);
        constraints.one_of("TableClass", self.class.as_deref(), &["STANDARD", "STANDARD_INFREQUENT_ACCESS"]);
        constraints.finish()
    }

    fn check_name(&self) -> Result<(), Fault> {
        let name = self.table.given();
        if name.starts_with("arn:") {
            return self.table.check();
        }
        let has_length = (NAME_BYTES_MIN..=NAME_BYTES_MAX).contains(&name.len());
        if has_length { self.table.check() } else { Err(crate::messages::table::name_length()) }
    }

    fn billing(&self) -> Result<BillingMode, Fault> {
        match (self.billing.as_deref(), self.throughput) {
            (Some("PAY_PER_REQUEST"), Some(_)) => Err(throughput_on_demand()),
            (Some("PAY_PER_REQUEST"), None) => Ok(BillingMode::PayPerRequest),
            (_, None) => Err(throughput_missing()),
            (_, Some(_)) => Ok(BillingMode::Provisioned),
        }
    }

    fn spec(&self) -> Result<TableSpec, Fault> {
        let billing = self.billing()?;
        let limits = self.global.iter().flatten().map(|index| index.on_demand).chain([self.on_demand]).flatten();
        for limits in limits {
            limits.check_on_demand(billing, false)?;
        }
        let indexed = self.global.iter().flatten().filter_map(|index| index.throughput);
        self.throughput.into_iter().chain(indexed).try_for_each(ReadWrite::check_bounds)?;
        let definitions = Definitions::new(self.definitions.as_deref().unwrap_or_default())?;
        let key = definitions.key(self.key.as_deref().unwrap_or_default(), 1)?;
        let mut indexes = Vec::new();
        for (kind, parameter, given) in
            [(IndexKind::Local, "LocalSecondaryIndexes", &self.local), (IndexKind::Global, "GlobalSecondaryIndexes", &self.global)]
        {
            if given.as_ref().is_some_and(Vec::is_empty) {
                return Err(invalid(format!("List of {parameter} is empty")));
            }
            for index in given.iter().flatten() {
                indexes.push(index.spec(kind, &definitions, billing)?);
            }
        }
        indexes.extend(self.vector_indexes(&definitions, billing)?);
        check_indexes(&key, &indexes)?;
        let vectors = indexes.iter().filter_map(|index| index.vector.as_ref());
        check_dimensions(&vectors)?;
        definitions.check_vectors(vectors)?;
        let indexed: Vec<_> = indexes.iter().flat_map(IndexSpec::attributes).collect();
        definitions.check_used(&key, (!indexes.is_empty()).then_some(&indexed))?;
        Ok(TableSpec {
            name: self.table.given().to_owned(),
            indexes,
            billing,
            throughput: self.throughput.map(ReadWrite::throughput),
            on_demand: self.on_demand.map(ReadWrite::on_demand).unwrap_or_default(),
            warm: self.warm.map(ReadWrite::warm).transpose()?,
            class: self.class.as_deref().map(class_of),
            deletion_protection: self.deletion_protection,
            stream: self.stream()?,
            tags: tag::tags_of(&self.tags)?,
            key,
        })
    }

    fn vector_indexes(&self, definitions: &Definitions, billing: BillingMode) -> Result<Vec<IndexSpec>, Fault> {
        let Some(given) = &self.vectors else { return Ok(Vec::new()) };
        if given.is_empty() {
            // assumed
            return Err(invalid("List of VectorIndexes is empty"));
        }
        if billing == BillingMode::Provisioned {
            return Err(provisioned());
        }
        given.iter().map(|index| index.spec(definitions)).collect()
    }

    fn stream(&self) -> Result<Option<StreamView>, Fault> {
        match self.stream.as_ref().map(StreamSpecification::change).transpose()? {
            Some(StreamChange::Enable(view)) => Ok(Some(view)),
            Some(StreamChange::Disable) | None => Ok(None),
        }
    }

    fn scope(&self, context: &Context) -> Result<(Scope, String), Fault> {
        self.table.resolve(&context.scope).ok_or_else(|| not_found(self.table.given()))
    }
}

/// The class of a word that has passed its constraint.
pub(super) fn class_of(word: &str) -> TableClass {
    if word == "STANDARD" { TableClass::Standard } else { TableClass::StandardInfrequentAccess }
}

impl Prepared for CreateTable<'_> {
    fn validate(&mut self) -> Result<(), Fault> {
        self.constrain()?;
        self.check_name()?;
        self.unsupported.check().map_err(unsupported)?;
        self.spec = Some(self.spec()?);
        Ok(())
    }

    fn perform<'s>(mut self: Box<Self>, context: &'s Context) -> BoxFuture<'s, Result<Answer, Fault>>
    where
        Self: 's,
    {
        Box::pin(async move {
            let (scope, name) = self.scope(context)?;
            let mut spec = self.spec.take().ok_or_else(Fault::internal)?;
            spec.name = name;
            let created = context.engine.create_table(&scope, &spec).await;
            let description = created.map_err(|error| refuse_create(error, &spec.name))?;
            let body = Writer::answer(|writer| table_description::write(writer.name("TableDescription"), &description, Answering::Create));
            Ok(Answer { body })
        })
    }
}
