//! Answers in the one form in which they are compared.
//!
//! What must stay true: two answers are equal here exactly when no client could tell them apart, but for ids and times.

use crate::json::Json;

/// The answer of an operation with ids and times replaced, and everything without order in one order.
pub(super) fn normalize(operation: &str, answer: Json) -> Json {
    let mut answer = walk("", answer);
    if let Json::Object(members) = &mut answer {
        for (name, value) in members {
            match (operation, name.as_str(), value) {
                ("Scan", "Items", Json::Array(items)) => items.sort(),
                ("BatchGetItem", "Responses", Json::Object(tables)) => {
                    for (_, items) in tables {
                        if let Json::Array(items) = items {
                            items.sort();
                        }
                    }
                }
                _ => {}
            }
        }
    }
    answer
}

fn walk(name: &str, value: Json) -> Json {
    match value {
        Json::String(text) if is_uuid(&text) => Json::text("<uuid>"),
        Json::Number(_) if name.ends_with("DateTime") => Json::text("<date>"),
        Json::Number(text) => Json::Number(text.parse::<f64>().map_or(text, |number| number.to_string())),
        Json::Array(elements) => {
            let mut elements: Vec<_> = elements.into_iter().map(|element| walk("", element)).collect();
            match name {
                "SS" | "NS" | "BS" | "AttributeDefinitions" | "NonKeyAttributes" => elements.sort(),
                "GlobalSecondaryIndexes" | "LocalSecondaryIndexes" | "VectorIndexes" => {
                    elements.sort_by_key(|index| index.get("IndexName").and_then(Json::as_str).map(str::to_owned));
                }
                _ => {}
            }
            Json::Array(elements)
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name.clone(), walk(&name, value))).collect();
            members.sort();
            Json::Object(members)
        }
        other => other,
    }
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Replaces what the expectation leaves open (`<any>`) by that placeholder.
pub(super) fn blur(actual: Json, expected: &Json) -> Json {
    match (actual, expected) {
        (_, Json::String(open)) if open == "<any>" => expected.clone(),
        (Json::Object(members), Json::Object(_)) => Json::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let value = expected.get(&name).map_or_else(|| value.clone(), |expected| blur(value.clone(), expected));
                    (name, value)
                })
                .collect(),
        ),
        (Json::Array(elements), Json::Array(expected)) if elements.len() == expected.len() => {
            Json::Array(elements.into_iter().zip(expected).map(|(element, expected)| blur(element, expected)).collect())
        }
        (actual, _) => actual,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_order_and_no_meaning_does_not_differ() {
        let one = br#"{"b":{"SS":["y","x"]},"a":1.0,"Items":[{"n":2},{"n":1}],"TableId":"4c52a5c3-1b06-4ee9-a2cc-0a8c2b0a8f3e","CreationDateTime":1.5e9}"#;
        let other = br#"{"a":1,"b":{"SS":["x","y"]},"Items":[{"n":1},{"n":2}],"TableId":"<uuid>","CreationDateTime":"<date>"}"#;
        let of = |text: &[u8]| normalize("Scan", Json::parse(text).unwrap());
        assert_eq!(of(one), of(other));
        assert_ne!(normalize("Query", Json::parse(one).unwrap()), normalize("Query", Json::parse(other).unwrap()));
    }
}
