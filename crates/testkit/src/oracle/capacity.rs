//! What operations consume, worked out from the sizes of items.
//!
//! Source: developer guide, "Item sizes and formats" and "Read and write operations"; for numbers `behaviours.md` 24, for
//! pages 28. What must stay true: sizes are measured on the values, as a reader of the guide would; everything is counted in
//! halves of a unit.

use stator_model::Value;

use super::Attributes;
use super::tree::View;
use crate::json::Json;

const WRITE_UNIT_BYTES: usize = 1024;
const READ_UNIT_BYTES: usize = 4096;

/// Half units by where they were consumed: the table, byL, byG, byH.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Consumed([u64; 4]);

/// What units are called beside `CapacityUnits`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Plain,
    Reads,
    Writes,
}

fn text_of_number(number: &str) -> usize {
    let (mantissa, exponent) =
        number.split_once(['e', 'E']).map_or((number, 0), |(mantissa, exponent)| (mantissa, exponent.parse::<i64>().unwrap_or(0)));
    let (whole, fraction) = mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
    // Digits with the place of the first one in front of the point, trimmed on both sides.
    let all = format!("{whole}{fraction}");
    let length = |text: &str| i64::try_from(text.len()).expect("a numeral is short");
    let digits = length(all.trim_matches('0'));
    if digits == 0 {
        return 1;
    }
    let leading = length(&all) - length(all.trim_start_matches('0'));
    let whole_digits = (length(whole) + exponent - leading).clamp(0, digits);
    let pairs = |digits: i64| usize::try_from((digits + 1) / 2).unwrap_or(0);
    1 + pairs(whole_digits) + pairs(digits - whole_digits)
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::S(text) => text.len(),
        Value::B(bytes) => bytes.len(),
        Value::N(number) => text_of_number(&number.to_string()),
        Value::SS(set) => set.iter().map(String::len).sum(),
        Value::NS(set) => set.iter().map(|number| text_of_number(&number.to_string())).sum(),
        Value::BS(set) => set.iter().map(Vec::len).sum(),
        Value::L(list) => 3 + list.iter().map(|element| 1 + value_bytes(element)).sum::<usize>(),
        Value::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + value_bytes(value)).sum::<usize>(),
    }
}

/// The size of an item, or of what an index has of one.
pub(super) fn bytes(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// Half units of an image that is written.
fn written(bytes: usize) -> u64 {
    2 * bytes.div_ceil(WRITE_UNIT_BYTES).max(1) as u64
}

/// Half units of an eventually consistent read of so many bytes at once.
pub fn read(bytes: usize) -> u64 {
    bytes.div_ceil(READ_UNIT_BYTES).max(1) as u64
}

fn place(view: View) -> usize {
    match view {
        View::Table => 0,
        View::ByL => 1,
        View::ByG => 2,
        View::ByH => 3,
    }
}

/// The attributes by which an index finds an entry.
fn index_keys(view: View) -> &'static [&'static str] {
    match view {
        View::Table => &[],
        View::ByL => &["l"],
        View::ByG => &["g", "h"],
        View::ByH => &["h"],
    }
}

impl Consumed {
    /// What a write consumes that makes one item of another.
    pub(super) fn by_write(
        old: Option<&Attributes>,
        new: Option<&Attributes>,
        carried: &dyn Fn(View, &Attributes) -> Option<Attributes>,
    ) -> Consumed {
        let larger = old.into_iter().chain(new).map(bytes).max().unwrap_or(0);
        let mut consumed = Consumed([written(larger), 0, 0, 0]);
        for view in [View::ByL, View::ByG, View::ByH] {
            let (before, after) = (old.and_then(|old| carried(view, old)), new.and_then(|new| carried(view, new)));
            consumed.0[place(view)] = match (&before, &after) {
                (None, None) => 0,
                (Some(only), None) | (None, Some(only)) => written(bytes(only)),
                (Some(before), Some(after)) if before == after => 0,
                (Some(before), Some(after)) => {
                    let moves = index_keys(view).iter().any(|name| before.get(*name) != after.get(*name));
                    if moves { written(bytes(before)) + written(bytes(after)) } else { written(bytes(before).max(bytes(after))) }
                }
            };
        }
        consumed
    }

    /// What reading one item eventually consistently consumes.
    pub(super) fn by_read(item: Option<&Attributes>) -> Consumed {
        Consumed([read(item.map_or(0, bytes)), 0, 0, 0])
    }

    /// So many times as much.
    pub(super) fn times(self, times: u64) -> Consumed {
        Consumed(self.0.map(|halves| times * halves))
    }

    /// The member `ConsumedCapacity` of one table.
    pub(super) fn json(self, named: Named) -> Json {
        let units = |halves: u64| {
            let number = Json::Number(format!("{}.{}", halves / 2, if halves.is_multiple_of(2) { 0 } else { 5 }));
            let mut members = vec![("CapacityUnits".to_owned(), number.clone())];
            match named {
                Named::Plain => {}
                Named::Reads => members.push(("ReadCapacityUnits".to_owned(), number)),
                Named::Writes => members.push(("WriteCapacityUnits".to_owned(), number)),
            }
            members
        };
        let mut members = units(self.0.iter().sum());
        members.push(("TableName".to_owned(), Json::text("Tab")));
        members.push(("Table".to_owned(), Json::Object(units(self.0[0]))));
        let indexes = |of: &[(&str, u64)]| -> Vec<(String, Json)> {
            of.iter().filter(|(_, halves)| *halves > 0).map(|(name, halves)| ((*name).to_owned(), Json::Object(units(*halves)))).collect()
        };
        let local = indexes(&[("byL", self.0[1])]);
        let global = indexes(&[("byG", self.0[2]), ("byH", self.0[3])]);
        for (name, indexes) in [("LocalSecondaryIndexes", local), ("GlobalSecondaryIndexes", global)] {
            if !indexes.is_empty() {
                members.push((name.to_owned(), Json::Object(indexes)));
            }
        }
        Json::Object(members)
    }
}

impl std::iter::Sum for Consumed {
    fn sum<I: Iterator<Item = Consumed>>(all: I) -> Consumed {
        all.fold(Consumed::default(), |sum, one| Consumed(std::array::from_fn(|at| sum.0[at] + one.0[at])))
    }
}

#[cfg(test)]
mod tests {
    use super::text_of_number;

    #[test]
    fn a_number_is_as_long_as_its_digits_on_both_sides_of_the_point() {
        for (text, bytes) in
            [("0", 1), ("7", 2), ("-7", 2), ("100", 2), ("12345", 4), ("0.5", 2), ("12.5", 3), ("0.00012", 2), ("1E20", 2), ("1.25e-3", 3)]
        {
            assert_eq!(text_of_number(text), bytes, "{text}");
        }
    }
}
