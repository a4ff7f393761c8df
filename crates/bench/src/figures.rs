//! What was measured: figures by name, one value per round, and reasons where there is none.
//!
//! A name is `measure.figure`, such as `get-serve.cpu_us`. What must stay true: the n-th values of two figures were
//! measured in the same round, one soon after the other, so that their ratio means something.

use std::collections::BTreeMap;

/// All figures of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    values: BTreeMap<String, Vec<f64>>,
    reasons: BTreeMap<String, String>,
    curves: Vec<Point>,
}

/// One load of one curve.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    pub(crate) series: &'static str,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// A median between the least and the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of values; `None` if there are none.
    pub(crate) fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) };
        Some(Spread { least, median, most })
    }
}

impl Figures {
    /// Adds the value of the next round.
    pub(crate) fn record(&mut self, measure: &str, figure: &str, value: f64) {
        self.values.entry(format!("{measure}.{figure}")).or_default().push(value);
    }

    /// Notes why a measure has no figures.
    pub(crate) fn miss(&mut self, measure: &str, reason: &str) {
        self.reasons.entry(measure.to_owned()).or_insert_with(|| reason.to_owned());
    }

    pub(crate) fn plot(&mut self, point: Point) {
        self.curves.push(point);
    }

    /// The values of a figure, by round.
    pub(crate) fn values(&self, name: &str) -> &[f64] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The last value of a figure.
    pub(crate) fn last(&self, measure: &str, figure: &str) -> Option<f64> {
        self.values(&format!("{measure}.{figure}")).last().copied()
    }

    /// Why a measure has no figures, if it was tried.
    pub(crate) fn reason(&self, measure: &str) -> Option<&str> {
        self.reasons.get(measure).map(String::as_str)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.values.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    pub(crate) fn reasons(&self) -> impl Iterator<Item = (&str, &str)> {
        self.reasons.iter().map(|(name, reason)| (name.as_str(), reason.as_str()))
    }

    pub(crate) fn curves(&self) -> &[Point] {
        &self.curves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_between_the_extremes() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Some(Spread { least: 1.0, median: 2.0, most: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0]), Some(Spread { least: 1.0, median: 2.5, most: 4.0 }));
        assert_eq!(Spread::of(&[f64::NAN]), None);
    }
}
