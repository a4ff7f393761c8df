//! What updates make of items, and which leaves they touch.

use crate::notation::{item, show, value};
use stator_expr::legacy::{Action, AttributeUpdate, attribute_updates};
use stator_expr::{Binder, Literal, Update, update};
use stator_model::Item;

const BASE: &str = r#"{p: "k", n: 5, s: "x", l: [0, 1, 2, 3], m: {a: 1, b: {c: 2}}, ss: <"a" "b">, ns: <1 2>, ll: [[1], [2]]}"#;

fn values() -> Item {
    item(
        r#"{:n: 7, :s: "v", :l: [8, 9], :m: {z: 1}, :empty: [], :ss: <"b" "c">, :all: <"a" "b">, :ns: <2 3>, :big: 1e125, :tiny: 1e-130, :e38: 1e38, :one: 1}"#,
    )
}

fn bind(text: &str) -> Update {
    let mut binder = Binder::new(None, Some(values())).expect("the substitutions are in order");
    update(text, &mut binder).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn outcome(update: &Update, existing: Option<&Item>) -> String {
    match update.apply(existing.map(Item::map), item(r#"{p: "k"}"#).map()) {
        Ok(Some(item)) => {
            stator_model::RawValue::new(item.as_bytes()).validate().expect("an update writes canonical items");
            show(&item)
        }
        Ok(None) => "nothing".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

/// `expected` is what becomes of the attribute named first, or an error.
#[track_caller]
fn check(text: &str, expected: &str) {
    let base = item(BASE);
    let update = bind(text);
    let attribute = update.attributes().next().expect("an update changes something").to_owned();
    let outcome = match update.apply(Some(base.map()), base.map()) {
        Ok(Some(new)) => {
            stator_model::RawValue::new(new.as_bytes()).validate().expect("an update writes canonical items");
            let found = new.get(&attribute).map(|value| show(&Item::build(|encoder| named(encoder, value))));
            found.map_or_else(|| "gone".to_owned(), |text| text["{_: ".len()..text.len() - 1].to_owned())
        }
        other => format!("{:?}", other.map(|_| ()).expect_err("only legacy updates create nothing")),
    };
    assert_eq!(outcome, expected, "{text}");
}

fn named(encoder: &mut stator_model::Encoder, value: stator_model::RawValue<'_>) {
    encoder.name("_");
    encoder.raw(value);
}

#[test]
fn set_replaces_whole_attributes_and_parts() {
    check("SET n = :s", r#""v""#);
    check("SET q = :m", "{z: 1}");
    check("SET m.a = :s", r#"{a: "v", b: {c: 2}}"#);
    check("SET m.b.d = :n", "{a: 1, b: {c: 2, d: 7}}");
    check("SET l[1] = :s", r#"[0, "v", 2, 3]"#);
    check("SET ll[1][0] = m.b", "[[1], [{c: 2}]]");
    check("SET n = l[2]", "2");
    check("SET n = if_not_exists(q, :s)", r#""v""#);
    check("SET n = if_not_exists(n, :s)", "5");
    check("SET l = list_append(l, :l)", "[0, 1, 2, 3, 8, 9]");
    check("SET l = list_append(:l, l)", "[8, 9, 0, 1, 2, 3]");
    check("SET q = list_append(if_not_exists(q, :empty), :l)", "[8, 9]");
}

#[test]
fn arithmetic_is_exact_or_refused() {
    check("SET n = n + :n", "12");
    check("SET n = n - :n", "-2");
    check("SET n = :n - l[3]", "4");
    check("SET q = if_not_exists(q, :n) + :n", "14");
    check("SET s = s + :n", "OperandType");
    check("SET q = q + :n", "MissingAttribute");
    check("SET q = q", "MissingAttribute");
    check("SET n = s", r#""x""#);
    check("SET n = list_append(s, :l)", "OperandType");
    check("SET n = :e38 + :one", "Number(TooManyDigits)");
    check("SET n = :big + :tiny", "Number(TooManyDigits)");
}

#[test]
fn operands_are_read_from_the_item_as_it_was() {
    let update = bind("SET n = l[0], l[0] = n REMOVE s");
    let base = item(r#"{p: "k", n: 5, s: "x", l: [0]}"#);
    assert_eq!(outcome(&update, Some(&base)), r#"{l: [5], n: 0, p: "k"}"#);
}

#[test]
fn elements_beyond_the_end_are_appended_in_the_order_of_their_positions() {
    check("SET l[9] = :s", r#"[0, 1, 2, 3, "v"]"#);
    check("SET l[20] = :s, l[10] = :n", r#"[0, 1, 2, 3, 7, "v"]"#);
    check("SET l[9].x = :s", "InvalidPath");
}

#[test]
fn removal_means_the_positions_before_it() {
    check("REMOVE n", "gone");
    check("REMOVE m.b.c", "{a: 1, b: {}}");
    check("REMOVE l[0], l[2]", "[1, 3]");
    check("REMOVE l[2], l[0], l[1], l[3]", "[]");
    check("REMOVE l[9]", "[0, 1, 2, 3]");
    check("REMOVE l[0] SET l[1] = :s", r#"["v", 2, 3]"#);
    check("REMOVE l[4] SET l[9] = :s", r#"[0, 1, 2, 3, "v"]"#);
    check("REMOVE ll[0][0], ll[1]", "[[]]");
    check("REMOVE ll[1][0], ll[0]", "[[]]");
    check("REMOVE m.b, m.a", "{}");
    check("REMOVE q", "gone");
}

#[test]
fn paths_must_lead_somewhere() {
    check("SET q.a = :n", "InvalidPath");
    check("SET n.a = :n", "InvalidPath");
    check("SET m[0] = :n", "InvalidPath");
    check("SET l.a = :n", "InvalidPath");
    check("SET l[9][0] = :n", "InvalidPath");
    check("REMOVE q.a", "InvalidPath");
    check("REMOVE n.a", "InvalidPath");
    check("REMOVE m.q", "{a: 1, b: {c: 2}}");
    check("ADD q.a :n", "InvalidPath");
}

#[test]
fn add_sums_numbers_and_joins_sets() {
    check("ADD n :n", "12");
    check("ADD q :n", "7");
    check("ADD m.a :n", "{a: 8, b: {c: 2}}");
    check("ADD m.q :n", "{a: 1, b: {c: 2}, q: 7}");
    check("ADD ss :ss", r#"<"a" "b" "c">"#);
    check("ADD ns :ns", "<1 2 3>");
    check("ADD q :ss", r#"<"b" "c">"#);
    check("ADD s :n", "OperandType");
    check("ADD ss :ns", "OperandType");
}

#[test]
fn delete_takes_elements_and_never_leaves_an_empty_set() {
    check("DELETE ss :ss", r#"<"a">"#);
    check("DELETE ss :all", "gone");
    check("DELETE q :ss", "gone");
    check("DELETE n :ss", "OperandType");
    check("DELETE ns :ss", "OperandType");
}

#[test]
fn a_missing_item_begins_as_its_key() {
    let check = |text: &str, expected: &str| assert_eq!(outcome(&bind(text), None), expected, "{text}");
    check("SET a = :n", r#"{a: 7, p: "k"}"#);
    check("ADD a :n", r#"{a: 7, p: "k"}"#);
    check("REMOVE x.y", r#"{p: "k"}"#);
    check("SET x.y = :n", "InvalidPath");
    check("SET a = q", "MissingAttribute");
    assert_eq!(outcome(&Update::nothing(), None), r#"{p: "k"}"#);
}

#[test]
fn values_nest_thirty_two_deep_at_most() {
    let deep = |levels: usize| format!("{{p: \"k\", d: {}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let update = bind(&format!("SET d{} = :m", "[0]".repeat(30)));
    assert_eq!(outcome(&update, Some(&item(&deep(30)))), outcome(&update, Some(&item(&deep(31)))));
    let update = bind(&format!("SET d{} = :m", "[0]".repeat(31)));
    assert_eq!(outcome(&update, Some(&item(&deep(31)))), "TooDeep");
}

#[test]
fn touched_leaves_are_those_of_the_paths() {
    let base = item(BASE);
    let check = |text: &str, old: &str, new: &str| {
        let update = bind(text);
        let updated = update.apply(Some(base.map()), base.map()).expect("it fits").expect("an item is there");
        assert_eq!(show(&update.touched_old(base.map())), old, "{text}");
        assert_eq!(show(&update.touched_new(Some(base.map()), updated.map())), new, "{text}");
    };
    check("SET m.b.c = :n, n = :n REMOVE l[1], q", "{l: [1], m: {b: {c: 2}}, n: 5}", "{m: {b: {c: 7}}, n: 7}");
    check("SET l[3] = :n, l[1] = :s", "{l: [1, 3]}", r#"{l: ["v", 7]}"#);
    check("SET m.q = :n", "{}", "{m: {q: 7}}");
    check("ADD n :n DELETE ss :ss", r#"{n: 5, ss: <"a" "b">}"#, r#"{n: 12, ss: <"a">}"#);
    check("DELETE ss :all", r#"{ss: <"a" "b">}"#, "{}");
    check("SET l[9] = :n", "{}", "{}");
    check("SET l[4] = :n", "{}", "{}");
    check("SET l = list_append(l, :l)", "{l: [0, 1, 2, 3]}", "{l: [0, 1, 2, 3, 8, 9]}");
    check("REMOVE l[0], l[2] SET l[3] = :n", "{l: [0, 2, 3]}", "{l: [7]}");
}

fn legacy(updates: &[(&str, Action, Option<&str>)]) -> Update {
    let entry = |(name, action, text): &(&str, Action, Option<&str>)| {
        ((*name).to_owned(), AttributeUpdate { action: *action, value: text.map(|text| Literal::from(&value(text))) })
    };
    attribute_updates(updates.iter().map(entry).collect()).expect("the updates are in order")
}

#[test]
fn legacy_updates_do_the_same_to_whole_attributes() {
    let base = item(r#"{p: "k", n: 5, l: [1], ss: <"a" "b">, x.y: 1}"#);
    let update = legacy(&[
        ("n", Action::Add, Some("2")),
        ("l", Action::Add, Some("[2]")),
        ("ss", Action::Delete, Some(r#"<"a">"#)),
        ("x.y", Action::Delete, None),
        ("new", Action::Put, Some("null")),
    ]);
    assert_eq!(outcome(&update, Some(&base)), r#"{l: [1, 2], n: 7, new: null, p: "k", ss: <"b">}"#);
    assert_eq!(outcome(&legacy(&[("l", Action::Add, Some("2"))]), Some(&base)), "AttributeType");
    assert_eq!(outcome(&legacy(&[("n", Action::Delete, Some("<1>"))]), Some(&base)), "AttributeType");
}

#[test]
fn legacy_deletions_create_no_item() {
    assert_eq!(outcome(&legacy(&[("a", Action::Delete, None), ("b", Action::Delete, Some("<1>"))]), None), "nothing");
    assert_eq!(outcome(&legacy(&[("a", Action::Delete, None), ("b", Action::Add, Some("1"))]), None), r#"{b: 1, p: "k"}"#);
    assert_eq!(outcome(&legacy(&[]), None), r#"{p: "k"}"#);
}
