//! ReturnConsumedCapacity and ConsumedCapacity.

use stator_engine::capacity::HalfUnits;
use stator_engine::receipt::{IndexCharge, Receipt};
use stator_model::table::IndexKind;

use crate::json::Writer;

/// The words of ReturnConsumedCapacity.
pub(crate) const WORDS: [&str; 3] = ["INDEXES", "TOTAL", "NONE"];

/// What the units of a transaction are called, beside CapacityUnits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By no other name.
    Plain,
    /// ReadCapacityUnits
    Reads,
    /// WriteCapacityUnits
    Writes,
}

/// How much of the consumed capacity an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing.
    None,
    /// The sum.
    Total,
    /// The sum, the table and each index.
    Indexes,
}

impl Wanted {
    /// The meaning of a word that has passed its constraint.
    pub(crate) fn of(word: Option<&str>) -> Wanted {
        match word {
            Some("TOTAL") => Wanted::Total,
            Some("INDEXES") => Wanted::Indexes,
            _ => Wanted::None,
        }
    }

    /// Writes the member ConsumedCapacity, if it is wanted.
    pub(crate) fn write_member(self, writer: &mut Writer, table: &str, receipt: &Receipt) {
        if self != Wanted::None {
            writer.name("ConsumedCapacity");
            self.write(writer, table, receipt);
        }
    }

    /// Writes a ConsumedCapacity structure.
    pub(crate) fn write(self, writer: &mut Writer, table: &str, receipt: &Receipt) {
        self.write_as(writer, table, receipt, Kind::Plain);
    }

    /// Writes a ConsumedCapacity structure whose units have a second name.
    pub(crate) fn write_as(self, writer: &mut Writer, table: &str, receipt: &Receipt, kind: Kind) {
        writer.object(|writer| {
            writer.name("TableName").string(table);
            units(writer, receipt.total(), kind);
            if self == Wanted::Indexes {
                writer.name("Table").object(|writer| units(writer, receipt.table, kind));
                charges(writer, "LocalSecondaryIndexes", receipt, IndexKind::Local, kind);
                charges(writer, "GlobalSecondaryIndexes", receipt, IndexKind::Global, kind);
                vector_charges(writer, receipt);
            }
        });
    }

    /// Writes the member ConsumedCapacity of a transaction, if it is wanted: one structure per table, in the order in which
    /// the tables were first named.
    pub(crate) fn write_tables<'r>(self, writer: &mut Writer, receipts: impl Iterator<Item = (&'r str, &'r Receipt)>, kind: Kind) {
        if self == Wanted::None {
            return;
        }
        let mut tables: Vec<(&str, Receipt)> = Vec::new();
        for (table, receipt) in receipts {
            match tables.iter_mut().find(|(known, _)| *known == table) {
                Some((_, sum)) => sum.merge(receipt.clone()),
                None => tables.push((table, receipt.clone())),
            }
        }
        writer.name("ConsumedCapacity").array(&tables, |writer, (table, receipt)| self.write_as(writer, table, receipt, kind));
    }
}

impl Wanted {
    /// Writes the member ConsumedCapacity of several statements, if it is wanted: one structure per statement, in their order.
    pub(crate) fn write_list<'r>(self, writer: &mut Writer, receipts: impl Iterator<Item = (&'r str, &'r Receipt)>, kind: Kind) {
        if self != Wanted::None {
            let write = |writer: &mut Writer, (table, receipt)| self.write_as(writer, table, receipt, kind);
            writer.name("ConsumedCapacity").array(receipts, write);
        }
    }
}

fn units(writer: &mut Writer, units: HalfUnits, kind: Kind) {
    writer.name("CapacityUnits").halves(units.0);
    match kind {
        Kind::Plain => {}
        Kind::Reads => writer.name("ReadCapacityUnits").halves(units.0),
        Kind::Writes => writer.name("WriteCapacityUnits").halves(units.0),
    }
}

fn charges(writer: &mut Writer, member: &str, receipt: &Receipt, kind: IndexKind, named: Kind) {
    let charges: Vec<&IndexCharge> = receipt.indexes.iter().filter(|charge| charge.kind == kind).collect();
    if charges.is_empty() {
        return;
    }
    writer.name(member).object(|writer| {
        for charge in charges {
            writer.name(&charge.name).object(|writer| units(writer, charge.units, named));
        }
    });
}

/// Bytes written to vector indexes, which no sum of units includes.
fn vector_charges(writer: &mut Writer, receipt: &Receipt) {
    if receipt.vectors.is_empty() {
        return;
    }
    writer.name("VectorIndexes").object(|writer| {
        for charge in &receipt.vectors {
            writer.name(&charge.name).object(|writer| writer.name("VectorWriteRequestBytes").halves(2 * charge.bytes));
        }
    });
}
