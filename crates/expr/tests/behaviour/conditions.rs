//! What conditions say about items. One item serves all checks; every line is a condition and its answer.

use stator_expr::{Binder, condition};
use stator_model::{Item, Number, Value};

fn item() -> Item {
    let number = |value: i64| Value::N(Number::from(value));
    let text = |text: &str| Value::S(text.to_owned());
    [
        ("s", text("héllo")),
        ("n", number(5)),
        ("b", Value::B(vec![0, 1, 2])),
        ("t", Value::Bool(true)),
        ("z", Value::Null),
        ("ss", Value::SS(["x".to_owned(), "y".to_owned()].into())),
        ("ns", Value::NS([Number::from(1), Number::from(2)].into())),
        ("bs", Value::BS([vec![1], vec![2]].into())),
        ("l", Value::L(vec![number(1), text("a"), Value::L(vec![number(7)])])),
        ("m", Value::M([("k".to_owned(), Value::M([("d".to_owned(), number(3))].into()))].into())),
        ("strange.name", number(1)),
    ]
    .into_iter()
    .collect()
}

fn values() -> Item {
    let number = |value: i64| Value::N(Number::from(value));
    [
        (":hello", Value::S("héllo".into())),
        (":he", Value::S("hé".into())),
        (":x", Value::S("x".into())),
        (":empty", Value::S(String::new())),
        (":one", number(1)),
        (":three", number(3)),
        (":five", number(5)),
        (":nine", number(9)),
        (":true", Value::Bool(true)),
        (":b", Value::B(vec![1])),
        (":list", Value::L(vec![number(7)])),
        (":typeN", Value::S("N".into())),
        (":typeNULL", Value::S("NULL".into())),
    ]
    .into_iter()
    .collect()
}

#[track_caller]
fn check(text: &str, expected: bool) {
    let mut binder = Binder::new(Some(vec![("#s".into(), "strange.name".into())]), Some(values())).expect("the substitutions are in order");
    let condition = condition(text, &mut binder).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(condition.matches(item().map()), expected, "{text}");
}

#[test]
fn comparisons_hold_between_values_of_one_type() {
    check("s = :hello", true);
    check("n = :five", true);
    check("n < :nine AND n > :one AND n <= :five AND n >= :five", true);
    check("n <> :five", false);
    check("s < :one", false);
    check("s > :one", false);
    check("s <> :one", true);
    check("t = :true", true);
    check("b > :b", false);
    check("l[2] = :list", true);
    check(":five = n", true);
    check("#s = :one", true);
    check("m.k.d = :three", true);
}

#[test]
fn what_is_missing_compares_only_unequal() {
    check("q = :one", false);
    check("q < :one", false);
    check("q <> :one", true);
    check("NOT q = :one", true);
    check("m.k.q <> :one", true);
    check("n BETWEEN q AND :nine", false);
    check("n IN (q, :five)", true);
    check("l[9] <> l[8]", true);
}

#[test]
fn between_includes_its_bounds() {
    check("n BETWEEN :five AND :nine", true);
    check("n BETWEEN :one AND :five", true);
    check("n BETWEEN :one AND :three", false);
    check("n between :one and :nine and s = :hello", true);
    check("s BETWEEN :he AND :hello", true);
}

#[test]
fn functions_ask_about_the_attribute() {
    check("attribute_exists(n)", true);
    check("attribute_exists(m.k.d)", true);
    check("attribute_exists(m.k.d.e)", false);
    check("attribute_not_exists(q)", true);
    check("attribute_type(n, :typeN)", true);
    check("attribute_type(z, :typeNULL)", true);
    check("attribute_type(q, :typeN)", false);
    check("begins_with(s, :he)", true);
    check("begins_with(s, :x)", false);
    check("begins_with(q, :x)", false);
    check("begins_with(n, :x)", false);
    check("contains(s, :empty)", true);
    check("contains(s, :x)", false);
    check("contains(b, :b)", true);
    check("contains(ss, :x)", true);
    check("contains(ns, :one)", true);
    check("contains(ns, :x)", false);
    check("contains(bs, :b)", true);
    check("contains(l, :list)", true);
    check("contains(l, :five)", false);
    check("contains(:hello, s)", true);
}

#[test]
fn size_counts_bytes_or_elements() {
    check("size(s) = :five", false);
    check("size(s) > :five", true);
    check("size(b) = :three", true);
    check("size(l) = :three", true);
    check("size(m) = :one", true);
    check("size(ss) = size(ns)", true);
    check("size(n) = :one", false);
    check("size(q) <> :one", true);
    check("size(:x) = :one", true);
    check("size(s) BETWEEN :one AND :nine", true);
}

#[test]
fn logic_binds_not_then_and_then_or() {
    check("n = :one OR n = :five AND s = :hello", true);
    check("n = :five OR n = :one AND s = :x", true);
    check("(n = :five OR n = :one) AND s = :x", false);
    check("NOT n = :one AND s = :hello", true);
    check("NOT (n = :five AND s = :hello)", false);
    check("NOT NOT n = :five", true);
    check("n = :one OR NOT (s = :x OR NOT t = :true)", true);
    check("(size(l)) > (:one)", true);
}
