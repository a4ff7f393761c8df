//! Whether a stream that holds a million records makes puts dearer.

use crate::bench::{Bench, Measure};
use crate::data::push_small_item;
use crate::measure::ROUNDS;
use crate::measure::requests::{self, Keys};
use stator_driver::client::Client;
use stator_driver::failure::Failure;

pub(super) const MEASURES: &[&str] = &["put-stream-long", "put-stream-new"];

const STREAM: &str = r#","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}"#;
const LONG: &str = "long";

pub(super) fn run(bench: &mut Bench) -> Result<(), Failure> {
    let serve = bench.serve(&bench.scratch.path("streams"))?;
    let mut client = Client::connect(serve.address())?;
    requests::create(&mut client, LONG, "", STREAM)?;
    let records = bench.options.scale.million();
    requests::fill_with(&serve, LONG, records, |text, at| push_small_item(text, at, ""))?;
    bench.say(&format!("a stream with {records} records"));
    let items = bench.options.scale.items_few();
    for round in 0..ROUNDS {
        let new = format!("new-{round}");
        requests::create(&mut client, &new, "", STREAM)?;
        // Both tables have these keys before the window, so that all puts replace.
        for (name, table) in [("put-stream-new", new.as_str()), ("put-stream-long", LONG)] {
            let keys = Keys::all(table, items);
            let warm = Measure::closed(name, &serve);
            bench.run(&warm, &mut requests::put(&serve, keys))?;
            bench.load(&warm, &mut requests::put(&serve, keys));
        }
    }
    bench.watch_memory(&serve);
    serve.stop()
}
