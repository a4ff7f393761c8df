//! What a vector search takes of conditions: equalities, joined by AND.

use crate::notation::item;
use stator_expr::{Binder, ExprError, SearchShapeError, search_condition};

fn bound(text: &str) -> Result<String, ExprError> {
    let values = item(r#"{:a: "a", :1: 1}"#);
    let names = vec![("#n".into(), "name with spaces".into())];
    let mut binder = Binder::new(Some(names), Some(values)).expect("the substitutions are in order");
    search_condition(text, &mut binder).map(|conditions| format!("{conditions:?}"))
}

#[test]
fn equalities_are_taken_apart_in_the_order_of_the_text() {
    assert_eq!(bound("p = :a").unwrap(), r#"[("p", S("a"))]"#);
    assert_eq!(bound(":1 = #n AND (q = :a AND p = :1)").unwrap(), r#"[("name with spaces", N(1)), ("q", S("a")), ("p", N(1))]"#);
    assert_eq!(bound("p = :a AND p = :1").unwrap(), r#"[("p", S("a")), ("p", N(1))]"#);
}

#[test]
fn everything_else_is_refused_by_what_it_is() {
    for (text, expected) in [
        ("p < :1", SearchShapeError::Comparator),
        ("p <> :a AND q = :1", SearchShapeError::Comparator),
        ("p = :a OR q = :1", SearchShapeError::Operator),
        ("NOT p = :a", SearchShapeError::Operator),
        ("p BETWEEN :1 AND :1", SearchShapeError::Operator),
        ("p IN (:a)", SearchShapeError::Operator),
        ("attribute_exists(p)", SearchShapeError::Operator),
        ("p = q", SearchShapeError::Operands),
        ("size(p) = :1", SearchShapeError::Operands),
        ("p.q = :a", SearchShapeError::NestedAttribute),
        ("p[0] = :a", SearchShapeError::NestedAttribute),
    ] {
        assert_eq!(bound(text), Err(ExprError::SearchShape(expected)), "{text}");
    }
    assert!(matches!(bound("p ="), Err(ExprError::Syntax { .. })));
    assert!(matches!(bound("p = :missing"), Err(ExprError::UndefinedValue { .. })));
}
