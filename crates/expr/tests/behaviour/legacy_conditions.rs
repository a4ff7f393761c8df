//! What filters and expectations from before expressions say about items, and what they refuse.

use crate::notation::{item, value};
use stator_expr::legacy::{Comparison, ComparisonOperator, ConditionalOperator, Expectation, expected, filter};
use stator_expr::{LegacyError, Literal};

fn literals(arguments: &[&str]) -> Vec<Literal> {
    arguments.iter().map(|text| Literal::from(&value(text))).collect()
}

fn comparison(attribute: &str, operator: &str, arguments: &[&str]) -> (String, Comparison) {
    let operator = ComparisonOperator::from_name(operator).expect("the operator exists");
    (attribute.to_owned(), Comparison { operator, arguments: literals(arguments) })
}

const BASE: &str = r#"{n: 5, s: "hello", ss: <"a" "b">, l: [1, "x"], z: null}"#;

#[track_caller]
fn check(attribute: &str, operator: &str, arguments: &[&str], holds: bool) {
    let condition = filter(vec![comparison(attribute, operator, arguments)], None).expect("the filter is in order");
    assert_eq!(condition.matches(item(BASE).map()), holds, "{attribute} {operator} {arguments:?}");
}

#[test]
fn comparisons_ask_what_expressions_ask() {
    check("n", "EQ", &["5"], true);
    check("l", "EQ", &["[1, \"x\"]"], true);
    check("n", "NE", &["5"], false);
    check("q", "NE", &["5"], true);
    check("n", "GE", &["5"], true);
    check("n", "LT", &["\"9\""], false);
    check("q", "LT", &["9"], false);
    check("n", "BETWEEN", &["1", "5"], true);
    check("n", "IN", &["1", "5"], true);
    check("q", "NULL", &[], true);
    check("z", "NULL", &[], false);
    check("z", "NOT_NULL", &[], true);
    check("s", "BEGINS_WITH", &["\"he\""], true);
    check("s", "CONTAINS", &["\"ll\""], true);
    check("ss", "CONTAINS", &["\"a\""], true);
    check("ss", "NOT_CONTAINS", &["\"a\""], false);
    check("ss", "NOT_CONTAINS", &["\"q\""], true);
    check("q", "NOT_CONTAINS", &["\"q\""], false);
}

#[test]
fn conditions_are_joined_by_and_unless_or_is_asked_for() {
    let both = || vec![comparison("ss", "NOT_CONTAINS", &["\"a\""]), comparison("n", "EQ", &["5"])];
    let holds = |joined_by| filter(both(), joined_by).expect("the filter is in order").matches(item(BASE).map());
    assert!(!holds(None));
    assert!(!holds(Some(ConditionalOperator::And)));
    assert!(holds(Some(ConditionalOperator::Or)));
    assert!(filter(Vec::new(), None).expect("no filter is in order").matches(item(BASE).map()));
    let alone = filter(vec![comparison("n", "EQ", &["5"])], Some(ConditionalOperator::And));
    assert_eq!(alone, Err(LegacyError::NothingToJoin { conditions: 1 }));
}

#[test]
fn arguments_are_counted_and_typed() {
    let refusal = |operator, arguments: &[&str]| filter(vec![comparison("a", operator, arguments)], None).expect_err("it is refused");
    assert_eq!(refusal("EQ", &[]), LegacyError::ArgumentCount { operator: "EQ" });
    assert_eq!(refusal("NULL", &["1"]), LegacyError::ArgumentCount { operator: "NULL" });
    assert_eq!(refusal("IN", &[]), LegacyError::ArgumentCount { operator: "IN" });
    assert_eq!(refusal("BETWEEN", &["1"]), LegacyError::ArgumentCount { operator: "BETWEEN" });
    assert!(matches!(refusal("GT", &["null"]), LegacyError::ArgumentType { operator: "GT", .. }));
    assert!(matches!(refusal("BEGINS_WITH", &["1"]), LegacyError::ArgumentType { operator: "BEGINS_WITH", .. }));
    assert_eq!(refusal("IN", &["1", "\"1\""]), LegacyError::MixedArguments);
    assert_eq!(refusal("BETWEEN", &["1", "\"1\""]), LegacyError::MixedArguments);
    assert_eq!(refusal("BETWEEN", &["2", "1"]), LegacyError::BoundsOrder);
}

#[test]
fn expectations_come_in_two_forms() {
    let holds = |expectation: Expectation| expected(vec![("n".to_owned(), expectation)], None).map(|it| it.matches(item(BASE).map()));
    let five = || literals(&["5"]).pop();
    let attribute = || "n".to_owned();
    assert_eq!(holds(Expectation { value: five(), ..Expectation::default() }), Ok(true));
    assert_eq!(holds(Expectation { exists: Some(false), ..Expectation::default() }), Ok(false));
    let operator = Some(ComparisonOperator::Ge);
    assert_eq!(holds(Expectation { operator, arguments: Some(literals(&["4"])), ..Expectation::default() }), Ok(true));
    assert_eq!(holds(Expectation { operator, value: five(), ..Expectation::default() }), Ok(true));
    let refused = [
        (Expectation::default(), LegacyError::ExistsWithoutValue { attribute: attribute(), is_written: false }),
        (
            Expectation { exists: Some(true), ..Expectation::default() },
            LegacyError::ExistsWithoutValue { attribute: attribute(), is_written: true },
        ),
        (
            Expectation { exists: Some(false), value: five(), ..Expectation::default() },
            LegacyError::AbsentWithValue { attribute: attribute() },
        ),
        (
            Expectation { operator, ..Expectation::default() },
            LegacyError::ComparisonWithoutValue { operator: "GE", attribute: attribute() },
        ),
        (
            Expectation { operator, exists: Some(true), value: five(), ..Expectation::default() },
            LegacyError::ExistsAndComparison { attribute: attribute() },
        ),
        (
            Expectation { arguments: Some(literals(&["4"])), ..Expectation::default() },
            LegacyError::ListWithoutComparison { attribute: attribute() },
        ),
        (
            Expectation { arguments: Some(literals(&["4"])), value: five(), ..Expectation::default() },
            LegacyError::ValueAndList { attribute: attribute() },
        ),
    ];
    for (expectation, error) in refused {
        assert_eq!(holds(expectation), Err(error));
    }
}
