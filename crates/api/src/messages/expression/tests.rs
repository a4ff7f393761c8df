//! Expressions that the service refuses, beside what it says. One set of substitutions serves all.

use super::*;
use stator_expr::Binder;
use stator_model::{Item, Number, Value};

fn values() -> Item {
    [
        (":s", Value::S("a".into())),
        (":t", Value::S("b".into())),
        (":n", Value::N(Number::from(5))),
        (":m", Value::N(Number::from(1))),
        (":bool", Value::Bool(true)),
        (":null", Value::Null),
        (":list", Value::L(vec![])),
        (":map", Value::M(std::collections::BTreeMap::default())),
        (":set", Value::SS(["a".to_owned()].into())),
    ]
    .into_iter()
    .collect()
}

#[track_caller]
fn check(kind: ExpressionKind, text: &str, expected: &str) {
    let mut binder = Binder::new(Some(vec![("#a".into(), "a".into()), ("#name".into(), "name".into())]), Some(values()))
        .expect("the substitutions are in order");
    let result = match kind {
        ExpressionKind::Condition | ExpressionKind::Filter => stator_expr::condition(text, &mut binder).map(drop),
        ExpressionKind::Projection => stator_expr::projection(text, &mut binder).map(drop),
        ExpressionKind::Update => stator_expr::update(text, &mut binder).map(drop),
        ExpressionKind::KeyCondition => stator_expr::key_condition(text, &mut binder).map(drop),
        ExpressionKind::SearchCondition => stator_expr::search_condition(text, &mut binder).map(drop),
    };
    let message = result.map_or_else(|error| render(&error, kind), |()| "accepted".to_owned());
    let message = message.strip_prefix(&format!("Invalid {}: ", kind.name())).unwrap_or(&message);
    assert_eq!(message, expected, "{text}");
}

#[test]
fn syntax_errors_show_the_token_and_its_neighbours() {
    let condition = |text: &str, expected: &str| check(ExpressionKind::Condition, text, expected);
    condition("a AND b", r#"Syntax error; token: "AND", near: "a AND b""#);
    condition("attribute_exists(car) AND NOT #a", r##"Syntax error; token: "<EOF>", near: "#a""##);
    condition("a", r#"Syntax error; token: "<EOF>", near: "a""#);
    condition("tenantAgent:abc123-x", r#"Syntax error; token: ":abc123", near: "tenantAgent:abc123-""#);
    condition("#a attribute_not_exists :s", r##"Syntax error; token: "attribute_not_exists", near: "#a attribute_not_exists :s""##);
    condition("a = b = c", r#"Syntax error; token: "=", near: "b = c""#);
    condition("(a = :s", r#"Syntax error; token: "<EOF>", near: ":s""#);
    condition("a = :s)", r#"Syntax error; token: ")", near: ":s)""#);
    condition("a = (b = c)", r#"Syntax error; token: "=", near: "b = c""#);
    condition("a BETWEEN :m OR :n", r#"Syntax error; token: "OR", near: ":m OR :n""#);
    condition("a BETWEEN :m", r#"Syntax error; token: "<EOF>", near: ":m""#);
    condition("a IN ()", r#"Syntax error; token: ")", near: "()""#);
    condition("a IN :s", r#"Syntax error; token: ":s", near: "IN :s""#);
    condition("size() = :n", r#"Syntax error; token: ")", near: "() =""#);
    condition("a = :s AND", r#"Syntax error; token: "<EOF>", near: "AND""#);
    condition("a + b = :n", r#"Syntax error; token: "+", near: "a + b""#);
    condition("_id = :s", r#"Syntax error; token: "_", near: "_id""#);
    condition("a = 5", r#"Syntax error; token: "5", near: "= 5""#);
    condition("a[b] = :s", r#"Syntax error; token: "b", near: "[b]""#);
    condition("a. = :s", r#"Syntax error; token: "=", near: ". = :s""#);
    condition(&"(".repeat(4096), r#"Syntax error; token: "<EOF>", near: "(""#);
    let update = |text: &str, expected: &str| check(ExpressionKind::Update, text, expected);
    update("ADD hits : incr", r#"Syntax error; token: ":", near: "hits : incr""#);
    update("SET a = :s, #, b = :s", r##"Syntax error; token: "#", near: ", #,""##);
    update("INVALID SYNTAX HERE", r#"Syntax error; token: "INVALID", near: "INVALID SYNTAX""#);
    update("SET a = b + c + d", r#"Syntax error; token: "+", near: "c + d""#);
    update("SET a = if_not_exists(b, c + d)", r#"Syntax error; token: "+", near: "c + d""#);
    update("SET a", r#"Syntax error; token: "<EOF>", near: "a""#);
    update("SET", r#"Syntax error; token: "<EOF>", near: "SET""#);
    update("REMOVE a, b = :s", r#"Syntax error; token: "=", near: "b = :s""#);
    update("ADD a b", r#"Syntax error; token: "b", near: "a b""#);
    check(ExpressionKind::Projection, "a,,b", r#"Syntax error; token: ",", near: ",,b""#);
    check(ExpressionKind::Projection, "a, b,", r#"Syntax error; token: "<EOF>", near: ",""#);
}

#[test]
fn sizes_and_counts_have_limits() {
    check(ExpressionKind::Filter, " \t\n", "The expression can not be empty;");
    check(ExpressionKind::Update, "", "The expression can not be empty;");
    let long = format!("a = {}", "b".repeat(4093));
    check(ExpressionKind::Condition, &long, "Expression size has exceeded the maximum allowed size; expression size: 4097");
    let many = vec!["a=:s"; 151].join(" AND ");
    check(ExpressionKind::Filter, &many, "The expression contains too many operators; operator count: 301");
    let list = vec![":s"; 101].join(",");
    check(ExpressionKind::Filter, &format!("a IN ({list})"), "The IN operator is provided with too many operands; number of operands: 101");
    let deep = format!("a{}", ".b".repeat(32));
    check(ExpressionKind::Projection, &deep, "The document path has too many nesting elements; nesting levels: 33");
    check(ExpressionKind::Projection, &deep[..63], "accepted");
    check(ExpressionKind::Projection, "a[4294967295]", "List index is not within the allowable range; index: [4294967295]");
    check(ExpressionKind::Projection, "a[4294967294]", "accepted");
}

#[test]
fn names_and_values_must_be_defined_and_not_reserved() {
    check(ExpressionKind::Projection, "a, name", "Attribute name is a reserved keyword; reserved keyword: name");
    check(ExpressionKind::Update, "SET a = Status", "Attribute name is a reserved keyword; reserved keyword: Status");
    check(ExpressionKind::Projection, "#name", "accepted");
    let undefined = "An expression attribute name used in the document path is not defined; attribute name: #q";
    check(ExpressionKind::Condition, "#q = :q", undefined);
    let undefined = "An expression attribute value used in expression is not defined; attribute value: :q";
    check(ExpressionKind::Filter, "a = :q", undefined);
    check(ExpressionKind::Update, "DELETE a :q", undefined);
    check(ExpressionKind::Condition, "((a = :s))", "The expression has redundant parentheses;");
    check(ExpressionKind::Condition, "(a = :s) AND ((a = :t))", "The expression has redundant parentheses;");
    check(ExpressionKind::Condition, "((a = :s) AND (b = :t))", "accepted");
}

#[test]
fn functions_are_checked_where_they_stand() {
    let condition = |text: &str, expected: &str| check(ExpressionKind::Condition, text, expected);
    condition("Size(a) = :n", "Invalid function name; function: Size");
    condition("if_not_exists(a, :s)", "Invalid function name; function: if_not_exists");
    condition("size(a)", "The function is not allowed to be used this way in an expression; function: size");
    condition("NOT size(a)", "The function is not allowed to be used this way in an expression; function: size");
    condition("contains(a, :s) = :s", "The function is not allowed to be used this way in an expression; function: contains");
    condition(
        "size(a, b) = :n",
        "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
    );
    condition("attribute_exists(:s)", "Operator or function requires a document path; operator or function: attribute_exists");
    let types = "Incorrect operand type for operator or function; operator or function: ";
    condition("size(:n) = :n", &format!("{types}size, operand type: N"));
    condition("size(size(a)) = :n", &format!("{types}size, operand type: N"));
    condition("begins_with(a, :n)", &format!("{types}begins_with, operand type: N"));
    condition("contains(:bool, a)", &format!("{types}contains, operand type: BOOL"));
    condition("attribute_type(a, :n)", &format!("{types}attribute_type, operand type: N"));
    condition("attribute_type(a, :s)", "Invalid attribute type name found; type: a, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}");
    let update = |text: &str, expected: &str| check(ExpressionKind::Update, text, expected);
    update("SET a = size(b)", "The function is not allowed in an update expression; function: size");
    update("SET a = foo(b)", "Invalid function name; function: foo");
    update("SET a = if_not_exists(:s, :t)", "Operator or function requires a document path; operator or function: if_not_exists");
    update("SET a = list_append(a, :map)", &format!("{types}list_append, operand type: M"));
    update("SET a = a + :s", &format!("{types}+, operand type: S"));
    update("SET a = :bool - a", &format!("{types}-, operand type: BOOL"));
}

#[test]
fn operands_must_be_comparable_and_distinct() {
    let filter = |text: &str, expected: &str| check(ExpressionKind::Filter, text, expected);
    filter("a < :bool", "Incorrect operand type for operator or function; operator: <, operand type: BOOL");
    filter("a BETWEEN :list AND :n", "Incorrect operand type for operator or function; operator: BETWEEN, operand type: L");
    filter(":s < :n", "Incorrect operand type for operator or function; operator: <, operand type: N");
    filter("size(a) < :s", "accepted");
    filter("a = :bool", "accepted");
    filter(
        "a BETWEEN :n AND :m",
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}",
    );
    filter(
        "a BETWEEN :n AND :s",
        "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {S:a}",
    );
    let distinct = "The first operand must be distinct from the remaining operands for this operator or function; operator: ";
    filter("a = #a", &format!("{distinct}=, first operand: [a]"));
    filter("contains(x.y[1], x.y[1])", &format!("{distinct}contains, first operand: [x, y, [1]]"));
    filter("x IN (:s, x)", &format!("{distinct}IN, first operand: [x]"));
}

#[test]
fn updates_have_each_section_once_and_each_path_apart() {
    let update = |text: &str, expected: &str| check(ExpressionKind::Update, text, expected);
    update("SET a = :s SET b = :s", "The \"SET\" section can only be used once in an update expression;");
    let paths =
        |verb, paths: &str| format!("Two document paths {verb} with each other; must remove or rewrite one of these paths; {paths}");
    update("SET a = :s REMOVE a.b", &paths("overlap", "path one: [a], path two: [a, b]"));
    update("SET a.b = :s, a[1] = :s", &paths("conflict", "path one: [a, b], path two: [a, [1]]"));
    update("set a.b = :s, a.c = :s remove a.d[1], a.d[2]", "accepted");
    check(ExpressionKind::Projection, "#a, a", &paths("overlap", "path one: [a], path two: [a]"));
    let operand = "Incorrect operand type for operator or function; operator: ";
    update("ADD a :s", &format!("{operand}ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"));
    update("DELETE a :n", &format!("{operand}DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"));
    update("ADD a :set DELETE b :set", "accepted");
}

#[test]
fn key_conditions_are_conjunctions_on_top_level_attributes() {
    let key = |text: &str, expected: &str| check(ExpressionKind::KeyCondition, text, expected);
    key("a = :s AND begins_with(b, :t)", "accepted");
    key("a = :s AND (b BETWEEN :m AND :n)", "accepted");
    key("a = :s OR b = :t", "Invalid operator used in KeyConditionExpression: OR");
    key("a = :s AND NOT b = :t", "Invalid operator used in KeyConditionExpression: NOT");
    key("a <> :s", "Invalid operator used in KeyConditionExpression: <>");
    key("a = :s AND b IN (:t)", "Invalid operator used in KeyConditionExpression: IN");
    key("a = :s AND contains(b, :t)", "Invalid operator used in KeyConditionExpression: contains");
    key("a = b", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition");
    key(":s = :t", "Invalid condition in KeyConditionExpression: No key attribute specified");
    key("size(a) = :n", "KeyConditionExpressions cannot contain nested operations");
    key("a.b = :s", "KeyConditionExpressions cannot have conditions on nested attributes");
    key("a = :s AND b > :m AND b < :n", "KeyConditionExpressions must only contain one condition per key");
}

#[test]
fn substitutions_are_checked_before_and_after() {
    let names = |names: &[(&'static str, &'static str)]| {
        let names = names.iter().map(|(placeholder, name)| ((*placeholder).into(), (*name).into()));
        Binder::new(Some(names.collect()), None).map(drop)
    };
    let message = |error| render(&error, ExpressionKind::Condition);
    assert_eq!(message(names(&[]).unwrap_err()), "ExpressionAttributeNames must not be empty");
    assert_eq!(message(names(&[("x", "y")]).unwrap_err()), "ExpressionAttributeNames contains invalid key: Syntax error; key: \"x\"");
    let values = Item::build(|encoder| {
        encoder.name("x");
        encoder.null();
    });
    let error = Binder::new(None, Some(values)).unwrap_err();
    assert_eq!(message(error), "ExpressionAttributeValues contains invalid key: Syntax error; key: \"x\"");
    let mut binder = Binder::new(Some(vec![("#a".into(), "a".into()), ("#b".into(), "b".into())]), Some(self::values())).unwrap();
    stator_expr::projection("#b", &mut binder).unwrap();
    assert_eq!(message(binder.finish().unwrap_err()), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a}");
}

#[test]
fn legacy_refusals_name_the_operator_or_the_attribute() {
    use stator_expr::legacy::{Action, AttributeUpdate, Comparison, ComparisonOperator, Expectation, attribute_updates, expected, filter};
    let number = || Literal::from(&Value::N(Number::from(1)));
    let comparison = |operator, arguments| filter(vec![("a".to_owned(), Comparison { operator, arguments })], None).unwrap_err();
    let update = |action, value| attribute_updates(vec![("a".to_owned(), AttributeUpdate { action, value })]).unwrap_err();
    let check = |error: LegacyError, expected: &str| {
        let message = render_legacy(&error);
        assert_eq!(message.strip_prefix("One or more parameter values were invalid: ").unwrap_or(&message), expected);
    };
    check(comparison(ComparisonOperator::Eq, vec![]), "Invalid number of argument(s) for the EQ ComparisonOperator");
    check(
        comparison(ComparisonOperator::BeginsWith, vec![number()]),
        "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
    );
    check(
        expected(vec![("a".to_owned(), Expectation::default())], None).unwrap_err(),
        "Value must be provided when Exists is null for Attribute: a",
    );
    check(update(Action::Put, None), "Only DELETE action is allowed when no attribute value is specified");
    check(update(Action::Delete, Some(number())), "DELETE action with value is not supported for the type N");
    let text = Literal::from(&Value::S("x".into()));
    check(update(Action::Add, Some(text)), "ADD action is not supported for the type S");
}
