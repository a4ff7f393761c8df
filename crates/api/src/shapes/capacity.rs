//! ReturnConsumedCapacity and ConsumedCapacity.

use stator_engine::capacity::HalfUnits;
use stator_engine::receipt::{IndexCharge, Receipt};
use stator_model::table::IndexKind;

use crate::json::Writer;

/// The words of ReturnConsumedCapacity.
pub(crate) const WORDS: [&str; 3] = ["INDEXES", "TOTAL", "NONE"];

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
        writer.object(|writer| {
            writer.name("TableName").string(table);
            units(writer, receipt.total());
            if self == Wanted::Indexes {
                writer.name("Table").object(|writer| units(writer, receipt.table));
                charges(writer, "LocalSecondaryIndexes", receipt, IndexKind::Local);
                charges(writer, "GlobalSecondaryIndexes", receipt, IndexKind::Global);
            }
        });
    }
}

fn units(writer: &mut Writer, units: HalfUnits) {
    writer.name("CapacityUnits").halves(units.0);
}

fn charges(writer: &mut Writer, member: &str, receipt: &Receipt, kind: IndexKind) {
    let charges: Vec<&IndexCharge> = receipt.indexes.iter().filter(|charge| charge.kind == kind).collect();
    if charges.is_empty() {
        return;
    }
    writer.name(member).object(|writer| {
        for charge in charges {
            writer.name(&charge.name).object(|writer| units(writer, charge.units));
        }
    });
}
