//! A request of PartiQL and the same request in expressions give one answer.
//!
//! What must stay true: the two texts are printed from one tree here, by code that the server does not share, and the answers
//! are compared as the service sends them.
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fmt::Write;
use std::sync::Arc;

use proptest::prelude::*;
use stator_kv::MemoryStore;
use stator_testkit::json::Json;
use stator_testkit::target::{Call, InProcess, Target};

const PATHS: [&str; 6] = ["a", "b", "c", "m.x", "l[0]", "l[1].y"];

#[derive(Debug, Clone)]
enum Literal {
    Number(i32),
    Text(String),
    Bool(bool),
    List(Vec<i32>),
}

#[derive(Debug, Clone)]
enum Test {
    Compare(&'static str, &'static str, Literal),
    Between(&'static str, Literal, Literal),
    In(&'static str, Vec<Literal>),
    BeginsWith(&'static str, String),
    Contains(&'static str, Literal),
    HasType(&'static str, &'static str),
    Size(&'static str, &'static str, i32),
    Exists(&'static str, bool),
    Both(Box<Test>, Box<Test>),
    Either(Box<Test>, Box<Test>),
    Not(Box<Test>),
}

#[derive(Debug, Clone)]
enum Change {
    Set(&'static str, Literal),
    Add(&'static str, &'static str, i32),
    Append(&'static str, Vec<i32>),
    Remove(&'static str),
}

/// Both forms of one request, as far as they are printed.
#[derive(Default)]
struct Forms {
    statement: String,
    parameters: Vec<String>,
    expression: String,
    values: Vec<String>,
    uses_parameters: bool,
}

impl Literal {
    fn wire(&self) -> String {
        match self {
            Literal::Number(number) => format!("{{\"N\":\"{number}\"}}"),
            Literal::Text(text) => format!("{{\"S\":\"{text}\"}}"),
            Literal::Bool(value) => format!("{{\"BOOL\":{value}}}"),
            Literal::List(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(|number| Literal::Number(*number).wire()).collect();
                format!("{{\"L\":[{}]}}", numbers.join(","))
            }
        }
    }

    fn inline(&self) -> String {
        match self {
            Literal::Number(number) => number.to_string(),
            Literal::Text(text) => format!("'{text}'"),
            Literal::Bool(value) => value.to_string(),
            Literal::List(numbers) => format!("{numbers:?}"),
        }
    }
}

impl Forms {
    fn both(&mut self, text: &str) {
        self.statement.push_str(text);
        self.expression.push_str(text);
    }

    fn literal(&mut self, literal: &Literal) {
        if self.uses_parameters {
            self.statement.push('?');
            self.parameters.push(literal.wire());
        } else {
            self.statement.push_str(&literal.inline());
        }
        let placeholder = format!(":v{}", self.values.len());
        self.values.push(format!("\"{placeholder}\":{}", literal.wire()));
        self.expression.push_str(&placeholder);
    }

    fn test(&mut self, test: &Test) {
        match test {
            Test::Compare(path, operator, literal) => {
                self.both(&format!("{path} {operator} "));
                self.literal(literal);
            }
            Test::Between(path, low, high) => {
                self.both(&format!("{path} BETWEEN "));
                self.literal(low);
                self.both(" AND ");
                self.literal(high);
            }
            Test::In(path, literals) => self.list(path, literals),
            Test::BeginsWith(path, prefix) => self.function(&format!("begins_with({path}, "), &Literal::Text(prefix.clone())),
            Test::Contains(path, literal) => self.function(&format!("contains({path}, "), literal),
            Test::HasType(path, name) => self.function(&format!("attribute_type({path}, "), &Literal::Text((*name).to_owned())),
            Test::Size(path, operator, size) => {
                self.both(&format!("size({path}) {operator} "));
                self.literal(&Literal::Number(*size));
            }
            Test::Exists(path, exists) => {
                write!(self.statement, "{path} IS {}MISSING", if *exists { "NOT " } else { "" }).unwrap();
                write!(self.expression, "attribute_{}exists({path})", if *exists { "" } else { "not_" }).unwrap();
            }
            Test::Both(left, right) => self.joined(left, "AND", right),
            Test::Either(left, right) => self.joined(left, "OR", right),
            Test::Not(inner) => {
                self.both("NOT (");
                self.test(inner);
                self.both(")");
            }
        }
    }

    fn list(&mut self, path: &str, literals: &[Literal]) {
        write!(self.statement, "{path} IN [").unwrap();
        write!(self.expression, "{path} IN (").unwrap();
        for (at, literal) in literals.iter().enumerate() {
            self.both(if at == 0 { "" } else { ", " });
            self.literal(literal);
        }
        self.statement.push(']');
        self.expression.push(')');
    }

    fn function(&mut self, head: &str, literal: &Literal) {
        self.both(head);
        self.literal(literal);
        self.both(")");
    }

    fn joined(&mut self, left: &Test, operator: &str, right: &Test) {
        self.both("(");
        self.test(left);
        self.both(&format!(") {operator} ("));
        self.test(right);
        self.both(")");
    }

    fn statement_call(&self, head: &str, tail: &str) -> String {
        let parameters =
            if self.parameters.is_empty() { String::new() } else { format!(",\"Parameters\":[{}]", self.parameters.join(",")) };
        format!("{{\"Statement\":\"{head}{}{tail}\"{parameters}}}", self.statement)
    }
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        (-2..3_i32).prop_map(Literal::Number),
        "[a-c]{1,2}".prop_map(Literal::Text),
        any::<bool>().prop_map(Literal::Bool),
        proptest::collection::vec(-1..2_i32, 0..3).prop_map(Literal::List),
    ]
}

fn path() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&PATHS[..])
}

fn operator() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&["=", "<>", "<", "<=", ">", ">="][..])
}

fn test() -> impl Strategy<Value = Test> {
    let leaf = prop_oneof![
        3 => (path(), operator(), literal()).prop_map(|(path, operator, literal)| Test::Compare(path, operator, literal)),
        1 => (path(), literal(), literal()).prop_map(|(path, low, high)| Test::Between(path, low, high)),
        1 => (path(), proptest::collection::vec(literal(), 1..4)).prop_map(|(path, literals)| Test::In(path, literals)),
        1 => (path(), "[a-c]{1}").prop_map(|(path, prefix)| Test::BeginsWith(path, prefix)),
        1 => (path(), literal()).prop_map(|(path, literal)| Test::Contains(path, literal)),
        1 => (path(), proptest::sample::select(&["S", "N", "BOOL", "L", "M", "XX"][..])).prop_map(|(path, name)| Test::HasType(path, name)),
        1 => (path(), operator(), 0..3_i32).prop_map(|(path, operator, size)| Test::Size(path, operator, size)),
        1 => (path(), any::<bool>()).prop_map(|(path, exists)| Test::Exists(path, exists)),
    ];
    leaf.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Test::Both(Box::new(left), Box::new(right))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Test::Either(Box::new(left), Box::new(right))),
            inner.prop_map(|inner| Test::Not(Box::new(inner))),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (path(), literal()).prop_map(|(path, literal)| Change::Set(path, literal)),
        (path(), path(), -3..4_i32).prop_map(|(to, from, by)| Change::Add(to, from, by)),
        (path(), proptest::collection::vec(-1..2_i32, 0..3)).prop_map(|(path, numbers)| Change::Append(path, numbers)),
        path().prop_map(Change::Remove),
    ]
}

/// `(pk, sk, attributes)`; the attributes as on the wire, empty or each with its comma before it.
fn item() -> impl Strategy<Value = (u8, u8, String)> {
    let attribute = |name: &'static str| proptest::option::of(literal()).prop_map(move |value| value.map(|value| (name, value.wire())));
    let nested = (proptest::option::of(literal()), proptest::option::of((literal(), literal())));
    (0..3_u8, 0..4_u8, attribute("a"), attribute("b"), attribute("c"), nested).prop_map(|(pk, sk, a, b, c, (m, l))| {
        let mut out = String::new();
        for (name, value) in [a, b, c].into_iter().flatten() {
            write!(out, ",\"{name}\":{value}").unwrap();
        }
        if let Some(x) = m {
            write!(out, ",\"m\":{{\"M\":{{\"x\":{}}}}}", x.wire()).unwrap();
        }
        if let Some((first, y)) = l {
            write!(out, ",\"l\":{{\"L\":[{},{{\"M\":{{\"y\":{}}}}}]}}", first.wire(), y.wire()).unwrap();
        }
        (pk, sk, out)
    })
}

fn call(target: &mut InProcess, operation: &str, body: &str) -> (u16, Json) {
    let call =
        Call { region: "us-east-1".to_owned(), operation: operation.to_owned(), body: body.as_bytes().to_vec(), headers: Vec::new() };
    let reply = target.call(&call);
    (reply.status, Json::parse(&reply.body).unwrap())
}

/// A statement that returns an item and an operation that does: on equal tables, answers and tables are equal afterwards.
fn writes_the_same(items: &[(u8, u8, String)], statement: &str, operation: &str, request: &str) -> Result<(), TestCaseError> {
    let (mut by_statement, mut by_request) = (table_of(items), table_of(items));
    let (status, returned) = call(&mut by_statement, "ExecuteStatement", statement);
    let (expected_status, expected) = call(&mut by_request, operation, request);
    prop_assert_eq!(status, expected_status, "{} {:?}\n{} {:?}", statement, returned, request, expected);
    let returned = returned.get("Items").and_then(|items| items.elements().first());
    prop_assert_eq!(returned, expected.get("Attributes"), "{}\n{}", statement, request);
    same_rows(&mut by_statement, &mut by_request)
}

fn same_rows(one: &mut InProcess, other: &mut InProcess) -> Result<(), TestCaseError> {
    let [one, other] = [one, other].map(|target| call(target, "Scan", r#"{"TableName":"Tab"}"#));
    prop_assert_eq!(one, other);
    Ok(())
}

fn table_of(items: &[(u8, u8, String)]) -> InProcess {
    let mut target = InProcess::open(Arc::new(MemoryStore::new()));
    let table = r#"{"TableName":"Tab","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},
        {"AttributeName":"sk","KeyType":"RANGE"}],"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},
        {"AttributeName":"sk","AttributeType":"N"}]}"#;
    assert_eq!(call(&mut target, "CreateTable", table).0, 200);
    target.settle();
    for (pk, sk, attributes) in items {
        let put = format!(r#"{{"TableName":"Tab","Item":{{"pk":{{"S":"p{pk}"}},"sk":{{"N":"{sk}"}}{attributes}}}}}"#);
        assert_eq!(call(&mut target, "PutItem", &put).0, 200, "{put}");
    }
    target
}

fn values(forms: &Forms, more: &[String]) -> String {
    let values: Vec<&str> = forms.values.iter().chain(more).map(String::as_str).collect();
    if values.is_empty() { String::new() } else { format!(",\"ExpressionAttributeValues\":{{{}}}", values.join(",")) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_select_answers_what_a_query_or_scan_answers(
        items in proptest::collection::vec(item(), 1..12),
        test in test(),
        uses_parameters in any::<bool>(),
        partition in proptest::option::of((0..3_u8, 0..4_u8)),
    ) {
        let mut target = table_of(&items);
        let mut forms = Forms { uses_parameters, ..Forms::default() };
        forms.test(&test);
        let (select, operation, read) = match partition {
            Some((pk, sk)) => (
                forms.statement_call(&format!("SELECT * FROM Tab WHERE pk = 'p{pk}' AND sk >= {sk} AND ("), ")"),
                "Query",
                format!(
                    r#"{{"TableName":"Tab","KeyConditionExpression":"pk = :pk AND sk >= :sk","FilterExpression":"{}"{}}}"#,
                    forms.expression,
                    values(&forms, &[format!(r#"":pk":{{"S":"p{pk}"}}"#), format!(r#"":sk":{{"N":"{sk}"}}"#)]),
                ),
            ),
            None => (
                forms.statement_call("SELECT * FROM Tab WHERE ", ""),
                "Scan",
                format!(r#"{{"TableName":"Tab","FilterExpression":"{}"{}}}"#, forms.expression, values(&forms, &[])),
            ),
        };
        let (status, selected) = call(&mut target, "ExecuteStatement", &select);
        let (expected_status, expected) = call(&mut target, operation, &read);
        prop_assert_eq!(status, expected_status, "{} {:?}\n{} {:?}", select, selected, read, expected);
        prop_assert_eq!(selected.get("Items"), expected.get("Items"), "{}\n{}", select, read);
    }

    #[test]
    fn an_update_does_what_an_update_expression_does(
        item in item(),
        changes in proptest::collection::vec(change(), 1..4),
        test in proptest::option::of(test()),
        uses_parameters in any::<bool>(),
    ) {
        let items = [item];
        let mut forms = Forms { uses_parameters, ..Forms::default() };
        let is_removal = |change: &&Change| matches!(change, Change::Remove(_));
        for (at, change) in changes.iter().filter(|change| !is_removal(change)).enumerate() {
            forms.statement.push_str(" SET ");
            forms.expression.push_str(if at == 0 { "SET " } else { ", " });
            match change {
                Change::Set(path, literal) => {
                    forms.both(&format!("{path} = "));
                    forms.literal(literal);
                }
                Change::Add(to, from, by) => {
                    forms.both(&format!("{to} = {from} + "));
                    forms.literal(&Literal::Number(*by));
                }
                Change::Append(path, numbers) => forms.function(&format!("{path} = list_append({path}, "), &Literal::List(numbers.clone())),
                Change::Remove(_) => {}
            }
        }
        for (at, change) in changes.iter().filter(is_removal).enumerate() {
            let Change::Remove(path) = change else { continue };
            forms.expression.push_str(if at == 0 { " REMOVE " } else { ", " });
            forms.expression.push_str(path);
            write!(forms.statement, " REMOVE {path}").unwrap();
        }
        let update = std::mem::take(&mut forms.expression);
        let (pk, sk) = (items[0].0, items[0].1);
        write!(forms.statement, " WHERE pk = 'p{pk}' AND sk = {sk}").unwrap();
        let mut condition = "attribute_exists(pk)".to_owned();
        if let Some(test) = &test {
            forms.statement.push_str(" AND (");
            forms.test(test);
            forms.statement.push(')');
            write!(condition, " AND ({})", forms.expression).unwrap();
        }
        let statement = forms.statement_call("UPDATE Tab", " RETURNING ALL NEW *");
        let expression = format!(
            r#"{{"TableName":"Tab","Key":{{"pk":{{"S":"p{pk}"}},"sk":{{"N":"{sk}"}}}},"UpdateExpression":"{update}",
            "ConditionExpression":"{condition}","ReturnValues":"ALL_NEW"{}}}"#,
            values(&forms, &[]),
        );
        writes_the_same(&items, &statement, "UpdateItem", &expression)?;
    }

    #[test]
    fn a_delete_does_what_a_conditional_delete_does(
        item in item(),
        misses in any::<bool>(),
        test in proptest::option::of(test()),
        uses_parameters in any::<bool>(),
    ) {
        let items = [item];
        let mut forms = Forms { uses_parameters, ..Forms::default() };
        let (pk, sk) = (items[0].0, items[0].1 + u8::from(misses));
        write!(forms.statement, " WHERE pk = 'p{pk}' AND sk = {sk}").unwrap();
        if let Some(test) = &test {
            forms.statement.push_str(" AND (");
            forms.test(test);
            forms.statement.push(')');
        }
        let condition = if test.is_some() { format!(r#","ConditionExpression":"{}""#, forms.expression) } else { String::new() };
        let statement = forms.statement_call("DELETE FROM Tab", " RETURNING ALL OLD *");
        let expression = format!(
            r#"{{"TableName":"Tab","Key":{{"pk":{{"S":"p{pk}"}},"sk":{{"N":"{sk}"}}}},"ReturnValues":"ALL_OLD"{condition}{}}}"#,
            values(&forms, &[]),
        );
        writes_the_same(&items, &statement, "DeleteItem", &expression)?;
    }

    #[test]
    fn an_insert_stores_what_a_put_stores(
        there in item(),
        members in proptest::collection::btree_map("[a-z]{1,3}", literal(), 0..5),
        collides in any::<bool>(),
        uses_parameters in any::<bool>(),
    ) {
        let items = [there];
        let (mut by_statement, mut by_put) = (table_of(&items), table_of(&items));
        let mut forms = Forms { uses_parameters, ..Forms::default() };
        let (pk, sk) = (items[0].0, if collides { items[0].1 } else { 9 });
        let mut wire = String::new();
        write!(forms.statement, "{{'pk': 'p{pk}', 'sk': {sk}").unwrap();
        for (name, literal) in members.iter().filter(|(name, _)| !["pk", "sk"].contains(&name.as_str())) {
            write!(forms.statement, ", '{name}': ").unwrap();
            forms.literal(literal);
            write!(wire, r#","{name}":{}"#, literal.wire()).unwrap();
        }
        let statement = forms.statement_call("INSERT INTO Tab VALUE ", "}");
        let put = format!(
            r#"{{"TableName":"Tab","ConditionExpression":"attribute_not_exists(pk)","Item":{{"pk":{{"S":"p{pk}"}},"sk":{{"N":"{sk}"}}{wire}}}}}"#
        );
        let (status, answer) = call(&mut by_statement, "ExecuteStatement", &statement);
        let (expected_status, expected) = call(&mut by_put, "PutItem", &put);
        prop_assert_eq!(status, expected_status, "{} {:?}\n{} {:?}", statement, answer, put, expected);
        prop_assert_eq!(status == 200, !collides);
        same_rows(&mut by_statement, &mut by_put)?;
    }
}
