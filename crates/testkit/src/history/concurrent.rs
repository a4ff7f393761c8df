//! Many callers at once, whose observations have to have an order.
//!
//! What must stay true: each write appends a mark that no other has; an event begins before its call is made and ends after
//! its answer has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::call;
use super::order::{Course, Event, Fate, judge};
use crate::json::Json;
use crate::script::{create_request, parse_value};
use crate::target::Target;

/// How much goes on.
#[derive(Debug, Clone, Copy)]
pub struct Concurrent {
    /// Callers.
    pub callers: u64,
    /// Calls of each.
    pub calls: u64,
    /// Items that they share.
    pub items: u64,
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn items(&mut self, of: u64) -> BTreeSet<u64> {
        (0..=self.below(3)).map(|_| self.below(of)).collect()
    }
}

fn value(text: &str) -> Json {
    parse_value(text, &BTreeMap::new()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn append(item: u64, mark: u64) -> String {
    format!(
        "{{TableName: Tab Key: {{pk: '{item}'}} UpdateExpression: \"SET marks = list_append(if_not_exists(marks, :none), :mark)\"
          ExpressionAttributeValues: {{:none: l[] :mark: l[{mark}n]}}}}"
    )
}

fn marks(item: Option<&Json>) -> Vec<u64> {
    let list = item.and_then(|item| item.get("marks")).and_then(|marks| marks.get("L")).map(Json::elements).unwrap_or_default();
    let number = |mark: &Json| mark.get("N").and_then(Json::as_str).and_then(|text| text.parse().ok());
    list.iter().map(|mark| number(mark).expect("marks are numbers")).collect()
}

/// Appends a mark to some items: one by UpdateItem, several by a transaction.
fn write(target: &mut dyn Target, items: &BTreeSet<u64>, mark: u64) -> Event {
    let texts: Vec<String> = items.iter().map(|item| append(*item, mark)).collect();
    let exchange = match texts.as_slice() {
        [one] => call(target, "UpdateItem", value(one)),
        many => {
            let members = many.iter().map(|text| format!("{{Update: {text}}}")).collect::<Vec<_>>().join(" ");
            call(target, "TransactWriteItems", value(&format!("{{TransactItems: [{members}]}}")))
        }
    };
    let answer = exchange.answer().render();
    // Whoever meets a transaction that is under way is told to come back.
    let is_conflict = exchange.reply.status == 400 && answer.contains("TransactionConflict");
    assert!(exchange.reply.status == 200 || is_conflict, "{answer}");
    Event {
        mark: Some(mark),
        items: items.iter().map(|item| (*item, None)).collect(),
        fate: if exchange.reply.status == 200 { Fate::Done } else { Fate::Refused },
        ..Event::default()
    }
}

/// Reads some items in one moment.
fn read(target: &mut dyn Target, items: &BTreeSet<u64>) -> Event {
    let seen = match items.iter().copied().collect::<Vec<_>>().as_slice() {
        [one] => {
            let exchange = call(target, "GetItem", value(&format!("{{TableName: Tab Key: {{pk: '{one}'}} ConsistentRead: true}}")));
            assert_eq!(exchange.reply.status, 200, "{}", exchange.answer().render());
            vec![(*one, marks(exchange.answer().get("Item")))]
        }
        many => {
            let gets = many.iter().map(|item| format!("{{Get: {{TableName: Tab Key: {{pk: '{item}'}}}}}}")).collect::<Vec<_>>().join(" ");
            let exchange = call(target, "TransactGetItems", value(&format!("{{TransactItems: [{gets}]}}")));
            let answer = exchange.answer();
            let is_conflict = exchange.reply.status == 400 && answer.render().contains("TransactionConflict");
            assert!(exchange.reply.status == 200 || is_conflict, "{}", answer.render());
            let responses = answer.get("Responses").map(Json::elements).unwrap_or_default();
            many.iter().zip(responses).map(|(item, response)| (*item, marks(response.get("Item")))).collect()
        }
    };
    Event { items: seen.into_iter().map(|(item, list)| (item, Some(list))).collect(), ..Event::default() }
}

/// Lets callers work side by side on an empty target, and looks for an order.
///
/// # Errors
/// What cannot be put into one order.
pub fn serializable<T: Target>(plan: Concurrent, target: impl Fn() -> T + Sync) -> Result<(), String> {
    let made = call(&mut target(), "CreateTable", create_request("Tab pk:S")?);
    assert_eq!(made.reply.status, 200, "{}", made.answer().render());
    let (moments, events) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for caller in 0..plan.callers {
            let (target, moments, events) = (&target, &moments, &events);
            scope.spawn(move || {
                let (mut target, mut random) = (target(), Random(caller + 1));
                for step in 0..plan.calls {
                    let items = random.items(plan.items);
                    let began = moments.fetch_add(1, Ordering::SeqCst);
                    let event = match random.below(3) {
                        0 => read(&mut target, &items),
                        _ => write(&mut target, &items, caller * plan.calls + step + 1),
                    };
                    let ended = moments.fetch_add(1, Ordering::SeqCst);
                    events.lock().expect("no caller panics with it").push(Event { began, ended, ..event });
                }
            });
        }
    });
    let every: BTreeSet<u64> = (0..plan.items).collect();
    let list = |item: &u64| read(&mut target(), &BTreeSet::from([*item])).items[item].clone().unwrap_or_default();
    let last = every.iter().map(list).collect::<Vec<_>>();
    judge(Course { events: &events.into_inner().expect("no caller panics with it"), last: &last, told: &[] })
}
