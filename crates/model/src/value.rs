//! The ten attribute types as an owned tree, for the few places that change a value rather than read it.
//!
//! What must stay true: `Value` and its encoded form convert into each other without loss, and equality of values is
//! equality of encodings (sets and maps have no order).

use std::collections::{BTreeMap, BTreeSet};

use crate::encoded::{Encoder, RawValue, ValueRef, ValueType};
use crate::number::Number;

/// An attribute value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `NULL`
    Null,
    /// `BOOL`
    Bool(bool),
    /// `S`
    S(String),
    /// `N`
    N(Number),
    /// `B`
    B(Vec<u8>),
    /// `SS`
    SS(BTreeSet<String>),
    /// `NS`
    NS(BTreeSet<Number>),
    /// `BS`
    BS(BTreeSet<Vec<u8>>),
    /// `L`
    L(Vec<Value>),
    /// `M`
    M(BTreeMap<String, Value>),
}

impl Value {
    /// The type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Value::Null => ValueType::Null,
            Value::Bool(_) => ValueType::Bool,
            Value::S(_) => ValueType::S,
            Value::N(_) => ValueType::N,
            Value::B(_) => ValueType::B,
            Value::SS(_) => ValueType::SS,
            Value::NS(_) => ValueType::NS,
            Value::BS(_) => ValueType::BS,
            Value::L(_) => ValueType::L,
            Value::M(_) => ValueType::M,
        }
    }

    /// Appends the encoded form.
    pub fn encode(&self, encoder: &mut Encoder) {
        match self {
            Value::Null => encoder.null(),
            Value::Bool(value) => encoder.bool(*value),
            Value::S(text) => encoder.string(text),
            Value::N(number) => encoder.number(number),
            Value::B(bytes) => encoder.binary(bytes),
            Value::SS(set) => encoder.set(ValueType::SS, &mut set.iter().map(String::as_bytes).collect::<Vec<_>>()),
            Value::NS(set) => encoder.set(ValueType::NS, &mut set.iter().map(Number::as_bytes).collect::<Vec<_>>()),
            Value::BS(set) => encoder.set(ValueType::BS, &mut set.iter().map(Vec::as_slice).collect::<Vec<_>>()),
            Value::L(list) => {
                encoder.begin_list();
                list.iter().for_each(|element| element.encode(encoder));
                encoder.end();
            }
            Value::M(map) => {
                encoder.begin_map();
                for (name, value) in map {
                    encoder.name(name);
                    value.encode(encoder);
                }
                encoder.end();
            }
        }
    }

    /// The encoded form on its own.
    pub fn to_encoded(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        self.encode(&mut encoder);
        encoder.finish()
    }
}

impl From<RawValue<'_>> for Value {
    fn from(raw: RawValue<'_>) -> Value {
        match raw.view() {
            ValueRef::Null => Value::Null,
            ValueRef::Bool(value) => Value::Bool(value),
            ValueRef::S(text) => Value::S(text_of(text)),
            ValueRef::N(number) => Value::N(number.number()),
            ValueRef::B(bytes) => Value::B(bytes.to_vec()),
            ValueRef::SS(set) => Value::SS(set.iter().map(text_of).collect()),
            ValueRef::NS(set) => Value::NS(set.iter().map(|number| crate::NumberRef(number).number()).collect()),
            ValueRef::BS(set) => Value::BS(set.iter().map(<[u8]>::to_vec).collect()),
            ValueRef::L(list) => Value::L(list.iter().map(Value::from).collect()),
            ValueRef::M(map) => Value::M(map.iter().map(|(name, value)| (text_of(name), Value::from(value))).collect()),
        }
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("names and strings are UTF-8 when they are encoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_encoding() {
        let value = Value::M(BTreeMap::from([
            ("null".into(), Value::Null),
            ("list".into(), Value::L(vec![Value::Bool(true), Value::S(String::new()), Value::L(vec![])])),
            ("numbers".into(), Value::NS(BTreeSet::from([Number::from(-3), Number::from(20)]))),
            ("texts".into(), Value::SS(BTreeSet::from(["é".into(), "a".into()]))),
            ("bytes".into(), Value::BS(BTreeSet::from([vec![0, 255], vec![]]))),
            ("number".into(), Value::N(Number::parse("-1.25").unwrap())),
            ("binary".into(), Value::B(vec![1, 2, 3])),
        ]));
        let encoded = value.to_encoded();
        RawValue::new(&encoded).validate().unwrap();
        assert_eq!(Value::from(RawValue::new(&encoded)), value);
    }

    #[test]
    fn counts_sizes_as_documented() {
        let size = |value: Value| RawValue::new(&value.to_encoded()).size_bytes();
        assert_eq!(size(Value::L(vec![])), 3);
        assert_eq!(size(Value::L(vec![Value::Null])), 5);
        assert_eq!(size(Value::M(BTreeMap::from([("ab".into(), Value::S("xyz".into()))]))), 3 + 1 + 2 + 3);
        assert_eq!(size(Value::SS(BTreeSet::from(["a".into(), "bcd".into()]))), 4);
    }
}
