//! Attribute values as the service spells them in JSON.
//!
//! What must stay true: sets and maps are written in the order of the model's trees; whoever compares sorts both sides.

use stator_model::Value;

use super::Attributes;
use crate::json::Json;

/// An attribute value.
pub fn json_of(value: &Value) -> Json {
    let texts = |texts: Vec<String>| Json::Array(texts.into_iter().map(Json::String).collect());
    match value {
        Value::Null => Json::single("NULL", Json::Bool(true)),
        Value::Bool(value) => Json::single("BOOL", Json::Bool(*value)),
        Value::S(text) => Json::single("S", Json::text(text.clone())),
        Value::N(number) => Json::single("N", Json::text(number.to_string())),
        Value::B(bytes) => Json::single("B", Json::text(base64(bytes))),
        Value::SS(set) => Json::single("SS", texts(set.iter().cloned().collect())),
        Value::NS(set) => Json::single("NS", texts(set.iter().map(ToString::to_string).collect())),
        Value::BS(set) => Json::single("BS", texts(set.iter().map(|bytes| base64(bytes)).collect())),
        Value::L(list) => Json::single("L", Json::Array(list.iter().map(json_of).collect())),
        Value::M(map) => Json::single("M", item(map)),
    }
}

/// An item.
pub fn item(attributes: &Attributes) -> Json {
    Json::Object(attributes.iter().map(|(name, value)| (name.clone(), json_of(value))).collect())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn bytes_are_written_in_base64() {
        for (bytes, text) in [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xFF\xFF\xFF\x00", "////AA==")] {
            assert_eq!(base64(bytes), text);
        }
    }
}
