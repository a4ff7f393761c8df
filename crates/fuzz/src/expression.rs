//! The five expressions: read, printed, bound to names and values, and applied to an item.
//!
//! What must stay true: what is printed is read as the same tree.

use std::borrow::Cow;

use stator_expr::{Binder, Names, condition, key_condition, parse, projection, search_condition, update};
use stator_model::limits::EXPRESSION_BYTES_MAX;
use stator_model::{Item, Number, Value};

use crate::{Target, text, way};

pub(crate) const TARGET: Target = Target {
    name: "expression",
    words: &[
        "SET ",
        "REMOVE ",
        "ADD ",
        "DELETE ",
        " AND ",
        " OR ",
        "NOT ",
        " BETWEEN ",
        " IN ",
        "(",
        ")",
        ", ",
        " = ",
        " <> ",
        " <= ",
        "[0]",
        "[9999999999]",
        ".",
        "#a",
        "#b",
        ":n",
        ":s",
        ":l",
        ":m",
        ":ss",
        ":ns",
        "size(",
        "contains(",
        "begins_with(",
        "attribute_exists(",
        "attribute_not_exists(",
        "attribute_type(",
        "list_append(",
        "if_not_exists(",
        " + ",
        " - ",
        "pk",
        "list",
        "map",
    ],
    run,
};

fn names() -> Names<'static> {
    let pair = |placeholder, name| (Cow::Borrowed(placeholder), Cow::Borrowed(name));
    vec![pair("#a", "list"), pair("#b", "map")]
}

fn values() -> Item {
    let list = Value::L(vec![Value::Null, Value::S("x".into())]);
    let map = Value::M([("k".to_owned(), Value::Bool(true))].into());
    [(":n", Value::N(Number::from(7))), (":s", Value::S("some".into())), (":l", list), (":m", map)].into_iter().collect()
}

fn item() -> Item {
    let list = Value::L(vec![Value::N(Number::from(1)), Value::S("x".into()), Value::L(vec![Value::Null])]);
    let map = Value::M([("k".to_owned(), Value::S("v".into())), ("n".to_owned(), Value::N(Number::from(-5)))].into());
    [("pk", Value::S("key".into())), ("list", list), ("map", map), ("n", Value::N(Number::from(41)))].into_iter().collect()
}

fn run(input: &[u8]) -> String {
    let Some((kind, rest)) = input.split_first() else { return String::new() };
    let (text, item) = (text(rest), item());
    let mut binder = Binder::new(Some(names()), Some(values())).expect("they are in order");
    match kind % 5 {
        0 => {
            if let Some(printed) = parse::condition(&text).ok().and_then(|tree| printed(&tree)) {
                assert_eq!(parse::condition(&printed).map(|again| again.to_string()), Ok(printed), "{text}");
            }
            match condition(&text, &mut binder) {
                Ok(condition) => format!("condition {}", condition.matches(item.map())),
                Err(error) => way(&error),
            }
        }
        1 => match projection(&text, &mut binder) {
            Ok(projection) => format!("projection {}", projection.project_item(item.map()).map().len()),
            Err(error) => way(&error),
        },
        2 => {
            if let Some(printed) = parse::update(&text).ok().and_then(|tree| printed(&tree)) {
                assert_eq!(parse::update(&printed).map(|again| again.to_string()), Ok(printed), "{text}");
            }
            match update(&text, &mut binder) {
                Ok(update) => applied(&update, &item),
                Err(error) => way(&error),
            }
        }
        3 => match key_condition(&text, &mut binder) {
            Ok(condition) => way(&condition),
            Err(error) => way(&error),
        },
        _ => match search_condition(&text, &mut binder) {
            Ok(found) => format!("search {}", found.len()),
            Err(error) => way(&error),
        },
    }
}

/// A tree as it is printed, with all its spaces and brackets: with these it may be longer than an expression may be.
fn printed(tree: &impl std::fmt::Display) -> Option<String> {
    Some(tree.to_string()).filter(|text| text.len() <= EXPRESSION_BYTES_MAX)
}

/// Applies an update to an item and to none; what comes of it is an item of canonical form.
fn applied(update: &stator_expr::Update, item: &Item) -> String {
    let key: Item = [("pk", Value::S("key".into()))].into_iter().collect();
    for existing in [Some(item.map()), None] {
        match update.apply(existing, key.map()) {
            Ok(Some(new)) => assert!(Item::parse(new.as_bytes().to_vec()).is_ok(), "an update makes what is no item"),
            Ok(None) => {}
            Err(error) => return way(&error),
        }
    }
    "updated".to_owned()
}
