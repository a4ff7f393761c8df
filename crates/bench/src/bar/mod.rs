//! Bars: what has to hold, judged from the figures.
//!
//! What must stay true: a bar holds only if it held in every round; one that held in some rounds is unclear; one with a
//! figure missing is absent, with the reason.

mod table;

use crate::figures::{Figures, Spread};
pub(crate) use table::BARS;

/// One bar of the table.
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    /// As a sentence.
    pub(crate) text: &'static str,
    /// How it is measured.
    pub(crate) how: &'static str,
    pub(crate) parts: &'static [Part],
}

/// One number of a bar.
pub(crate) struct Part {
    /// Empty where the bar has only one.
    pub(crate) label: &'static str,
    pub(crate) formula: Formula,
    pub(crate) limit: Limit,
    pub(crate) unit: &'static str,
}

/// Where the number comes from.
#[derive(Clone, Copy)]
pub(crate) enum Formula {
    Value(&'static str),
    Ratio(&'static str, &'static str),
}

/// What the number may be.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// How a bar or a part of it came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Holds,
    Unclear,
    Fails,
    Absent,
}

/// A part with its numbers.
pub(crate) struct Judged {
    pub(crate) spread: Option<Spread>,
    pub(crate) verdict: Verdict,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Unclear => "unclear",
            Verdict::Fails => "fails",
            Verdict::Absent => "absent",
        }
    }

    /// The worse of two; what is absent says the least and hides nothing that fails.
    fn worse(self, other: Verdict) -> Verdict {
        let rank = |verdict| match verdict {
            Verdict::Holds => 0,
            Verdict::Unclear => 1,
            Verdict::Absent => 2,
            Verdict::Fails => 3,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl Limit {
    fn allows(self, value: f64) -> bool {
        match self {
            Limit::AtMost(most) => value <= most,
            Limit::AtLeast(least) => value >= least,
        }
    }

    /// How much of the limit a value takes; above 1 is beyond it.
    fn share(self, value: f64) -> f64 {
        match self {
            Limit::AtMost(most) => value / most,
            Limit::AtLeast(least) => least / value,
        }
    }
}

impl Formula {
    /// The measures that it needs.
    fn measures(self) -> impl Iterator<Item = &'static str> {
        let (first, second) = match self {
            Formula::Value(name) => (name, None),
            Formula::Ratio(name, base) => (name, Some(base)),
        };
        [Some(first), second].into_iter().flatten().map(|name| name.split_once('.').map_or(name, |(measure, _)| measure))
    }

    fn values(self, figures: &Figures) -> Vec<f64> {
        match self {
            Formula::Value(name) => figures.values(name).to_vec(),
            Formula::Ratio(name, base) => figures.values(name).iter().zip(figures.values(base)).map(|(value, base)| value / base).collect(),
        }
    }
}

impl Part {
    pub(crate) fn judge(&self, figures: &Figures) -> Judged {
        let values = self.formula.values(figures);
        let allowed = values.iter().filter(|value| self.limit.allows(**value)).count();
        let verdict = match allowed {
            _ if values.is_empty() => Verdict::Absent,
            all if all == values.len() => Verdict::Holds,
            0 => Verdict::Fails,
            _ => Verdict::Unclear,
        };
        Judged { spread: Spread::of(&values), verdict }
    }
}

impl Bar {
    /// The measures that it needs.
    pub(crate) fn measures(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().flat_map(|part| part.formula.measures())
    }

    /// What failed once says nothing, however well it went before.
    pub(crate) fn verdict(&self, figures: &Figures) -> Verdict {
        if self.reason(figures).is_some() {
            return Verdict::Absent;
        }
        self.parts.iter().map(|part| part.judge(figures).verdict).fold(Verdict::Holds, Verdict::worse)
    }

    /// The part that takes most of its limit, with its numbers.
    pub(crate) fn nearest(&self, figures: &Figures) -> Option<(&'static Part, Spread)> {
        let parts = self.parts.iter().filter_map(|part| part.judge(figures).spread.map(|spread| (part, spread)));
        parts.max_by(|(part, spread), (other, others)| part.limit.share(spread.median).total_cmp(&other.limit.share(others.median)))
    }

    /// Why a figure is missing, if one is.
    pub(crate) fn reason<'f>(&self, figures: &'f Figures) -> Option<&'f str> {
        self.measures().find_map(|measure| figures.reason(measure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAR: Bar = Bar {
        name: "test",
        text: "",
        how: "",
        parts: &[Part { label: "", formula: Formula::Ratio("a.x", "b.x"), limit: Limit::AtMost(2.0), unit: "x" }],
    };

    fn verdict(rounds: &[(f64, f64)]) -> Verdict {
        let mut figures = Figures::default();
        for (value, base) in rounds {
            figures.record("a", "x", *value);
            figures.record("b", "x", *base);
        }
        BAR.verdict(&figures)
    }

    #[test]
    fn a_bar_holds_only_if_it_held_in_every_round() {
        assert_eq!(verdict(&[(2.0, 1.0), (1.9, 1.0)]), Verdict::Holds);
        assert_eq!(verdict(&[(2.1, 1.0), (1.9, 1.0)]), Verdict::Unclear);
        assert_eq!(verdict(&[(2.1, 1.0), (2.2, 1.0)]), Verdict::Fails);
        assert_eq!(verdict(&[]), Verdict::Absent);
    }

    #[test]
    fn a_bar_whose_measure_failed_in_a_later_round_does_not_hold() {
        let mut figures = Figures::default();
        figures.record("a", "x", 1.0);
        figures.record("b", "x", 1.0);
        figures.miss("a", "it broke");
        assert_eq!(BAR.verdict(&figures), Verdict::Absent);
    }

    #[test]
    fn every_bar_has_a_name_of_its_own_and_something_to_judge() {
        for (at, bar) in BARS.iter().enumerate() {
            assert!(BARS[..at].iter().all(|other| other.name != bar.name), "{}", bar.name);
            assert!(!bar.parts.is_empty() && !bar.text.is_empty() && !bar.how.is_empty(), "{}", bar.name);
            assert!(bar.parts.len() == 1 || bar.parts.iter().all(|part| !part.label.is_empty()), "{}", bar.name);
        }
    }
}
