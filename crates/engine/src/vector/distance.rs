//! How near a stored vector is: the one place of the engine that computes with floating point.
//!
//! Elements are f32, sums are f64, and a score beyond what an f32 can be is the largest f32, as the service does (public
//! records of answers). What must stay true: a vector's score is the same on every machine, so sums are taken in eight
//! lanes that are added up in one order, whatever the processor could do at once; no score is NaN, because elements are
//! finite and their products and sums stay far within an f64.
#![allow(clippy::float_arithmetic, reason = "distances are what floating point is for")]

use stator_model::table::Distance;
use wide::f64x4;

use crate::keyspace::vector_entry::ELEMENT_BYTES;

/// Elements taken in one step.
const LANES: usize = 8;

/// The vector that is searched for, made ready to be compared with stored ones.
#[derive(Debug, Clone)]
pub struct Query {
    distance: Distance,
    /// Eight elements each; the last ones are filled up with zeros.
    steps: Vec<[f64x4; 2]>,
    square: f64,
}

/// Two halves of eight running sums.
#[derive(Clone, Copy)]
struct Sums([f64x4; 2]);

impl Sums {
    const ZERO: Sums = Sums([f64x4::ZERO; 2]);

    fn add(&mut self, low: f64x4, high: f64x4) {
        self.0[0] += low;
        self.0[1] += high;
    }

    fn total(self) -> f64 {
        let [a, b, c, d] = (self.0[0] + self.0[1]).to_array();
        (a + b) + (c + d)
    }
}

impl Query {
    /// Takes the vector that is searched for.
    pub fn new(distance: Distance, vector: &[f32]) -> Query {
        let bytes: Vec<u8> = vector.iter().flat_map(|element| element.to_le_bytes()).collect();
        let steps: Vec<[f64x4; 2]> = steps(&bytes).collect();
        let mut sums = Sums::ZERO;
        steps.iter().for_each(|[low, high]| sums.add(*low * *low, *high * *high));
        Query { distance, steps, square: sums.total() }
    }

    /// Whether higher scores are nearer.
    pub fn is_nearer_above(&self) -> bool {
        self.distance == Distance::DotProduct
    }

    /// The score of a stored vector of as many dimensions.
    pub fn score(&self, stored: &[u8]) -> f64 {
        const SCORE_MAX: f64 = f32::MAX as f64;
        let score = match self.distance {
            Distance::Cosine => self.cosine(stored),
            Distance::DotProduct => self.dot_product(stored),
            Distance::Euclidean => self.euclidean(stored),
        };
        score.clamp(-SCORE_MAX, SCORE_MAX)
    }

    fn dot_product(&self, stored: &[u8]) -> f64 {
        let mut sums = Sums::ZERO;
        for (query, stored) in self.steps.iter().zip(steps(stored)) {
            sums.add(query[0] * stored[0], query[1] * stored[1]);
        }
        sums.total()
    }

    /// A vector of zeros has no direction: it is at 1 from everything.
    fn cosine(&self, stored: &[u8]) -> f64 {
        let (mut products, mut squares) = (Sums::ZERO, Sums::ZERO);
        for (query, stored) in self.steps.iter().zip(steps(stored)) {
            products.add(query[0] * stored[0], query[1] * stored[1]);
            squares.add(stored[0] * stored[0], stored[1] * stored[1]);
        }
        // The root of the product, not the product of the roots: for a vector and itself it is exact.
        let lengths = (self.square * squares.total()).sqrt();
        if lengths > 0.0 { (1.0 - products.total() / lengths).clamp(0.0, 2.0) } else { 1.0 }
    }

    fn euclidean(&self, stored: &[u8]) -> f64 {
        let mut sums = Sums::ZERO;
        for (query, stored) in self.steps.iter().zip(steps(stored)) {
            let (low, high) = (query[0] - stored[0], query[1] - stored[1]);
            sums.add(low * low, high * high);
        }
        sums.total().sqrt()
    }
}

/// The elements of a stored vector, eight at a time.
fn steps(stored: &[u8]) -> impl Iterator<Item = [f64x4; 2]> {
    let (whole, rest) = stored.as_chunks::<{ LANES * ELEMENT_BYTES }>();
    let last = (!rest.is_empty()).then(|| {
        let mut last = [0; LANES * ELEMENT_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        widen(&last)
    });
    whole.iter().map(widen).chain(last)
}

fn widen(bytes: &[u8; LANES * ELEMENT_BYTES]) -> [f64x4; 2] {
    let (elements, _) = bytes.as_chunks::<ELEMENT_BYTES>();
    let at = |lane: usize| f64::from(f32::from_le_bytes(elements[lane]));
    [f64x4::new([at(0), at(1), at(2), at(3)]), f64x4::new([at(4), at(5), at(6), at(7)])]
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "scores are the same on every machine, to the bit")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(vector: &[f32]) -> Vec<u8> {
        vector.iter().flat_map(|element| element.to_le_bytes()).collect()
    }

    fn score(distance: Distance, query: &[f32], other: &[f32]) -> f64 {
        Query::new(distance, query).score(&stored(other))
    }

    /// The definitions, element by element.
    fn naive(distance: Distance, query: &[f32], other: &[f32]) -> f64 {
        let pairs = || query.iter().zip(other).map(|(left, right)| (f64::from(*left), f64::from(*right)));
        let dot: f64 = pairs().map(|(left, right)| left * right).sum();
        let (left, right): (f64, f64) = pairs().fold((0.0, 0.0), |(l, r), (left, right)| (l + left * left, r + right * right));
        match distance {
            Distance::DotProduct => dot,
            Distance::Euclidean => pairs().map(|(left, right)| (left - right) * (left - right)).sum::<f64>().sqrt(),
            Distance::Cosine if left == 0.0 || right == 0.0 => 1.0,
            Distance::Cosine => 1.0 - dot / (left.sqrt() * right.sqrt()),
        }
    }

    const DISTANCES: [Distance; 3] = [Distance::Cosine, Distance::DotProduct, Distance::Euclidean];

    fn vectors() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        (1_usize..40).prop_flat_map(|len| (prop::collection::vec(-100.0_f32..100.0, len), prop::collection::vec(-100.0_f32..100.0, len)))
    }

    proptest! {
        #[test]
        fn scores_are_those_of_the_definitions((query, other) in vectors()) {
            for distance in DISTANCES {
                let (fast, slow) = (score(distance, &query, &other), naive(distance, &query, &other));
                prop_assert!((fast - slow).abs() <= 1e-9 * slow.abs().max(1.0), "{distance:?}: {fast} instead of {slow}");
            }
        }

        #[test]
        fn a_vector_is_at_zero_from_itself((query, _) in vectors()) {
            prop_assert_eq!(score(Distance::Euclidean, &query, &query), 0.0);
            let is_zero = query.iter().all(|element| *element == 0.0);
            prop_assert_eq!(score(Distance::Cosine, &query, &query), if is_zero { 1.0 } else { 0.0 });
        }
    }

    #[test]
    fn zeros_have_no_direction_and_small_vectors_have() {
        assert_eq!(score(Distance::Cosine, &[0.0, 0.0], &[1.0, 2.0]), 1.0);
        assert_eq!(score(Distance::Cosine, &[1.0, 2.0], &[0.0, 0.0]), 1.0);
        assert_eq!(score(Distance::Cosine, &[1e-45, 0.0], &[1e-45, 0.0]), 0.0);
        assert_eq!(score(Distance::Cosine, &[1.0, 0.0], &[-3.0, 0.0]), 2.0);
    }

    #[test]
    fn scores_end_at_the_largest_f32() {
        let largest = f64::from(f32::MAX);
        assert_eq!(score(Distance::DotProduct, &[f32::MAX, 0.0], &[f32::MAX, 0.0]), largest);
        assert_eq!(score(Distance::DotProduct, &[f32::MAX, 0.0], &[-f32::MAX, 0.0]), -largest);
        assert_eq!(score(Distance::Euclidean, &[f32::MAX, 0.0], &[-f32::MAX, 0.0]), largest);
        assert_eq!(score(Distance::DotProduct, &[f32::MAX, f32::MAX], &[f32::MAX, -f32::MAX]), 0.0);
    }
}
