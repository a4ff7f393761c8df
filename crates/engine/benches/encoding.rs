//! Time to build the keys and rows of an item and to look into them, printed as nanoseconds. Run with
//! `cargo bench -p stator-engine`.
//!
//! What must stay true: small and without dependencies; it informs, and gates nothing.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use stator_engine::encoding::stored;
use stator_engine::keyspace::item;
use stator_model::key::{KeyAttribute, KeySchema, ScalarType};
use stator_model::table::TableId;
use stator_model::{Item, Number, Value};

/// Rounds of a block, and blocks.
const BLOCK: u32 = 200;
const BLOCKS: u32 = 1000;

/// About a kilobyte.
fn order() -> Item {
    let texts = (0..8).map(|at| (format!("text{at}"), Value::S("some prose of an item; ".repeat(5))));
    let key = [("pk".to_owned(), Value::S("customer#00000042".into())), ("sk".to_owned(), Value::N(Number::from(17)))];
    let attributes: Vec<(String, Value)> = key.into_iter().chain(texts).collect();
    attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

fn schema() -> KeySchema {
    let attribute = |name: &str, scalar| KeyAttribute { name: name.to_owned(), scalar };
    KeySchema { partition: vec![attribute("pk", ScalarType::S)], sort: vec![attribute("sk", ScalarType::N)] }
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
    let (order, schema) = (order(), schema());
    measure("build an item's key", || {
        black_box(item::key(TableId(7), &schema, black_box(order.map()))).expect("it has the key");
    });
    measure("wrap an item as a row, 1 KB", || {
        black_box(stored::wrap(black_box(order.as_bytes())));
    });
    let row = stored::wrap(order.as_bytes());
    measure("find the last attribute of a row", || {
        black_box(stored::map(black_box(&row)).get("text7"));
    });
    measure("count the size of a row's item", || {
        black_box(stored::map(black_box(&row)).size_bytes());
    });
}
