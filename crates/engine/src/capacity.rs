//! The arithmetic of capacity units, exact and without floating point.
//!
//! Half units are counted, because an eventually consistent read of up to 4 KB costs half a unit. Source: developer guide,
//! "Read and write operations" of provisioned mode. What must stay true: nothing else rounds bytes to units.

use stator_model::limits::{READ_UNIT_BYTES, WRITE_UNIT_BYTES};

/// Whether a read is strongly or eventually consistent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// A unit per 4 KB.
    Strong,
    /// Half a unit per 4 KB.
    Eventual,
}

/// Capacity in halves of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HalfUnits(pub u64);

impl HalfUnits {
    /// What reading these bytes at once costs; reading nothing costs as much as reading one byte.
    pub fn of_read(bytes: usize, consistency: Consistency) -> HalfUnits {
        let blocks = bytes.div_ceil(READ_UNIT_BYTES).max(1) as u64;
        HalfUnits(match consistency {
            Consistency::Strong => 2 * blocks,
            Consistency::Eventual => blocks,
        })
    }

    /// What writing an image of these bytes costs; at least one unit.
    pub fn of_write(bytes: usize) -> HalfUnits {
        HalfUnits(2 * bytes.div_ceil(WRITE_UNIT_BYTES).max(1) as u64)
    }
}

impl std::ops::Add for HalfUnits {
    type Output = HalfUnits;

    fn add(self, other: HalfUnits) -> HalfUnits {
        HalfUnits(self.0 + other.0)
    }
}

impl std::ops::AddAssign for HalfUnits {
    fn add_assign(&mut self, other: HalfUnits) {
        self.0 += other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_round_up_to_4_kb_and_writes_to_1_kb() {
        for (bytes, strong) in [(0, 2), (1, 2), (4096, 2), (4097, 4)] {
            assert_eq!(HalfUnits::of_read(bytes, Consistency::Strong), HalfUnits(strong));
            assert_eq!(HalfUnits::of_read(bytes, Consistency::Eventual), HalfUnits(strong / 2));
        }
        for (bytes, units) in [(0, 1), (1024, 1), (1025, 2), (400 * 1024, 400)] {
            assert_eq!(HalfUnits::of_write(bytes), HalfUnits(2 * units));
        }
    }
}
