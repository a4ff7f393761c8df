//! Contiguous runs of rows, read in one direction.
//!
//! What must stay true: a range within a part is answered by the part alone; a range across parts promises no more than
//! that each row is met once, in the store's own order, and that it can be resumed after any row.

use std::ops::Bound;

use crate::space::Space;

/// Which end is met first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Ascending bytes.
    Forward,
    /// Descending bytes.
    Backward,
}

/// Rows of one space between two bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// Rows of one part; the bounds are positions within it.
    InPart {
        /// Where.
        space: Space,
        /// The part.
        part: Vec<u8>,
        /// Lower bound of `sort`.
        from: Bound<Vec<u8>>,
        /// Upper bound of `sort`.
        to: Bound<Vec<u8>>,
        /// Reading order.
        direction: Direction,
    },
    /// Rows of any part; the bounds are joined keys.
    Across {
        /// Where.
        space: Space,
        /// Lower bound.
        from: Bound<Vec<u8>>,
        /// Upper bound.
        to: Bound<Vec<u8>>,
        /// Reading order.
        direction: Direction,
    },
}

impl Range {
    /// Every row of a space.
    pub fn all(space: Space) -> Range {
        Range::Across { space, from: Bound::Unbounded, to: Bound::Unbounded, direction: Direction::Forward }
    }

    /// Every row of a space whose joined key starts with a prefix.
    pub fn prefix(space: Space, prefix: &[u8]) -> Range {
        let to = after_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded);
        Range::Across { space, from: Bound::Included(prefix.to_vec()), to, direction: Direction::Forward }
    }

    /// The space.
    pub fn space(&self) -> Space {
        match self {
            Range::InPart { space, .. } | Range::Across { space, .. } => *space,
        }
    }

    /// Reading order.
    pub fn direction(&self) -> Direction {
        match self {
            Range::InPart { direction, .. } | Range::Across { direction, .. } => *direction,
        }
    }

    /// The bounds as joined keys, for stores that lay part and sort end to end.
    pub fn joined_bounds(&self) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        match self {
            Range::Across { from, to, .. } => (from.clone(), to.clone()),
            Range::InPart { part, from, to, .. } => {
                let join = |sort: &Vec<u8>| [part.as_slice(), sort].concat();
                let from = match from {
                    Bound::Included(sort) => Bound::Included(join(sort)),
                    Bound::Excluded(sort) => Bound::Excluded(join(sort)),
                    Bound::Unbounded => Bound::Included(part.clone()),
                };
                let to = match to {
                    Bound::Included(sort) => Bound::Included(join(sort)),
                    Bound::Excluded(sort) => Bound::Excluded(join(sort)),
                    Bound::Unbounded => after_prefix(part).map_or(Bound::Unbounded, Bound::Excluded),
                };
                (from, to)
            }
        }
    }
}

/// The smallest byte string above everything that starts with `prefix`; `None` if there is none.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xFF)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::after_prefix;

    #[test]
    fn the_end_of_a_prefix_skips_full_bytes() {
        assert_eq!(after_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after_prefix(&[1, 0xFF]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xFF]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}
