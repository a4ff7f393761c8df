//! Time from JSON to typed input and from stored bytes to JSON, printed as nanoseconds. Run with `cargo bench -p stator-api`.
//!
//! What must stay true: small and without dependencies; it informs, and gates nothing. Requests and answers go through the
//! code that serves them.
#![allow(clippy::unwrap_used, reason = "a bench may fail by panicking")]

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use stator_api::json::Writer;
use stator_api::{target, touch};
use stator_engine::encoding::stored;

/// Rounds of a block, and blocks.
const BLOCK: u32 = 200;
const BLOCKS: u32 = 1000;

/// About a kilobyte, of most types.
fn item() -> String {
    format!(
        r#"{{"pk":{{"S":"customer#00000042"}},"sk":{{"N":"17"}},"city":{{"S":"Ghent"}},"at":{{"N":"1700000000000"}},"gift":{{"BOOL":true}},"tags":{{"SS":["a","b","c"]}},"lines":{{"L":[{{"M":{{"sku":{{"S":"abc"}},"count":{{"N":"3"}}}}}}]}},"note":{{"S":"{}"}}}}"#,
        "some prose of an item; ".repeat(35)
    )
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

fn decode(operation: &str, body: &str, validates: bool) {
    let operation = target::find(&format!("DynamoDB_20120810.{operation}")).unwrap();
    let mut prepared = operation.decode(black_box(body.as_bytes())).unwrap();
    if validates {
        prepared.validate().unwrap();
    }
    black_box(prepared);
}

fn main() {
    let item = item();
    let put = format!(r#"{{"TableName":"Orders","Item":{item}}}"#);
    let get = r#"{"TableName":"Orders","Key":{"pk":{"S":"customer#00000042"},"sk":{"N":"17"}}}"#;
    measure("decode PutItem, 1 KB", || decode("PutItem", &put, false));
    measure("decode and validate PutItem, 1 KB", || decode("PutItem", &put, true));
    measure("decode and validate GetItem", || decode("GetItem", get, true));
    let row = stored::wrap(touch::attributes(item.as_bytes()).unwrap().as_bytes());
    measure("print the answer of GetItem, 1 KB", || {
        black_box(Writer::answer(|writer| writer.name("Item").attributes(stored::map(black_box(&row)))));
    });
}
