//! Many callers at once, and whether what they saw can be put into one order.
//!
//! Each write appends a mark of its own to the lists of some items, so the lists tell in which order writes took effect,
//! and what a read saw tells where among them it lies:
//!
//! ```text
//!   write → the next write in a list        write → whoever saw it        whoever did not see it yet → write
//!   whatever had ended → whatever began afterwards
//! ```
//!
//! What must stay true: all of that together has no circle (strict serializability); a mark that was acknowledged is in
//! each of its lists once, one that was refused is in none, and no caller sees half of a transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::call;
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

/// Something that was done: what it appended, or what it saw.
#[derive(Debug, Default)]
struct Event {
    began: u64,
    ended: u64,
    mark: Option<u64>,
    /// Items, with the lists that were seen there by a read.
    items: BTreeMap<u64, Vec<u64>>,
    is_refused: bool,
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
        items: items.iter().map(|item| (*item, Vec::new())).collect(),
        is_refused: exchange.reply.status != 200,
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
    Event { items: seen.into_iter().collect(), ..Event::default() }
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
    let last = every.iter().map(|item| read(&mut target(), &BTreeSet::from([*item])).items[item].clone()).collect::<Vec<_>>();
    judge(&events.into_inner().expect("no caller panics with it"), &last)
}

/// Looks for an order of all events, given the lists as they are in the end.
fn judge(events: &[Event], last: &[Vec<u64>]) -> Result<(), String> {
    let by_mark: BTreeMap<u64, usize> = events.iter().enumerate().filter_map(|(at, event)| Some((event.mark?, at))).collect();
    let mut later: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); events.len()];
    for (item, list) in (0u64..).zip(last) {
        let distinct: BTreeSet<_> = list.iter().collect();
        if distinct.len() != list.len() {
            return Err(format!("a mark is in the list of item {item} twice: {list:?}"));
        }
        for (mark, at) in &by_mark {
            let event = &events[*at];
            let belongs = event.items.contains_key(&item) && !event.is_refused;
            if belongs != distinct.contains(mark) {
                return Err(format!("item {item} and mark {mark}: {event:?}\n{list:?}"));
            }
        }
        for pair in list.windows(2) {
            later[by_mark[&pair[0]]].insert(by_mark[&pair[1]]);
        }
        for (at, event) in events.iter().enumerate().filter(|(_, event)| event.mark.is_none()) {
            let Some(seen) = event.items.get(&item) else { continue };
            if !list.starts_with(seen) {
                return Err(format!("a read saw {seen:?} in item {item}, which never was: {list:?}"));
            }
            if let Some(newest) = seen.last() {
                later[by_mark[newest]].insert(at);
            }
            if let Some(next) = list.get(seen.len()) {
                later[at].insert(by_mark[next]);
            }
        }
    }
    for (at, event) in events.iter().enumerate() {
        later[at].extend((0..events.len()).filter(|other| event.ended < events[*other].began));
    }
    in_order(&later).ok_or_else(|| "what was seen cannot be put into one order".to_owned())
}

/// Whether a graph has no circle: takes away, again and again, whatever nothing precedes.
fn in_order(later: &[BTreeSet<usize>]) -> Option<()> {
    let mut before = vec![0usize; later.len()];
    later.iter().flatten().for_each(|at| before[*at] += 1);
    let mut free: Vec<usize> = (0..later.len()).filter(|at| before[*at] == 0).collect();
    let mut taken = 0;
    while let Some(at) = free.pop() {
        taken += 1;
        for next in &later[at] {
            before[*next] -= 1;
            if before[*next] == 0 {
                free.push(*next);
            }
        }
    }
    (taken == later.len()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::{Event, judge};

    fn write(mark: u64, items: &[u64], began: u64, ended: u64) -> Event {
        Event { began, ended, mark: Some(mark), items: items.iter().map(|item| (*item, Vec::new())).collect(), is_refused: false }
    }

    fn read(seen: &[(u64, &[u64])], began: u64, ended: u64) -> Event {
        Event { began, ended, items: seen.iter().map(|(item, list)| (*item, list.to_vec())).collect(), ..Event::default() }
    }

    #[test]
    fn what_has_an_order_is_accepted_and_what_has_none_is_not() {
        let writes = || vec![write(1, &[0, 1], 1, 10), write(2, &[0, 1], 2, 11)];
        let judged = |more: Event, lists: [&[u64]; 2]| {
            let mut events = writes();
            events.push(more);
            judge(&events, &lists.map(<[u64]>::to_vec))
        };
        assert_eq!(judged(read(&[(0, &[1]), (1, &[1])], 3, 9), [&[1, 2], &[1, 2]]), Ok(()));
        assert!(judged(read(&[], 3, 9), [&[1, 2], &[2, 1]]).is_err(), "two orders of one pair");
        assert!(judged(read(&[(0, &[1]), (1, &[])], 3, 9), [&[1, 2], &[1, 2]]).is_err(), "half of a transaction");
        assert!(judged(read(&[(0, &[2])], 3, 9), [&[1, 2], &[1, 2]]).is_err(), "a list that never was");
        assert!(judged(read(&[(0, &[1])], 12, 13), [&[1, 2], &[1, 2]]).is_err(), "older than what had ended");
        assert!(judged(read(&[], 3, 9), [&[1, 2], &[1]]).is_err(), "an acknowledged mark is lost");
        assert!(judged(read(&[], 3, 9), [&[1, 2, 1], &[1, 2]]).is_err(), "a mark is there twice");
    }
}
