//! The rows of a space, in order, in pieces that copies share.
//!
//! A copy costs a pointer per some hundred rows, and a change afterwards copies the piece that it falls into; so states can be
//! kept and brought back in no time. What must stay true: a piece holds the keys from its bound up to the next one, the first
//! bound is empty, and no piece but the first is.

use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

use crate::range::Direction;
use crate::store::Version;

/// A row that is not its key: version and value.
pub(super) type Row = (Version, Bytes);

type Piece = BTreeMap<Vec<u8>, Row>;

/// Rows of a piece, beyond which it becomes two.
const PIECE_ROWS_MAX: usize = 512;

/// Rows by their joined keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pieces: BTreeMap<Vec<u8>, Arc<Piece>>,
}

impl Rows {
    pub(super) fn get(&self, key: &[u8]) -> Option<&Row> {
        let (_, piece) = self.pieces.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back()?;
        piece.get(key)
    }

    pub(super) fn insert(&mut self, key: Vec<u8>, row: Row) {
        if self.pieces.is_empty() {
            self.pieces.insert(Vec::new(), Arc::default());
        }
        let piece = self.piece_mut(&key).expect("the first piece begins before every key");
        piece.insert(key, row);
        if piece.len() > PIECE_ROWS_MAX {
            let middle = piece.keys().nth(PIECE_ROWS_MAX / 2).expect("the piece is longer").clone();
            let upper = piece.split_off(&middle);
            self.pieces.insert(middle, Arc::new(upper));
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        // What is shared is not copied for nothing.
        if self.get(key).is_some()
            && let Some(piece) = self.piece_mut(key)
        {
            piece.remove(key);
            if piece.is_empty() {
                self.drop_empty(key);
            }
        }
    }

    /// Removes the rows from one key up to, but without, another.
    pub(super) fn remove_range(&mut self, from: &[u8], to: &[u8]) {
        if from >= to {
            return;
        }
        let bounds: Vec<Vec<u8>> = self.spanned(Bound::Included(from), Bound::Excluded(to)).map(|(bound, _)| bound.clone()).collect();
        for bound in bounds {
            let Some(piece) = self.pieces.get_mut(&bound).map(Arc::make_mut) else { continue };
            let mut kept = piece.split_off(from).split_off(to);
            piece.append(&mut kept);
            if piece.is_empty() {
                self.drop_empty(&bound);
            }
        }
    }

    /// Shows the rows between two bounds, which have to be in order, until `see` wants no more.
    pub(super) fn visit(&self, from: Bound<&[u8]>, to: Bound<&[u8]>, direction: Direction, mut see: impl FnMut(&Vec<u8>, &Row) -> bool) {
        let pieces = self.spanned(from, to);
        match direction {
            Direction::Forward => {
                pieces.flat_map(|(_, piece)| piece.range::<[u8], _>((from, to))).all(|(key, row)| see(key, row));
            }
            Direction::Backward => {
                pieces.rev().flat_map(|(_, piece)| piece.range::<[u8], _>((from, to)).rev()).all(|(key, row)| see(key, row));
            }
        }
    }

    /// Every so many keys, without the first.
    pub(super) fn keys_apart(&self, step: usize) -> Vec<Vec<u8>> {
        self.pieces.values().flat_map(|piece| piece.keys()).step_by(step).skip(1).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.pieces.values().map(|piece| piece.len()).sum()
    }

    /// The pieces that may hold rows between two bounds.
    fn spanned(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_, Vec<u8>, Arc<Piece>> {
        let first = match from {
            Bound::Included(key) | Bound::Excluded(key) => {
                self.pieces.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back().map(|(bound, _)| bound.as_slice())
            }
            Bound::Unbounded => None,
        };
        let last = match to {
            Bound::Included(key) | Bound::Excluded(key) => Bound::Included(key),
            Bound::Unbounded => Bound::Unbounded,
        };
        self.pieces.range::<[u8], _>((first.map_or(Bound::Unbounded, Bound::Included), last))
    }

    fn piece_mut(&mut self, key: &[u8]) -> Option<&mut Piece> {
        let (_, piece) = self.pieces.range_mut::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back()?;
        Some(Arc::make_mut(piece))
    }

    /// Drops the empty piece that a key falls into, unless it is the first: those before it take its keys.
    fn drop_empty(&mut self, key: &[u8]) {
        let last = self.pieces.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back();
        if let Some(bound) = last.map(|(bound, _)| bound.clone()).filter(|bound| !bound.is_empty()) {
            self.pieces.remove(&bound);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Plain = BTreeMap<Vec<u8>, Row>;

    fn row(value: u16) -> Row {
        (Version(u64::from(value)), Bytes::copy_from_slice(&value.to_be_bytes()))
    }

    fn key(number: u16) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    fn seen(rows: &Rows, from: Bound<&[u8]>, to: Bound<&[u8]>, direction: Direction) -> Vec<(Vec<u8>, Row)> {
        let mut seen = Vec::new();
        rows.visit(from, to, direction, |key, row| {
            seen.push((key.clone(), row.clone()));
            true
        });
        seen
    }

    fn same(rows: &Rows, plain: &Plain) -> bool {
        let keys: Vec<Vec<u8>> = plain.keys().skip(1).cloned().collect();
        rows.len() == plain.len()
            && seen(rows, Bound::Unbounded, Bound::Unbounded, Direction::Forward).into_iter().eq(plain.clone())
            && rows.keys_apart(1) == keys
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn rows_in_pieces_are_the_rows_of_a_plain_map_and_copies_keep_their_own(
            steps in prop::collection::vec((0..4_u8, 0..4000_u16, 0..4000_u16), 1..40),
        ) {
            let (mut rows, mut plain) = (Rows::default(), Plain::default());
            let mut copies = Vec::new();
            for (kind, one, other) in steps {
                let (low, high) = (one.min(other), one.max(other));
                match kind {
                    0 | 1 => (low..high).for_each(|number| {
                        rows.insert(key(number), row(one));
                        plain.insert(key(number), row(one));
                    }),
                    2 => (low..high).step_by(3).for_each(|number| {
                        rows.remove(&key(number));
                        plain.remove(&key(number));
                    }),
                    _ => {
                        rows.remove_range(&key(low), &key(high));
                        plain.retain(|known, _| *known < key(low) || *known >= key(high));
                    }
                }
                let (from, to) = (key(low), key(high));
                let (from, to) = (Bound::Excluded(from.as_slice()), Bound::Included(to.as_slice()));
                if low < high {
                    let mut expected: Vec<_> = plain.range::<[u8], _>((from, to)).map(|(key, row)| (key.clone(), row.clone())).collect();
                    prop_assert_eq!(&seen(&rows, from, to, Direction::Forward), &expected);
                    expected.reverse();
                    prop_assert_eq!(seen(&rows, from, to, Direction::Backward), expected);
                }
                prop_assert_eq!(rows.get(&key(one)), plain.get(&key(one)));
                prop_assert!(rows.pieces.iter().all(|(bound, piece)| bound.is_empty() || !piece.is_empty()));
                copies.push((rows.clone(), plain.clone()));
            }
            prop_assert!(copies.iter().all(|(rows, plain)| same(rows, plain)));
        }
    }
}
