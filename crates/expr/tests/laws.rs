//! Laws that hold for every expression and every item.
//!
//! The naive evaluator here shares nothing with the crate's: it walks a tree over decoded values.

use proptest::prelude::*;
use stator_expr::ast::Clause;
use stator_expr::{Binder, parse};
use stator_model::{Item, Number, RawValue, Value, ValueType};

/// A condition as a plain tree.
#[derive(Debug, Clone)]
enum Naive {
    Compare(&'static str, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(&'static str),
    NotExists(&'static str),
    TypeIs(&'static str, ValueType),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
    Not(Box<Naive>),
    And(Box<Naive>, Box<Naive>),
    Or(Box<Naive>, Box<Naive>),
}

#[derive(Debug, Clone)]
enum Operand {
    Path(&'static str),
    Literal(Value),
    Size(&'static str),
}

/// The whole attributes thrice, since most parts of them are missing from most items.
const PATHS: [&str; 13] = ["aa", "bb", "cc", "aa", "bb", "cc", "aa", "bb", "cc", "aa.x", "aa.y[1]", "bb[0]", "cc[1].x"];

/// Writes the text and gathers the literals.
fn write(condition: &Naive, text: &mut String, literals: &mut Vec<Value>) {
    let mut operand = |operand: &Operand| match operand {
        Operand::Path(path) => (*path).to_owned(),
        Operand::Size(path) => format!("size({path})"),
        Operand::Literal(value) => {
            literals.push(value.clone());
            format!(":v{}", literals.len() - 1)
        }
    };
    let written = match condition {
        Naive::Compare(symbol, left, right) => format!("{} {symbol} {}", operand(left), operand(right)),
        Naive::Between(tested, lower, upper) => format!("{} BETWEEN {} AND {}", operand(tested), operand(lower), operand(upper)),
        Naive::In(tested, list) => {
            let tested = operand(tested);
            format!("{tested} IN ({})", list.iter().map(operand).collect::<Vec<_>>().join(", "))
        }
        Naive::Exists(path) => format!("attribute_exists({path})"),
        Naive::NotExists(path) => format!("attribute_not_exists({path})"),
        Naive::TypeIs(path, kind) => format!("attribute_type({path}, {})", operand(&Operand::Literal(Value::S(kind.name().to_owned())))),
        Naive::BeginsWith(value, prefix) => format!("begins_with({}, {})", operand(value), operand(prefix)),
        Naive::Contains(value, part) => format!("contains({}, {})", operand(value), operand(part)),
        Naive::Not(inner) => return write_around("NOT (", inner, "", None, text, literals),
        Naive::And(left, right) => return write_around("(", left, ") AND (", Some(right), text, literals),
        Naive::Or(left, right) => return write_around("(", left, ") OR (", Some(right), text, literals),
    };
    text.push_str(&written);
}

fn write_around(before: &str, first: &Naive, between: &str, second: Option<&Naive>, text: &mut String, literals: &mut Vec<Value>) {
    text.push_str(before);
    write(first, text, literals);
    text.push_str(between);
    if let Some(second) = second {
        write(second, text, literals);
    }
    text.push(')');
}

fn find(item: &Value, path: &str) -> Option<Value> {
    let names = path.replace('[', ".").replace(']', "");
    names.split('.').try_fold(item.clone(), |value, step| match value {
        Value::M(map) => map.get(step).cloned(),
        Value::L(list) => list.get(step.parse::<usize>().ok()?).cloned(),
        _ => None,
    })
}

fn load(operand: &Operand, item: &Value) -> Option<Value> {
    let count = |count: usize| Some(Value::N(Number::from(i64::try_from(count).expect("sizes are small"))));
    match operand {
        Operand::Path(path) => find(item, path),
        Operand::Literal(value) => Some(value.clone()),
        Operand::Size(path) => match find(item, path)? {
            Value::S(text) => count(text.len()),
            Value::B(bytes) => count(bytes.len()),
            Value::SS(set) => count(set.len()),
            Value::NS(set) => count(set.len()),
            Value::BS(set) => count(set.len()),
            Value::L(list) => count(list.len()),
            Value::M(map) => count(map.len()),
            Value::N(_) | Value::Bool(_) | Value::Null => None,
        },
    }
}

fn compare(symbol: &str, left: Option<&Value>, right: Option<&Value>) -> bool {
    let order = match (left, right) {
        (Some(Value::S(left)), Some(Value::S(right))) => left.as_bytes().partial_cmp(right.as_bytes()),
        (Some(Value::B(left)), Some(Value::B(right))) => left.partial_cmp(right),
        (Some(Value::N(left)), Some(Value::N(right))) => left.partial_cmp(right),
        _ => None,
    };
    match symbol {
        "=" => left.is_some() && left == right,
        "<>" => left.is_none() || left != right,
        "<" => order.is_some_and(std::cmp::Ordering::is_lt),
        "<=" => order.is_some_and(std::cmp::Ordering::is_le),
        ">" => order.is_some_and(std::cmp::Ordering::is_gt),
        _ => order.is_some_and(std::cmp::Ordering::is_ge),
    }
}

fn holds(condition: &Naive, item: &Value) -> bool {
    let load = |operand: &Operand| load(operand, item);
    match condition {
        Naive::Compare(symbol, left, right) => compare(symbol, load(left).as_ref(), load(right).as_ref()),
        Naive::Between(tested, lower, upper) => {
            let tested = load(tested);
            compare(">=", tested.as_ref(), load(lower).as_ref()) && compare("<=", tested.as_ref(), load(upper).as_ref())
        }
        Naive::In(tested, list) => list.iter().any(|candidate| compare("=", load(tested).as_ref(), load(candidate).as_ref())),
        Naive::Exists(path) => find(item, path).is_some(),
        Naive::NotExists(path) => find(item, path).is_none(),
        Naive::TypeIs(path, kind) => find(item, path).is_some_and(|value| value.value_type() == *kind),
        Naive::BeginsWith(value, prefix) => match (load(value), load(prefix)) {
            (Some(Value::S(value)), Some(Value::S(prefix))) => value.starts_with(&prefix),
            (Some(Value::B(value)), Some(Value::B(prefix))) => value.starts_with(&prefix),
            _ => false,
        },
        Naive::Contains(value, part) => match (load(value), load(part)) {
            (Some(Value::S(value)), Some(Value::S(part))) => value.contains(&part),
            (Some(Value::B(value)), Some(Value::B(part))) => part.is_empty() || value.windows(part.len()).any(|window| window == part),
            (Some(Value::SS(set)), Some(Value::S(part))) => set.contains(&part),
            (Some(Value::NS(set)), Some(Value::N(part))) => set.contains(&part),
            (Some(Value::BS(set)), Some(Value::B(part))) => set.contains(&part),
            (Some(Value::L(list)), Some(part)) => list.contains(&part),
            _ => false,
        },
        Naive::Not(inner) => !holds(inner, item),
        Naive::And(left, right) => holds(left, item) && holds(right, item),
        Naive::Or(left, right) => holds(left, item) || holds(right, item),
    }
}

/// Few distinct scalars, so that equal ones meet.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        4 => "[ab]{0,4}".prop_map(Value::S),
        6 => (0i64..4).prop_map(|number| Value::N(Number::from(number))),
        1 => prop::collection::vec(0u8..2, 0..3).prop_map(Value::B),
        1 => prop::collection::btree_set("[ab]{1,2}", 1..3).prop_map(Value::SS),
        1 => prop::collection::btree_set((0i64..4).prop_map(Number::from), 1..3).prop_map(Value::NS),
        1 => prop::collection::btree_set(prop::collection::vec(0u8..2, 1..3), 1..3).prop_map(Value::BS),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::L),
            prop::collection::btree_map("[xy]", inner, 0..3).prop_map(Value::M),
        ]
    })
}

/// Scalars and nested values alternate, so that many paths lead somewhere.
fn item() -> impl Strategy<Value = Value> {
    let attribute = || prop::option::weighted(0.9, prop_oneof![scalar(), value()]);
    (attribute(), attribute(), attribute()).prop_map(|(aa, bb, cc)| {
        let attributes = [("aa", aa), ("bb", bb), ("cc", cc)];
        Value::M(attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    })
}

fn encoded(item: &Value) -> Item {
    Item::from_encoded(item.to_encoded())
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATHS.to_vec())
}

fn operand(literals: BoxedStrategy<Value>) -> impl Strategy<Value = Operand> {
    prop_oneof![3 => path().prop_map(Operand::Path), 1 => path().prop_map(Operand::Size), 2 => literals.prop_map(Operand::Literal)]
}

fn condition() -> impl Strategy<Value = Naive> {
    let any = || operand(value().boxed());
    let ordered = || operand((0i64..4).prop_map(|number| Value::N(Number::from(number))).boxed());
    let text = || operand("[ab]{0,2}".prop_map(Value::S).boxed());
    let kinds = vec![ValueType::S, ValueType::N, ValueType::L, ValueType::M, ValueType::SS, ValueType::Null];
    let test = prop_oneof![
        (prop::sample::select(vec!["=", "<>"]), any(), any()).prop_map(|(symbol, left, right)| Naive::Compare(symbol, left, right)),
        (prop::sample::select(vec!["<", "<=", ">", ">="]), ordered(), ordered())
            .prop_map(|(symbol, left, right)| Naive::Compare(symbol, left, right)),
        (ordered(), ordered(), ordered()).prop_map(|(tested, lower, upper)| Naive::Between(tested, lower, upper)),
        (any(), prop::collection::vec(any(), 1..3)).prop_map(|(tested, list)| Naive::In(tested, list)),
        path().prop_map(Naive::Exists),
        path().prop_map(Naive::NotExists),
        (path(), prop::sample::select(kinds)).prop_map(|(path, kind)| Naive::TypeIs(path, kind)),
        (path().prop_map(Operand::Path), text()).prop_map(|(value, prefix)| Naive::BeginsWith(value, prefix)),
        (path().prop_map(Operand::Path), prop_oneof![any(), text()]).prop_map(|(value, part)| Naive::Contains(value, part)),
    ];
    test.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Naive::Not(Box::new(inner))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Naive::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner).prop_map(|(left, right)| Naive::Or(Box::new(left), Box::new(right))),
        ]
    })
}

/// Texts that are nearly expressions.
fn soup() -> impl Strategy<Value = String> {
    const WORDS: [&str; 43] = [
        "SET",
        "REMOVE",
        "ADD",
        "DELETE",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "IN",
        "(",
        ")",
        "(",
        ")",
        ",",
        ",",
        ".",
        "[",
        "]",
        "0",
        "1",
        "99999999999",
        "=",
        "<>",
        "<",
        "<=",
        "+",
        "-",
        "#n",
        "#",
        ":v0",
        ":v1",
        ":v2",
        ":",
        "aa",
        "bb",
        "cc",
        "size",
        "contains",
        "begins_with",
        "attribute_exists",
        "attribute_type",
        "if_not_exists",
        "list_append",
    ];
    let word = prop::sample::select(WORDS.to_vec());
    prop_oneof![4 => prop::collection::vec(word, 0..24).prop_map(|words| words.join(" ")), 1 => any::<String>()]
}

fn binder(literals: &[Value]) -> Binder<'static> {
    let names: Vec<String> = (0..literals.len()).map(|at| format!(":v{at}")).collect();
    let values: Item = names.iter().map(String::as_str).zip(literals.iter().cloned()).collect();
    Binder::new(Some(vec![("#n".into(), "aa".into())]), (!literals.is_empty()).then_some(values)).expect("the substitutions are in order")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conditions_say_what_a_naive_evaluator_says(condition in condition(), item in item()) {
        let (mut text, mut literals) = (String::new(), Vec::new());
        write(&condition, &mut text, &mut literals);
        // What is refused before any item is read (operands that repeat, bounds that cross) has nothing to say.
        if let Ok(bound) = stator_expr::condition(&text, &mut binder(&literals)) {
            prop_assert_eq!(bound.matches(encoded(&item).map()), holds(&condition, &item), "{}", text);
        }
    }

    #[test]
    fn what_is_printed_is_parsed_to_the_same(condition in condition()) {
        let (mut text, mut literals) = (String::new(), Vec::new());
        write(&condition, &mut text, &mut literals);
        let parsed = parse::condition(&text).expect("the text follows the grammar");
        let printed = parsed.to_string();
        let again = parse::condition(&printed).expect("what is printed follows the grammar");
        prop_assert!(!again.0.has_redundant_parentheses, "{}", printed);
        prop_assert_eq!(&again.0.nodes, &parsed.0.nodes, "{}", printed);
    }

    #[test]
    fn nearly_expressions_never_panic(text in soup(), item in item(), values in prop::collection::vec(value(), 3)) {
        let item = encoded(&item);
        if let Ok(tree) = parse::condition(&text) {
            let printed = tree.to_string();
            prop_assert_eq!(&parse::condition(&printed).expect("what is printed follows the grammar").0.nodes, &tree.0.nodes);
        }
        let is_redundant = |clause: &Clause| matches!(clause, Clause::Set(_, tree) if tree.has_redundant_parentheses);
        if let Ok(tree) = parse::update(&text)
            && !tree.clauses.iter().any(is_redundant)
        {
            let printed = parse::update(&tree.to_string()).expect("what is printed follows the grammar");
            prop_assert_eq!(printed.clauses, tree.clauses);
        }
        if let Ok(condition) = stator_expr::condition(&text, &mut binder(&values)) {
            condition.matches(item.map());
        }
        if let Ok(projection) = stator_expr::projection(&text, &mut binder(&values)) {
            prop_assert!(RawValue::new(projection.project_item(item.map()).as_bytes()).validate().is_ok());
        }
        let _ = stator_expr::key_condition(&text, &mut binder(&values));
        if let Ok(update) = stator_expr::update(&text, &mut binder(&values)) {
            for existing in [Some(item.map()), None] {
                update.touched_old(item.map());
                if let Ok(Some(new)) = update.apply(existing, Item::empty().map()) {
                    prop_assert!(RawValue::new(new.as_bytes()).validate().is_ok());
                    update.touched_new(existing, new.map());
                }
            }
        }
    }

    #[test]
    fn updates_leave_other_attributes_alone(item in item(), added in value()) {
        let item = encoded(&item);
        let update = stator_expr::update("SET aa = :v0", &mut binder(std::slice::from_ref(&added))).expect("the text follows the grammar");
        let new = update.apply(Some(item.map()), item.map()).expect("nothing can be wrong").expect("an item is there");
        prop_assert_eq!(new.get("aa").map(Value::from), Some(added));
        for name in ["bb", "cc"] {
            prop_assert_eq!(new.get(name), item.get(name));
        }
    }
}

#[test]
fn the_deepest_texts_allowed_are_parsed_printed_and_asked() {
    let item = Item::empty();
    let values = [Value::L(Vec::new())];
    let nots = format!("{}aa = :v0", "NOT ".repeat(299));
    let groups = format!("{}aa = :v0{}", "aa = :v0 OR (".repeat(149), ")".repeat(149));
    for text in [nots, groups] {
        let printed = parse::condition(&text).expect("the text follows the grammar").to_string();
        let condition = stator_expr::condition(&printed, &mut binder(&values)).expect("the text is within the limits");
        assert_eq!(condition.matches(item.map()), text.starts_with("NOT"));
    }
    let calls = format!("SET aa = {}:v0{}", "list_append(".repeat(270), ",:v0)".repeat(190));
    assert!(stator_expr::update(&calls, &mut binder(&values)).is_err());
    let calls = format!("SET aa = {}:v0{}", "list_append(".repeat(230), ",:v0)".repeat(230));
    let update = stator_expr::update(&calls, &mut binder(&values)).expect("the text is within the limits");
    assert!(update.apply(None, item.map()).is_ok());
    for text in ["(", "NOT(", "size(", "aa IN(", "list_append("] {
        let text = text.repeat(4096 / text.len());
        assert!(stator_expr::condition(&text, &mut binder(&values)).is_err());
        assert!(stator_expr::update(&format!("SET a={}", &text[..4000]), &mut binder(&values)).is_err());
    }
}
