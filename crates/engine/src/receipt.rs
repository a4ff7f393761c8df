//! What an operation consumed: the only thing that answers and metrics may report about cost.
//!
//! What must stay true: a receipt names every index that was charged, once.

use stator_model::table::{IndexId, IndexKind};

use crate::capacity::HalfUnits;
use crate::catalog::Index;

/// Capacity consumed by one operation on one table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// By the table itself.
    pub table: HalfUnits,
    /// By local and global indexes.
    pub indexes: Vec<IndexCharge>,
    /// By vector indexes, which are charged by the byte and apart from everything else.
    pub vectors: Vec<VectorCharge>,
}

/// Bytes charged to one vector index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorCharge {
    /// The index.
    pub id: IndexId,
    /// Its name.
    pub name: String,
    /// What was written or searched.
    pub bytes: u64,
}

/// Capacity consumed by one index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexCharge {
    /// The index.
    pub id: IndexId,
    /// Its name.
    pub name: String,
    /// Local or global.
    pub kind: IndexKind,
    /// What it consumed.
    pub units: HalfUnits,
}

impl Receipt {
    /// A receipt of the table alone.
    pub fn of_table(table: HalfUnits) -> Receipt {
        Receipt { table, ..Receipt::default() }
    }

    /// Table and indexes together.
    pub fn total(&self) -> HalfUnits {
        self.indexes.iter().fold(self.table, |sum, charge| sum + charge.units)
    }

    /// Charges an index.
    pub fn charge(&mut self, index: &Index, units: HalfUnits) {
        match self.indexes.iter_mut().find(|charge| charge.id == index.id) {
            Some(charge) => charge.units += units,
            None => self.indexes.push(IndexCharge { id: index.id, name: index.name.clone(), kind: index.kind, units }),
        }
    }

    /// Charges a vector index.
    pub fn charge_vectors(&mut self, index: &Index, bytes: u64) {
        self.add_vectors(VectorCharge { id: index.id, name: index.name.clone(), bytes });
    }

    fn add_vectors(&mut self, charge: VectorCharge) {
        match self.vectors.iter_mut().find(|known| known.id == charge.id) {
            Some(known) => known.bytes += charge.bytes,
            None => self.vectors.push(charge),
        }
    }

    /// Charges all units so many times. Bytes of vector indexes stay as they are (public records of answers).
    pub(crate) fn multiply(&mut self, times: u64) {
        self.table.0 *= times;
        self.indexes.iter_mut().for_each(|charge| charge.units.0 *= times);
    }

    /// Adds another operation on the same table.
    pub fn merge(&mut self, other: Receipt) {
        self.table += other.table;
        for charge in other.indexes {
            match self.indexes.iter_mut().find(|known| known.id == charge.id) {
                Some(known) => known.units += charge.units,
                None => self.indexes.push(charge),
            }
        }
        other.vectors.into_iter().for_each(|charge| self.add_vectors(charge));
    }
}
