//! The members of stored definitions: named values, read and written one by one.
//!
//! What must stay true: a definition is an item, so that a member can be added without breaking what is stored.

use std::collections::BTreeMap;

use stator_model::key::{KeyAttribute, KeySchema, ScalarType};
use stator_model::{Item, MapRef, Number, RawValue, Value};

use super::definition::DefinitionUnreadable;

pub(super) type Members = BTreeMap<String, Value>;

/// The stored form of members.
pub(super) fn item_of(members: &Members) -> Item {
    members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

pub(super) fn encode_key(key: &KeySchema) -> Value {
    let attributes = |attributes: &[KeyAttribute]| {
        let pair = |attribute: &KeyAttribute| Value::L(vec![Value::S(attribute.name.clone()), Value::S(attribute.scalar.name().into())]);
        Value::L(attributes.iter().map(pair).collect())
    };
    Value::L(vec![attributes(&key.partition), attributes(&key.sort)])
}

pub(super) fn decode_key(members: &Members, name: &'static str) -> Result<KeySchema, DefinitionUnreadable> {
    let attribute = |stored: &Value| -> Option<KeyAttribute> {
        let Value::L(pair) = stored else { return None };
        let [Value::S(name), Value::S(scalar)] = pair.as_slice() else { return None };
        let scalar = [ScalarType::S, ScalarType::N, ScalarType::B].into_iter().find(|known| known.name() == scalar)?;
        Some(KeyAttribute { name: name.clone(), scalar })
    };
    let attributes = |stored: &Value| -> Option<Vec<KeyAttribute>> {
        let Value::L(stored) = stored else { return None };
        stored.iter().map(attribute).collect()
    };
    let Some(Value::L(parts)) = members.get(name) else { return Err(DefinitionUnreadable(name)) };
    let [partition, sort] = parts.as_slice() else { return Err(DefinitionUnreadable(name)) };
    let (partition, sort) = attributes(partition).zip(attributes(sort)).ok_or(DefinitionUnreadable(name))?;
    Ok(KeySchema { partition, sort })
}

pub(super) fn members_of(stored: MapRef<'_>) -> Members {
    stored.iter().map(|(name, value): (&[u8], RawValue<'_>)| (String::from_utf8_lossy(name).into_owned(), Value::from(value))).collect()
}

pub(super) fn put_text(members: &mut Members, name: &str, text: &str) {
    members.insert(name.into(), Value::S(text.into()));
}

pub(super) fn put_number(members: &mut Members, name: &str, number: Option<u64>) {
    if let Some(number) = number {
        let number = Number::parse(&number.to_string()).expect("a u64 has at most 20 digits");
        members.insert(name.into(), Value::N(number));
    }
}

pub(super) fn text(members: &Members, name: &'static str) -> Result<String, DefinitionUnreadable> {
    match members.get(name) {
        Some(Value::S(text)) => Ok(text.clone()),
        _ => Err(DefinitionUnreadable(name)),
    }
}

pub(super) fn number(members: &Members, name: &str) -> Option<u64> {
    match members.get(name) {
        Some(Value::N(number)) => number.to_string().parse().ok(),
        _ => None,
    }
}

pub(super) fn flag(members: &Members, name: &str) -> bool {
    members.get(name) == Some(&Value::Bool(true))
}
