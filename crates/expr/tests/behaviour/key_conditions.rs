//! How conditions on keys become places in tables and indexes.

use crate::notation::{item, value};
use stator_expr::legacy::{Comparison, ComparisonOperator, key_conditions};
use stator_expr::{Binder, KeyCondition, Literal, key_condition};
use stator_model::key::{KeyAttribute, KeySchema, ScalarType};

/// `"p1:S p2:N / s1:S"`
fn schema(text: &str) -> KeySchema {
    let (partition, sort) = text.split_once('/').expect("a slash stands between the two");
    let attribute = |text: &str| {
        let (name, scalar) = text.split_once(':').expect("a name has its type");
        let scalar = match scalar {
            "S" => ScalarType::S,
            "N" => ScalarType::N,
            _ => ScalarType::B,
        };
        KeyAttribute { name: name.to_owned(), scalar }
    };
    KeySchema { partition: partition.split_whitespace().map(attribute).collect(), sort: sort.split_whitespace().map(attribute).collect() }
}

fn plan(condition: &KeyCondition, keys: &str) -> String {
    match condition.plan(&schema(keys)) {
        Ok(plan) => {
            let range = plan.sort_range.map_or_else(String::new, |range| format!(" {range:?}"));
            format!("{:?}{:?}{range}", plan.partition, plan.sort_equal)
        }
        Err(error) => format!("{error:?}").split(" {").next().unwrap_or_default().to_owned(),
    }
}

#[track_caller]
fn check(keys: &str, text: &str, expected: &str) {
    let values = item(r#"{:a: "a", :b: "b", :1: 1, :2: 2, :e: ""}"#);
    let mut binder = Binder::new(None, Some(values)).expect("the substitutions are in order");
    let condition = key_condition(text, &mut binder).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(plan(&condition, keys), expected, "{text}");
}

#[test]
fn a_simple_key_takes_equality() {
    check("p:S /", "p = :a", "[S(\"a\")][]");
    check("p:S /", ":a = p", "[S(\"a\")][]");
    check("p:S /", "p > :a", "NotSupported");
    check("p:S /", "begins_with(p, :a)", "NotSupported");
    check("p:S /", "q = :a", "Missing");
    check("p:S /", "p = :1", "Type");
    check("p:S /", "p = :e", "EmptyValue");
}

#[test]
fn a_sort_key_takes_one_range() {
    check("p:S / s:N", "p = :a", "[S(\"a\")][]");
    check("p:S / s:N", "s = :1 AND p = :a", "[S(\"a\")][N(1)]");
    check("p:S / s:N", "p = :a AND s BETWEEN :1 AND :2", "[S(\"a\")][] Between(N(1), N(2))");
    check("p:S / s:N", "p = :a AND :1 < s", "[S(\"a\")][] Greater(N(1))");
    check("p:S / s:S", "p = :a AND begins_with(s, :b)", "[S(\"a\")][] BeginsWith(S(\"b\"))");
    check("p:S / s:N", "p = :a AND s < :b", "Type");
    check("p:S / s:N", "p = :a AND q = :b", "Missing");
    check("p:S / s:N", "s = :1", "Missing");
    check("p:S / s:N", "p = :a AND s = :1 AND q = :2", "Count");
}

#[test]
fn an_index_of_several_attributes_is_taken_left_to_right() {
    let keys = "p1:S p2:N / s1:S s2:N s3:S";
    check(keys, "p2 = :1 AND p1 = :a", "[S(\"a\"), N(1)][]");
    check(keys, "p1 = :a", "Missing");
    check(keys, "p1 = :a AND p2 > :1", "NotSupported");
    check(keys, "p1 = :a AND p2 = :1 AND s1 = :a AND s2 > :2", "[S(\"a\"), N(1)][S(\"a\")] Greater(N(2))");
    check(keys, "p1 = :a AND p2 = :1 AND s1 = :a AND s2 = :2 AND s3 <= :b", "[S(\"a\"), N(1)][S(\"a\"), N(2)] LessOrEqual(S(\"b\"))");
    check(keys, "p1 = :a AND p2 = :1 AND s2 = :2", "Missing");
    check(keys, "p1 = :a AND p2 = :1 AND s1 > :a AND s2 = :2", "NotSupported");
    check(keys, "p1 = :a AND p2 = :1 AND q = :2", "Missing");
}

#[test]
fn legacy_key_conditions_are_the_same() {
    let comparison = |operator, arguments: &[&str]| Comparison {
        operator,
        arguments: arguments.iter().map(|text| Literal::from(&value(text))).collect(),
    };
    let equal = ("p".to_owned(), comparison(ComparisonOperator::Eq, &["\"a\""]));
    let between = ("s".to_owned(), comparison(ComparisonOperator::Between, &["1", "2"]));
    let condition = key_conditions(vec![between, equal.clone()]).expect("the conditions are in order");
    assert_eq!(plan(&condition, "p:S / s:N"), "[S(\"a\")][] Between(N(1), N(2))");
    assert_eq!(plan(&key_conditions(Vec::new()).expect("nothing is in order"), "p:S /"), "Count");
    for operator in [ComparisonOperator::Ne, ComparisonOperator::Contains, ComparisonOperator::In] {
        let other = ("s".to_owned(), comparison(operator, &["1"]));
        assert!(key_conditions(vec![equal.clone(), other]).is_err(), "{operator:?}");
    }
}
