//! `/_stator/faults`: requests that go wrong on purpose.
//!
//! What must stay true: a request meets one fault at most, the oldest that matches; it is one that would have been performed,
//! so requests that are refused for what they say do not count. The same seed chooses the same requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stator_api::messages::exception;
use stator_api::messages::transaction::{self, Reason};
use stator_api::touch::{attributes, has_all};
use stator_api::{Fault, registry};
use stator_model::Item;

use super::call::{Call, created, ok};
use super::problem::Problem;
use super::trace::Trace;
use super::{Answer, Hooks, span};

/// Faults at one time.
const FAULTS_MAX: usize = 1000;
/// The longest that a request can be made to wait.
const DELAY_MS_MAX: u64 = 10 * 60 * 1000;

/// What a request meets.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    /// It waits first.
    pub(crate) delay: Duration,
    /// Then this comes instead of its answer.
    pub(crate) outcome: Outcome,
    /// What should have been done is done before.
    pub(crate) after: bool,
}

/// How a request ends.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// As it would have.
    Usual,
    /// With an exception.
    Exception(Fault),
    /// Without an answer.
    Drop,
    /// With members of its batch undone.
    Unprocessed(Unprocessed),
}

/// Which members of a batch are undone.
#[derive(Debug, Clone)]
pub(crate) struct Unprocessed {
    count_max: u64,
    table: Option<String>,
    key: Option<Item>,
}

impl Unprocessed {
    /// Whether a member is one of them; it counts then.
    pub(crate) fn takes(&mut self, table: &str, item: &Item) -> bool {
        let is_one = self.count_max > 0
            && self.table.as_deref().is_none_or(|wanted| wanted == table)
            && self.key.as_ref().is_none_or(|key| has_all(item, key));
        self.count_max -= u64::from(is_one);
        is_one
    }
}

/// What a test gives.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Given {
    #[serde(default, rename = "match")]
    of: Match,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<serde_json::Map<String, Value>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    drop: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    unprocessed: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    after: bool,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

/// How many members of a batch.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(untagged)]
enum Members {
    Count(u64),
    Word(String),
}

struct Entry {
    given: Given,
    key: Option<Item>,
    /// Why members of a transaction are at fault.
    cancel: Option<Reason>,
    effect: Effect,
    left: Option<u64>,
    dice: u64,
    hits: u64,
}

#[derive(Default)]
struct Entries {
    last: u64,
    by_number: BTreeMap<u64, Entry>,
}

/// All faults, oldest first.
#[derive(Default)]
pub(super) struct Faults(Mutex<Entries>);

#[derive(Serialize)]
struct Shown<'e> {
    id: String,
    hits: u64,
    /// How many more requests it is for; without, it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<u64>,
    #[serde(flatten)]
    given: &'e Given,
}

impl Entry {
    fn shown(&self, number: u64) -> Shown<'_> {
        Shown { id: id(number), hits: self.hits, left: self.left, given: &self.given }
    }

    fn matches(&self, trace: &Trace) -> bool {
        let Some(asked) = trace.asked() else { return false };
        let of = &self.given.of;
        let has_item = |key: &Item| {
            let mut own = asked.touched().items.iter().filter(|(table, _)| of.table.as_ref().is_none_or(|wanted| wanted == table));
            own.any(|(_, item)| has_all(item, key))
        };
        of.operation.as_deref().is_none_or(|name| name == asked.operation)
            && of.table.as_ref().is_none_or(|table| asked.touched().tables.contains(table))
            && of.region.as_ref().is_none_or(|region| trace.region.get() == Some(region))
            && self.key.as_ref().is_none_or(has_item)
            && (asked.touched().is_batch || !matches!(self.effect.outcome, Outcome::Unprocessed(_)))
            && (asked.touched().is_transaction || self.cancel.is_none())
    }

    /// What a request meets that this fault has chosen.
    fn effect(&self, trace: &Trace) -> Effect {
        let mut effect = self.effect.clone();
        if let (Some(reason), Some(asked)) = (&self.cancel, trace.asked()) {
            effect.outcome = Outcome::Exception(self.cancelled(reason, &asked.touched().items));
        }
        effect
    }

    /// Members that match are told the reason, and others that they are not at fault.
    fn cancelled(&self, reason: &Reason, members: &[(String, Item)]) -> Fault {
        let is_at_fault = |(table, item): &(String, Item)| {
            self.given.of.table.as_ref().is_none_or(|wanted| wanted == table) && self.key.as_ref().is_none_or(|key| has_all(item, key))
        };
        let told = |member| if is_at_fault(member) { reason.clone() } else { Reason::NONE };
        transaction::cancelled(&members.iter().map(told).collect::<Vec<_>>())
    }

    /// Whether a matching request is one of those that it is for.
    fn chooses(&mut self) -> bool {
        if self.left == Some(0) {
            return false;
        }
        if self.given.share.is_some_and(|share| self.throw() >= share) {
            return false;
        }
        self.hits += 1;
        self.left = self.left.map(|left| left - 1);
        true
    }

    /// A number from zero up to, but without, one. Steele, Lea and Flood, "Fast splittable pseudorandom number generators".
    fn throw(&mut self) -> f64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let bits = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Faults {
    /// The fault that a request meets; it counts as met.
    pub(super) fn hit(&self, trace: &Trace) -> Option<Effect> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut met =
            faults.by_number.iter_mut().filter_map(|(number, entry)| (entry.matches(trace) && entry.chooses()).then_some((number, entry)));
        let (number, entry) = met.next()?;
        let _ = trace.fault.set(id(*number));
        Some(entry.effect(trace))
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_number.clear();
    }
}

fn id(number: u64) -> String {
    format!("fault-{number}")
}

pub(super) fn list(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    let faults = hooks.faults.0.lock().unwrap_or_else(PoisonError::into_inner);
    ok(&json!({ "faults": faults.by_number.iter().map(|(number, entry)| entry.shown(*number)).collect::<Vec<_>>() }))
}

pub(super) fn add(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let given: Given = call.input()?;
    let key = check_match(&given.of)?;
    let effect = effect(&given, key.as_ref(), call.example)?;
    let cancel = given.cancel.as_deref().map(|code| reason_of(&given, code)).transpose()?;
    check_number(&given)?;
    let mut faults = hooks.faults.0.lock().unwrap_or_else(PoisonError::into_inner);
    if faults.by_number.len() >= FAULTS_MAX {
        return Err(Problem::conflict(format!("there are {FAULTS_MAX} faults already"), "DELETE /_stator/faults clears them"));
    }
    faults.last += 1;
    let number = faults.last;
    let entry = Entry { left: given.times, dice: given.seed.unwrap_or(0), given, key, cancel, effect, hits: 0 };
    let shown = created(&entry.shown(number));
    faults.by_number.insert(number, entry);
    shown
}

pub(super) fn read(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let faults = hooks.faults.0.lock().unwrap_or_else(PoisonError::into_inner);
    let number = number(call, &faults)?;
    ok(&faults.by_number[&number].shown(number))
}

pub(super) fn remove(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let mut faults = hooks.faults.0.lock().unwrap_or_else(PoisonError::into_inner);
    let number = number(call, &faults)?;
    let shown = ok(&json!({ "removed": faults.by_number[&number].shown(number) }));
    faults.by_number.remove(&number);
    shown
}

pub(super) fn clear(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    hooks.faults.clear();
    ok(&json!({ "done": true }))
}

fn number(call: &Call<'_>, faults: &Entries) -> Result<u64, Problem> {
    let given = call.parameter;
    let number = given.strip_prefix("fault-").and_then(|number| number.parse().ok()).filter(|number| faults.by_number.contains_key(number));
    number.ok_or_else(|| Problem::not_found(format!("there is no fault {given:?}"), "GET /_stator/faults lists them"))
}

fn check_match(of: &Match) -> Result<Option<Item>, Problem> {
    if let Some(name) = &of.operation
        && !registry().iter().any(|operation| operation.info().name == name)
    {
        let known: Vec<&str> = registry().iter().map(|operation| operation.info().name).collect();
        return Err(Problem::invalid(format!("no operation is called {name:?}"), format!("there are: {}", known.join(", "))));
    }
    let Some(key) = &of.key else { return Ok(None) };
    let item = attributes(key.to_string().as_bytes()).filter(|item| !item.map().is_empty());
    let hint = r#"attributes are written as in requests: {"Artist":{"S":"Nina Simone"}}"#;
    item.map(Some).ok_or_else(|| Problem::invalid("match.key is no map of attribute values", hint))
}

fn check_number(given: &Given) -> Result<(), Problem> {
    if given.times == Some(0) {
        return Err(Problem::invalid("times is 0", "leave it out for every request, or give how many"));
    }
    match given.share {
        Some(share) if !(share > 0.0 && share <= 1.0) => {
            Err(Problem::invalid("share is not above 0 and at most 1", "0.25 is every fourth request or so"))
        }
        None if given.seed.is_some() => {
            Err(Problem::invalid("a seed is given without a share", "a seed decides which requests a share takes"))
        }
        _ => Ok(()),
    }
}

fn effect(given: &Given, key: Option<&Item>, example: &str) -> Result<Effect, Problem> {
    let outcomes = usize::from(given.exception.is_some()) + usize::from(given.drop);
    let outcomes = outcomes + usize::from(given.unprocessed.is_some()) + usize::from(given.cancel.is_some());
    if outcomes > 1 {
        return Err(Problem::invalid("exception, drop, unprocessed and cancel do not go together", "add a fault for each"));
    }
    if outcomes == 0 && given.delay.is_none() {
        return Err(Problem::invalid(
            "nothing is to go wrong",
            format!("give delay, exception, drop, unprocessed or cancel, for example: {example}"),
        ));
    }
    if given.exception.is_none() && (given.members.is_some() || given.message.is_some() && given.cancel.is_none()) {
        return Err(Problem::invalid("message and members belong to an exception", "give its name as exception"));
    }
    if given.after && given.exception.is_none() && !given.drop {
        return Err(Problem::invalid("after goes with exception or drop", "it performs the request, and then keeps its answer back"));
    }
    let delay_ms = given.delay.as_deref().map(span::parse).transpose()?.unwrap_or(0);
    if delay_ms > DELAY_MS_MAX {
        return Err(Problem::invalid("the delay is too long", format!("requests can wait for {} at most", span::print(DELAY_MS_MAX))));
    }
    let outcome = match (&given.exception, &given.unprocessed) {
        (Some(name), _) => Outcome::Exception(exception_of(given, name)?),
        (None, Some(members)) => Outcome::Unprocessed(unprocessed(given, key, members)?),
        (None, None) if given.drop => Outcome::Drop,
        (None, None) => Outcome::Usual,
    };
    Ok(Effect { delay: Duration::from_millis(delay_ms), outcome, after: given.after })
}

fn exception_of(given: &Given, name: &str) -> Result<Fault, Problem> {
    let known = exception::by_name(name).ok_or_else(|| {
        let names: Vec<&str> = exception::names().collect();
        Problem::invalid(format!("no exception is called {name:?}"), format!("there are: {}", names.join(", ")))
    })?;
    let member = |(name, value): (&String, &Value)| format!("{}:{value}", Value::from(name.as_str()));
    let members = given.members.iter().flatten().map(member).collect();
    Ok(Fault { message: given.message.clone().or(known.message), members, ..known })
}

fn reason_of(given: &Given, code: &str) -> Result<Reason, Problem> {
    let known = transaction::reason_of_code(code).ok_or_else(|| {
        let codes: Vec<&str> = transaction::REASONS.iter().map(|(code, _)| *code).collect();
        Problem::invalid(format!("no cancellation reason has the code {code:?}"), format!("there are: {}", codes.join(", ")))
    })?;
    Ok(Reason { message: given.message.clone().or(known.message), ..known })
}

fn unprocessed(given: &Given, key: Option<&Item>, members: &Members) -> Result<Unprocessed, Problem> {
    let count_max = match members {
        Members::Count(count) if *count > 0 => *count,
        Members::Word(word) if word == "all" => u64::MAX,
        _ => return Err(Problem::invalid("unprocessed says how many members come back", r#"give a number above 0, or "all""#)),
    };
    Ok(Unprocessed { count_max, table: given.of.table.clone(), key: key.cloned() })
}
