//! Which parts of an item a projection keeps.

use crate::notation::{item, show};
use stator_expr::legacy::attributes_to_get;
use stator_expr::{Binder, projection};

#[track_caller]
fn check(text: &str, expected: &str) {
    let base = item(r#"{a: 1, b: {x: 1, y: {z: 2, w: 3}}, c: [0, {k: 1, j: 2}, [5, 6], 3], d.e: "dot", f: null}"#);
    let mut binder = Binder::new(Some(vec![("#d".into(), "d.e".into())]), None).expect("the substitutions are in order");
    let projection = projection(text, &mut binder).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let projected = projection.project_item(base.map());
    stator_model::RawValue::new(projected.as_bytes()).validate().expect("a projection writes canonical items");
    assert_eq!(show(&projected), expected, "{text}");
}

#[test]
fn keeps_whole_attributes() {
    check("f, a, q", "{a: 1, f: null}");
    check("#d", r#"{d.e: "dot"}"#);
    check("d.e", "{}");
}

#[test]
fn merges_parts_under_their_parents() {
    check("b.y.z, b.x", "{b: {x: 1, y: {z: 2}}}");
    check("b.y.w, b.y.z", "{b: {y: {w: 3, z: 2}}}");
    check("c[1].j, b.x, a", "{a: 1, b: {x: 1}, c: [{j: 2}]}");
}

#[test]
fn closes_ranks_in_lists() {
    check("c[3], c[0]", "{c: [0, 3]}");
    check("c[2][1], c[1]", "{c: [{j: 2, k: 1}, [6]]}");
    check("c[9]", "{}");
    check("c[9], c[1].q, c[3]", "{c: [3]}");
}

#[test]
fn writes_no_parent_of_nothing() {
    check("b.q", "{}");
    check("a.x", "{}");
    check("b.y.q, b.x", "{b: {x: 1}}");
    check("b[0]", "{}");
}

#[test]
fn names_of_the_legacy_parameter_are_never_paths() {
    let base = item(r#"{a: 1, b: {x: 1}, d.e: "dot"}"#);
    let projection = attributes_to_get(&["d.e".to_owned(), "b".to_owned(), "a[0]".to_owned()]).expect("the names are distinct");
    assert_eq!(show(&projection.project_item(base.map())), r#"{b: {x: 1}, d.e: "dot"}"#);
    assert_eq!(projection.top_level_names().collect::<Vec<_>>(), ["a[0]", "b", "d.e"]);
    assert!(attributes_to_get(&["a".to_owned(), "a".to_owned()]).is_err());
}
