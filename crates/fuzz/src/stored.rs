//! Bytes that may be a stored item: looked at whole, if they pass.
//!
//! What must stay true: what passes can be walked through without a panic, and there is one encoding of each item: decoded
//! and encoded again it is the same.

use stator_engine::encoding::stored;
use stator_model::{RawValue, Value, ValueRef};

use crate::{Target, way};

pub(crate) const TARGET: Target = Target {
    name: "stored",
    words: &[
        "\u{1}\n\0\0\0\0\0\0\0\0",
        "\0\0\0\0",
        "\u{1}\0\0\0",
        "\u{2}\0\0\0",
        "\u{3}\u{1}x",
        "\u{4}\u{1}\u{0}",
        "\n",
        "\t",
        "\u{6}",
        "\u{7}",
        "\u{8}",
    ],
    run,
};

fn run(input: &[u8]) -> String {
    let map = match stored::validate(input) {
        Ok(map) => map,
        Err(error) => return way(&error),
    };
    let size_bytes = map.size_bytes();
    assert!(size_bytes <= 16 * input.len(), "an item is counted for {size_bytes} bytes, and {} hold it", input.len());
    for (name, value) in map.iter() {
        walk(value);
        let name = std::str::from_utf8(name).expect("names are text");
        assert_eq!(map.get(name).map(RawValue::bytes), Some(value.bytes()), "an attribute is found by its name");
    }
    let decoded = Value::from(RawValue::new(stored::unwrap(input)));
    assert_eq!(decoded.to_encoded(), stored::unwrap(input), "there is one encoding of each item");
    format!("item {}", map.len().min(4))
}

fn walk(value: RawValue<'_>) {
    match value.view() {
        ValueRef::L(list) => list.iter().for_each(walk),
        ValueRef::M(map) => map.iter().for_each(|(_, value)| walk(value)),
        ValueRef::SS(set) | ValueRef::NS(set) | ValueRef::BS(set) => {
            assert!(set.iter().all(|element| set.contains(element)), "an element of a set is in it");
        }
        ValueRef::N(number) => {
            let mut out = Vec::new();
            number.write_canonical(&mut out);
            assert_eq!(number.number().as_bytes(), number.0, "a stored number is canonical");
        }
        ValueRef::Null | ValueRef::Bool(_) | ValueRef::S(_) | ValueRef::B(_) => {}
    }
    assert!(value.compare(value).is_none_or(std::cmp::Ordering::is_eq), "a value is equal to itself");
}
