//! The best so far: a heap of as many candidates as a search answers, the worst of them on top.
//!
//! What must stay true: of candidates with equal scores the one with the lower key is the better, so that the outcome does
//! not depend on the order in which they are offered.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// An entry and its score.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The score as it is answered.
    pub score: f64,
    /// The lower, the nearer.
    rank: f64,
    /// Joined key of the row.
    pub key: Vec<u8>,
    /// The row.
    pub row: Vec<u8>,
}

/// The best candidates of those offered.
#[derive(Debug)]
pub struct Best {
    heap: BinaryHeap<Candidate>,
    limit: usize,
}

impl Best {
    /// Keeps at most so many.
    pub fn new(limit: usize) -> Best {
        Best { heap: BinaryHeap::with_capacity(limit), limit }
    }

    /// Takes an entry, if it is among the best so far.
    #[expect(clippy::float_arithmetic, reason = "a change of sign, so that lower is always nearer")]
    pub fn offer(&mut self, score: f64, is_nearer_above: bool, key: &[u8], row: &[u8]) {
        let rank = if is_nearer_above { -score } else { score };
        if self.heap.len() == self.limit {
            match self.heap.peek() {
                Some(worst) if order(rank, key, worst) == Ordering::Less => self.heap.pop(),
                _ => return,
            };
        }
        self.heap.push(Candidate { score, rank, key: key.to_vec(), row: row.to_vec() });
    }

    /// What was kept, the nearest first.
    pub fn into_nearest(self) -> Vec<Candidate> {
        self.heap.into_sorted_vec()
    }
}

fn order(rank: f64, key: &[u8], other: &Candidate) -> Ordering {
    rank.total_cmp(&other.rank).then_with(|| key.cmp(&other.key))
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        order(self.rank, &self.key, other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_what_sorting_everything_would_put_first(scores in prop::collection::vec(-3_i8..3, 0..40), limit in 1_usize..12, above: bool) {
            let mut best = Best::new(limit);
            let mut all: Vec<(i8, usize)> = scores.iter().copied().zip(0..).collect();
            for (score, at) in &all {
                best.offer(f64::from(*score), above, &at.to_be_bytes(), &[]);
            }
            all.sort_by_key(|(score, at)| (if above { -score } else { *score }, *at));
            let expected: Vec<_> = all.into_iter().take(limit).map(|(score, at)| (f64::from(score), at.to_be_bytes().to_vec())).collect();
            let kept: Vec<_> = best.into_nearest().into_iter().map(|candidate| (candidate.score, candidate.key)).collect();
            prop_assert_eq!(kept, expected);
        }
    }
}
