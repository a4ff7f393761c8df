//! Time per parse, per bind and per item filtered, printed as nanoseconds. Run with `cargo bench -p stator-expr`.
//!
//! What must stay true: small and without dependencies; it informs, and gates nothing.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use stator_expr::{Binder, condition, key_condition, parse, projection, update};
use stator_model::{Item, Number, Value};

/// Rounds of a block, and blocks.
const BLOCK: u32 = 200;
const BLOCKS: u32 = 1000;

const FILTER: &str = "attribute_exists(a05) AND (size(a03) > :n OR begins_with(a09, :s)) AND m.k[1] <> :s";

const KEY_CONDITION: &str = "pk = :s AND begins_with(sk, :s)";
const UPDATE: &str = "SET a05 = :n, m.k[0] = :s REMOVE a07";

fn item() -> Item {
    let names: Vec<String> = (0..16).map(|at| format!("a{at:02}")).collect();
    let list = Value::L(vec![Value::Null, Value::S("x".into())]);
    let mut attributes: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), Value::S("some text of an item".into()))).collect();
    attributes.push(("m", Value::M([("k".to_owned(), list)].into())));
    attributes.into_iter().collect()
}

fn values() -> Item {
    [(":n", Value::N(Number::from(100))), (":s", Value::S("some".into()))].into_iter().collect()
}

fn binder(values: &Item) -> Binder<'static> {
    Binder::new(None, Some(values.clone())).expect("the substitutions are in order")
}

/// The quickest of many short blocks: what others do on the machine disturbs some, but hardly all of them.
fn measure(name: &str, mut round: impl FnMut()) {
    let mut block = || {
        #[expect(clippy::disallowed_methods, reason = "a bench takes time")]
        let start = Instant::now();
        (0..BLOCK).for_each(|_| round());
        start.elapsed().as_nanos() / u128::from(BLOCK)
    };
    let nanoseconds = (0..BLOCKS).map(|_| block()).min().unwrap_or_default();
    writeln!(std::io::stdout(), "{name:<36}{nanoseconds:>8} ns").expect("the output is open");
}

fn main() {
    let (item, values) = (item(), values());
    measure("parse a filter", || {
        black_box(parse::condition(black_box(FILTER))).expect("it is in order");
    });
    measure("parse and bind a filter", || {
        black_box(condition(black_box(FILTER), &mut binder(&values))).expect("it is in order");
    });
    measure("parse a key condition", || {
        black_box(parse::condition(black_box(KEY_CONDITION))).expect("it is in order");
    });
    measure("parse and bind a key condition", || {
        black_box(key_condition(black_box(KEY_CONDITION), &mut binder(&values))).expect("it is in order");
    });
    measure("parse an update", || {
        black_box(parse::update(black_box(UPDATE))).expect("it is in order");
    });
    measure("parse and bind an update", || {
        black_box(update(black_box(UPDATE), &mut binder(&values))).expect("it is in order");
    });
    measure("parse the texts of a counter", || {
        black_box(parse::update(black_box("SET n = n + :one"))).expect("it is in order");
        black_box(parse::condition(black_box("attribute_exists(pk) AND n >= :zero"))).expect("it is in order");
    });
    let filter = condition(FILTER, &mut binder(&values)).expect("it is in order");
    measure("filter an item", || {
        black_box(filter.matches(black_box(item.map())));
    });
    let projection = projection("a01, a07, m.k[1]", &mut binder(&values)).expect("it is in order");
    measure("project an item", || {
        black_box(projection.project_item(black_box(item.map())));
    });
    let update = update(UPDATE, &mut binder(&values)).expect("it is in order");
    measure("update an item", || {
        black_box(update.apply(Some(black_box(item.map())), item.map())).expect("it fits");
    });
}
