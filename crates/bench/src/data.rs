//! The data of every measurement: items of about 1 KB that are the same in each run.
//!
//! An item is what an order might be: short attributes, a set, a list, prose, and bytes that do not compress. Of its text
//! about 55 % is prose from a small vocabulary and the rest is random, so that compression neither shines nor fails.
//! What must stay true: item `i` of a seed is the same bytes everywhere, and its DynamoDB size is within 2 % of 1000.

use std::fmt::Write;

/// Items that share a partition key: a query of a partition is one page.
pub(crate) const PARTITION_ITEMS: u64 = 100;

const WORDS: [&str; 32] = [
    "amber", "basket", "copper", "delivery", "early", "fragile", "garden", "harbour", "invoice", "jacket", "kettle", "ladder", "morning",
    "needle", "orchard", "parcel", "quiet", "ribbon", "silver", "timber", "umbrella", "velvet", "window", "yellow", "zinc", "of", "the",
    "and", "with", "for", "late", "blue",
];
const CITIES: [&str; 16] = [
    "Aarhus", "Bergen", "Cork", "Dijon", "Essen", "Faro", "Ghent", "Hamar", "Izmir", "Jena", "Kiel", "Lille", "Malmo", "Nantes", "Oulu",
    "Porto",
];
const STATES: [&str; 5] = ["new", "paid", "packed", "shipped", "returned"];
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const PROSE_BYTES: usize = 500;
const TOKEN_BYTES: usize = 354;

/// Numbers that look random and are the same in each run (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
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
        u64::try_from((u128::from(self.next()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// A number above 0 and at most 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let numerator = ((self.next() >> 11) + 1) as f64;
        numerator / 9_007_199_254_740_992.0
    }
}

/// Writes the key of item `at`: `"pk":{…},"sk":{…}`.
pub(crate) fn push_key(text: &mut String, at: u64) {
    let _ = write!(text, r#""pk":{{"S":"customer#{:08}"}},"sk":{{"N":"{}"}}"#, at / PARTITION_ITEMS, at % PARTITION_ITEMS);
}

/// Writes item `at` as the JSON of an attribute map, in the state that `seed` gives it.
pub(crate) fn push_item(text: &mut String, at: u64, seed: u64) {
    let mut random = Random::new(at ^ seed.rotate_left(32));
    text.push('{');
    push_key(text, at);
    let city = CITIES[index(&mut random, CITIES.len())];
    let state = STATES[index(&mut random, STATES.len())];
    let _ = write!(text, r#","city":{{"S":"{city}{:03}"}},"state":{{"S":"{state}"}}"#, random.below(1000));
    let _ = write!(text, r#","at":{{"N":"{}"}}"#, 1_700_000_000_000 + random.below(90_000_000_000));
    let _ =
        write!(text, r#","total":{{"N":"{}.{:02}"}},"n":{{"N":"0"}},"gift":{{"BOOL":true}}"#, random.below(10_000), 1 + random.below(99));
    text.push_str(r#","tags":{"SS":["small","red","sale"]},"lines":{"L":[{"M":{"sku":{"S":""#);
    push_token(text, &mut random, 12);
    let _ = write!(text, r#""}},"count":{{"N":"{}"}}}}}}]}},"note":{{"S":""#, 1 + random.below(9));
    let end = text.len() + PROSE_BYTES;
    while text.len() < end {
        text.push_str(WORDS[index(&mut random, WORDS.len())]);
        text.push(' ');
    }
    text.truncate(end);
    text.push_str(r#""},"token":{"S":""#);
    push_token(text, &mut random, TOKEN_BYTES);
    text.push_str(r#""}}"#);
}

/// Writes a small item of about 100 bytes: for streams and deadlines, where the number of rows matters.
pub(crate) fn push_small_item(text: &mut String, at: u64, extra: &str) {
    let mut random = Random::new(at);
    text.push('{');
    push_key(text, at);
    text.push_str(r#","token":{"S":""#);
    push_token(text, &mut random, 40);
    let _ = write!(text, r#""}}{extra}}}"#);
}

fn push_token(text: &mut String, random: &mut Random, bytes: usize) {
    let mut bits = 0;
    for at in 0..bytes {
        if at % 10 == 0 {
            bits = random.next();
        }
        text.push(char::from(DIGITS[usize::try_from(bits & 63).unwrap_or(0)]));
        bits >>= 6;
    }
}

fn index(random: &mut Random, len: usize) -> usize {
    usize::try_from(random.below(len as u64)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_the_same_each_time_and_another_seed_is_another_state_of_it() {
        let item = |at, seed| {
            let mut text = String::new();
            push_item(&mut text, at, seed);
            text
        };
        assert_eq!(item(7, 1), item(7, 1));
        assert_ne!(item(7, 1), item(7, 2));
        assert_ne!(item(7, 1), item(8, 1));
        assert!(item(7, 2).starts_with(r#"{"pk":{"S":"customer#00000000"},"sk":{"N":"7"},"#));
    }

    #[test]
    fn an_item_is_about_a_kilobyte_of_json_and_parses() {
        for at in 0..200 {
            let mut text = String::new();
            push_item(&mut text, at, 0);
            let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(parsed["note"]["S"].as_str().unwrap().len(), PROSE_BYTES);
            let bytes = size(&serde_json::json!({ "M": parsed })) - 3;
            assert!((980..=1020).contains(&bytes), "{bytes}");
        }
    }

    /// The size of a value by the service's rules, good for the types used here.
    fn size(value: &serde_json::Value) -> usize {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "S" => value.as_str().unwrap().len(),
            "N" => value.as_str().unwrap().len().div_ceil(2) + 1,
            "BOOL" => 1,
            "SS" => value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().len()).sum(),
            "L" => 3 + value.as_array().unwrap().iter().map(|value| 1 + size(value)).sum::<usize>(),
            "M" => 3 + value.as_object().unwrap().iter().map(|(name, value)| name.len() + 1 + size(value)).sum::<usize>(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn fractions_stay_in_their_bounds() {
        let mut random = Random::new(3);
        for _ in 0..1000 {
            let fraction = random.fraction();
            assert!(fraction > 0.0 && fraction <= 1.0);
            assert!(random.below(10) < 10);
        }
    }
}
