//! The items of the load: what one looks like follows from who owns it, where it lies, and one number.
//!
//! What must stay true: a number is written once, so that whoever reads an item knows which write it comes from, and that an
//! item of two writes, or of half a write, is seen to be one.

use serde_json::{Value, json};

/// What a place holds: the number of the write, or nothing.
pub(crate) type State = Option<u64>;

/// Places that a client owns in the table with indexes and a stream.
pub(crate) const INDEXED_PLACES: u64 = 16;
/// Further ones there whose items may be due for expiry.
pub(crate) const FLEETING_PLACES: u64 = 4;
/// Further ones in a table without anything.
pub(crate) const PLAIN_PLACES: u64 = 6;
/// All places of a client.
pub(crate) const PLACES: u64 = INDEXED_PLACES + FLEETING_PLACES + PLAIN_PLACES;
/// Kinds of items, the partitions of the global index.
pub(crate) const KINDS: u64 = 5;

pub(crate) const INDEXED: &str = "Indexed";
pub(crate) const PLAIN: &str = "Plain";

/// Once in so many items one is large enough for a file of blobs.
const LARGE_PERIOD: u64 = 211;
const LARGE_BYTES: usize = 70_000;
const SMALL_BYTES_MAX: u64 = 600;
/// Two times, one long ago and one far off, in seconds.
const PAST_S: u64 = 1_700_000_000;
const FUTURE_S: u64 = 4_000_000_000;

/// The table of a place.
pub(crate) fn table(place: u64) -> &'static str {
    if place < INDEXED_PLACES + FLEETING_PLACES { INDEXED } else { PLAIN }
}

/// Whether items there may be removed because their time has come.
pub(crate) fn is_fleeting(place: u64) -> bool {
    (INDEXED_PLACES..INDEXED_PLACES + FLEETING_PLACES).contains(&place)
}

/// Whether this very item is due.
pub(crate) fn is_due(place: u64, number: u64) -> bool {
    is_fleeting(place) && number.is_multiple_of(2)
}

/// The key of a place.
pub(crate) fn key(owner: u64, place: u64) -> Value {
    json!({"owner": {"S": owner_name(owner)}, "place": {"N": place.to_string()}})
}

pub(crate) fn owner_name(owner: u64) -> String {
    format!("client {owner}")
}

pub(crate) fn kind(number: u64) -> String {
    format!("kind {}", number % KINDS)
}

/// The attributes beside the key.
pub(crate) fn attributes(place: u64, number: u64) -> Value {
    let pad_bytes = if number.is_multiple_of(LARGE_PERIOD) {
        LARGE_BYTES
    } else {
        usize::try_from(number.wrapping_mul(31) % SMALL_BYTES_MAX).expect("below a small bound")
    };
    let mut attributes = json!({
        "number": {"N": number.to_string()},
        "kind": {"S": kind(number)},
        "filling": {"S": char::from(b'a' + u8::try_from(number % 26).expect("below 26")).to_string().repeat(pad_bytes)},
    });
    if is_fleeting(place) {
        let until_s = if is_due(place, number) { PAST_S } else { FUTURE_S };
        attributes["until"] = json!({"N": until_s.to_string()});
    }
    attributes
}

/// The item.
pub(crate) fn whole(owner: u64, place: u64, number: u64) -> Value {
    let mut item = key(owner, place);
    if let (Some(item), Value::Object(attributes)) = (item.as_object_mut(), attributes(place, number)) {
        item.extend(attributes);
    }
    item
}

/// The number of an attribute of type N.
pub(crate) fn number_of(item: &Value, attribute: &str) -> Option<u64> {
    item[attribute]["N"].as_str()?.parse().ok()
}

/// Who owns an item, and where it lies.
pub(crate) fn place_of(item: &Value) -> Option<(u64, u64)> {
    let owner = item["owner"]["S"].as_str()?.strip_prefix("client ")?.parse().ok()?;
    Some((owner, number_of(item, "place")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_tells_where_it_belongs_and_which_write_it_comes_from() {
        let item = whole(3, 17, 1234);
        assert_eq!((place_of(&item), number_of(&item, "number")), (Some((3, 17)), Some(1234)));
        assert_ne!(item, whole(3, 17, 1235));
        assert!(is_due(17, 1234) && !is_due(17, 1235) && !is_due(3, 1234));
    }
}
