//! Spaces: disjoint sets of rows, each with one owner and one access pattern.
//!
//! What must stay true: a space's number is given once and never reused, because it is part of where rows lie on disk.

/// A set of rows with its own key order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Space {
    /// The number, unique over all owners.
    pub id: u32,
    /// How its rows are used; a backend may place and tune them accordingly.
    pub profile: Profile,
}

/// The access patterns that backends distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// The primary rows: point reads, writes and in-part ranges; values may be large.
    Rows,
    /// Rows derived from primary ones: ranges, smaller values.
    Derived,
    /// Derived rows of bytes that do not compress, mostly read whole, in long scans.
    Dense,
    /// Appended in order, read in order, deleted from the front.
    Log,
    /// Few, small, often read.
    Small,
}
