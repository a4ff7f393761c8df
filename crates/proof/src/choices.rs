//! Repeatable choices.
//!
//! What must stay true: the same seed gives the same choices on every machine and in every version, because seeds are noted.

/// A source of choices (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn of(seed: u64) -> Choices {
        Choices(seed)
    }

    /// A source of its own for a part of the run, whatever the other parts take.
    pub(crate) fn part(seed: u64, part: u64) -> Choices {
        let mut choices = Choices(seed ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        Choices(choices.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Whether what happens once in so many times happens now.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Choices;

    #[test]
    fn a_seed_is_a_history() {
        let drawn = |mut choices: Choices| (0..4).map(|_| choices.below(1000)).collect::<Vec<_>>();
        assert_eq!(drawn(Choices::of(1)), drawn(Choices::of(1)));
        assert_ne!(drawn(Choices::part(1, 1)), drawn(Choices::part(1, 2)));
    }
}
