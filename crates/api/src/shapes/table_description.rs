//! TableDescription, as the operations on tables answer it.
//!
//! What must stay true: which members an answer has depends on the operation as observed (`spec/observed`, and the
//! public records of 2026 that add warm throughput to a new table): a dropped table has lost its keys.

use stator_engine::catalog::{Description, Index, Table, ThroughputHistory};
use stator_model::arn::TableArn;
use stator_model::key::{KeyAttribute, KeySchema};
use stator_model::table::{
    BillingMode, IndexKind, IndexStatus, OnDemandLimits, Projection, TableClass, TableStatus, Throughput, WarmThroughput,
};

use super::{stream, vector};
use crate::json::Writer;

/// Which operation answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answering {
    /// CreateTable
    Create,
    /// DescribeTable
    Describe,
    /// UpdateTable, which repeats the -1 that takes an on-demand bound away.
    Update(OnDemandLimits),
    /// DeleteTable
    Delete,
}

/// Writes a TableDescription.
pub(crate) fn write(writer: &mut Writer, description: &Description, answering: Answering) {
    let table = &description.table;
    writer.object(|writer| {
        if answering != Answering::Delete {
            writer.name("AttributeDefinitions").array(definitions(table), |writer, attribute| {
                writer.object(|writer| {
                    writer.name("AttributeName").string(&attribute.name);
                    writer.name("AttributeType").string(attribute.scalar.name());
                });
            });
        }
        writer.name("TableName").string(&table.name);
        if answering != Answering::Delete {
            write_key(writer, &table.key);
        }
        writer.name("TableStatus").string(status_word(description.status));
        if answering != Answering::Delete {
            writer.name("CreationDateTime").date(table.created_at_ms);
        }
        write_throughput(writer, table.throughput, table.history);
        writer.name("TableSizeBytes").integer(description.counts.1);
        writer.name("ItemCount").integer(description.counts.0);
        writer.name("TableArn").string(&table.arn().to_string());
        writer.name("TableId").string(&table.uuid);
        if let Some(stream) = &table.stream {
            stream::write_of_table(writer, stream);
        }
        write_billing(writer, table, answering);
        if answering != Answering::Delete {
            write_indexes(writer, description, IndexKind::Local, answering);
            write_indexes(writer, description, IndexKind::Global, answering);
            write_indexes(writer, description, IndexKind::Vector, answering);
            write_class(writer, table);
        }
        writer.name("DeletionProtectionEnabled").boolean(table.deletion_protection);
        write_on_demand(writer, table.on_demand, if let Answering::Update(asked) = answering { asked } else { OnDemandLimits::default() });
        match answering {
            Answering::Create => write_warm(writer, table.warm_throughput(), "UPDATING"),
            Answering::Describe | Answering::Update(_) => write_warm(writer, table.warm_throughput(), "ACTIVE"),
            Answering::Delete => {}
        }
    });
}

/// Every attribute of a key, once: the table's first.
fn definitions(table: &Table) -> Vec<&KeyAttribute> {
    let mut definitions: Vec<&KeyAttribute> = Vec::new();
    for attribute in table.key.attributes().chain(table.indexes.iter().flat_map(Index::attributes)) {
        if !definitions.iter().any(|known| known.name == attribute.name) {
            definitions.push(attribute);
        }
    }
    definitions
}

/// Writes a KeySchema.
pub(crate) fn write_key(writer: &mut Writer, key: &KeySchema) {
    let elements = key.partition.iter().map(|attribute| (attribute, "HASH")).chain(key.sort.iter().map(|attribute| (attribute, "RANGE")));
    writer.name("KeySchema").array(elements, |writer, (attribute, kind)| {
        writer.object(|writer| {
            writer.name("AttributeName").string(&attribute.name);
            writer.name("KeyType").string(kind);
        });
    });
}

fn write_throughput(writer: &mut Writer, throughput: Throughput, history: ThroughputHistory) {
    writer.name("ProvisionedThroughput").object(|writer| {
        if let Some(at_ms) = history.increased_at_ms {
            writer.name("LastIncreaseDateTime").date(at_ms);
        }
        if let Some(at_ms) = history.decreased_at_ms {
            writer.name("LastDecreaseDateTime").date(at_ms);
        }
        writer.name("NumberOfDecreasesToday").integer(history.decreases_on_day);
        writer.name("ReadCapacityUnits").integer(throughput.read_units);
        writer.name("WriteCapacityUnits").integer(throughput.write_units);
    });
}

fn write_billing(writer: &mut Writer, table: &Table, answering: Answering) {
    if !table.billing_named {
        return;
    }
    writer.name("BillingModeSummary").object(|writer| {
        let word = if table.billing == BillingMode::PayPerRequest { "PAY_PER_REQUEST" } else { "PROVISIONED" };
        writer.name("BillingMode").string(word);
        if let Some(at_ms) = table.on_demand_since_ms.filter(|_| answering != Answering::Create) {
            writer.name("LastUpdateToPayPerRequestDateTime").date(at_ms);
        }
    });
}

fn write_indexes(writer: &mut Writer, description: &Description, kind: IndexKind, answering: Answering) {
    let indexes = description.table.indexes.iter().zip(&description.index_counts).filter(|(index, _)| index.kind == kind);
    let indexes: Vec<_> = indexes.collect();
    if indexes.is_empty() {
        return;
    }
    writer.name(match kind {
        IndexKind::Local => "LocalSecondaryIndexes",
        IndexKind::Global => "GlobalSecondaryIndexes",
        IndexKind::Vector => "VectorIndexes",
    });
    writer.array(indexes, |writer, (index, counts)| write_index(writer, description, index, *counts, answering));
}

fn write_index(writer: &mut Writer, description: &Description, index: &Index, counts: (u64, u64), answering: Answering) {
    let table = &description.table;
    writer.object(|writer| {
        writer.name("IndexName").string(&index.name);
        match &index.vector {
            None => write_key(writer, &index.key),
            Some(spec) => vector::write_members(writer, index, spec),
        }
        write_projection(writer, &index.projection);
        if index.kind != IndexKind::Local {
            let is_new = description.status == TableStatus::Creating;
            writer.name("IndexStatus").string(if is_new { "CREATING" } else { index_status_word(index.status) });
            if index.status == (IndexStatus::Creating { backfilling: true }) {
                writer.name("Backfilling").boolean(true);
            }
        }
        if index.kind == IndexKind::Global {
            write_throughput(writer, index.throughput, index.history);
        }
        writer.name("IndexSizeBytes").integer(counts.1);
        writer.name("ItemCount").integer(counts.0);
        let arn = TableArn { index: Some(index.name.clone()), ..table.arn() };
        writer.name("IndexArn").string(&arn.to_string());
        if index.kind == IndexKind::Global {
            write_on_demand(writer, index.on_demand, OnDemandLimits::default());
            if matches!(answering, Answering::Describe | Answering::Update(_)) || index.warm.is_some() {
                let status = if answering == Answering::Create { "UPDATING" } else { "ACTIVE" };
                write_warm(writer, table.index_warm_throughput(index), status);
            }
        }
    });
}

fn write_projection(writer: &mut Writer, projection: &Projection) {
    writer.name("Projection").object(|writer| {
        let (word, names) = match projection {
            Projection::All => ("ALL", None),
            Projection::KeysOnly => ("KEYS_ONLY", None),
            Projection::Include(names) => ("INCLUDE", Some(names)),
        };
        writer.name("ProjectionType").string(word);
        if let Some(names) = names {
            writer.name("NonKeyAttributes").array(names, |writer, name| writer.string(name));
        }
    });
}

fn write_class(writer: &mut Writer, table: &Table) {
    let Some((class, changed_at_ms)) = table.class else { return };
    writer.name("TableClassSummary").object(|writer| {
        let word = if class == TableClass::Standard { "STANDARD" } else { "STANDARD_INFREQUENT_ACCESS" };
        writer.name("TableClass").string(word);
        if let Some(at_ms) = changed_at_ms {
            writer.name("LastUpdateDateTime").date(at_ms);
        }
    });
}

/// Bounds that there are, and those just taken away (`u64::MAX` asks for that) as -1.
fn write_on_demand(writer: &mut Writer, limits: OnDemandLimits, asked: OnDemandLimits) {
    let shown = |units: Option<u64>, asked: Option<u64>| match (units, asked) {
        (Some(units), _) => Some(i64::try_from(units).unwrap_or(i64::MAX)),
        (None, Some(u64::MAX)) => Some(-1),
        (None, _) => None,
    };
    let members = [
        ("MaxReadRequestUnits", shown(limits.read_units_max, asked.read_units_max)),
        ("MaxWriteRequestUnits", shown(limits.write_units_max, asked.write_units_max)),
    ];
    if members.iter().all(|(_, units)| units.is_none()) {
        return;
    }
    writer.name("OnDemandThroughput").object(|writer| {
        for (member, units) in members {
            if let Some(units) = units {
                writer.name(member).integer(units);
            }
        }
    });
}

fn write_warm(writer: &mut Writer, warm: WarmThroughput, status: &str) {
    writer.name("WarmThroughput").object(|writer| {
        writer.name("ReadUnitsPerSecond").integer(warm.read_units);
        writer.name("WriteUnitsPerSecond").integer(warm.write_units);
        writer.name("Status").string(status);
    });
}

fn status_word(status: TableStatus) -> &'static str {
    match status {
        TableStatus::Creating => "CREATING",
        TableStatus::Active => "ACTIVE",
        TableStatus::Updating => "UPDATING",
        TableStatus::Deleting => "DELETING",
    }
}

fn index_status_word(status: IndexStatus) -> &'static str {
    match status {
        IndexStatus::Creating { .. } => "CREATING",
        IndexStatus::Active => "ACTIVE",
        IndexStatus::Updating => "UPDATING",
        IndexStatus::Deleting => "DELETING",
    }
}
