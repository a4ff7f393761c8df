//! Runs a script against a target and says where answers differ from expectations.
//!
//! What must stay true: a script that runs on one target passes on all, so nothing here depends on which one it is but
//! what is only about the wire.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::normal::{blur, normalize};
use super::notation::{self, Bindings};
use super::{Block, Script, Source, Step, table};
use crate::json::Json;
use crate::target::{Call, Reply, Target};

/// Requests made while waiting for the tables to come to rest; far more than any wait takes.
const SETTLE_TRIES_MAX: usize = 20_000;

/// What a run found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Steps run, by source.
    pub steps: BTreeMap<Source, usize>,
    /// Steps that fail as announced.
    pub pending: usize,
    /// What went wrong, ready to be read.
    pub failures: Vec<String>,
    /// The script's text with the answers given instead of the expectations that failed.
    pub rewritten: String,
}

/// Runs a script. Regions get `region_suffix` on the way in and lose it on the way out, so that scripts can share a server.
pub fn run(text: &str, target: &mut dyn Target, region_suffix: &str) -> Outcome {
    let mut outcome = Outcome { rewritten: text.to_owned(), ..Outcome::default() };
    let script = match Script::parse(text) {
        Ok(script) => script,
        Err((line, reason)) => {
            outcome.failures.push(format!("line {line}: {reason}"));
            return outcome;
        }
    };
    if script.only_http && !target.is_http() {
        return outcome;
    }
    let sessions = BTreeMap::from([(String::new(), "us-east-1".to_owned())]);
    let mut runner = Runner { target, region_suffix, sessions, bindings: Bindings::new() };
    let mut replacements = Vec::new();
    for block in &script.blocks {
        match block {
            Block::Setup(lines) => {
                for (line, text) in lines {
                    if let Err(reason) = runner.setup(text) {
                        outcome.failures.push(format!("line {line}: {text}\n{reason}"));
                        return outcome;
                    }
                }
            }
            Block::Step(step) => {
                if !runner.target.is_http() && (!step.headers.is_empty() || step.call.starts_with('/')) {
                    continue;
                }
                *outcome.steps.entry(step.source).or_default() += 1;
                match (runner.step(step), &step.pending) {
                    (Ok(()), None) => {}
                    (Ok(()), Some(_)) => outcome.failures.push(format!("line {}: it is pending but passes now", step.line)),
                    (Err(_), Some(_)) => outcome.pending += 1,
                    (Err((shown, actual)), None) => {
                        outcome.failures.push(format!("line {}: {}\n{shown}", step.line, abridged(&step.call)));
                        replacements.push((step.expected_lines.clone(), actual));
                    }
                }
            }
        }
    }
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for (range, actual) in replacements.into_iter().rev() {
        lines.splice(range, actual.lines().map(str::to_owned));
    }
    outcome.rewritten = lines.join("\n") + "\n";
    outcome
}

struct Runner<'a> {
    target: &'a mut dyn Target,
    region_suffix: &'a str,
    /// Regions by session name; the unnamed one is always there.
    sessions: BTreeMap<String, String>,
    bindings: Bindings,
}

impl Runner<'_> {
    fn setup(&mut self, text: &str) -> Result<(), String> {
        let (word, rest) = text.split_once([' ', '\n']).unwrap_or((text, ""));
        match word {
            "table" => {
                let request = table::create_request(rest)?;
                self.must_succeed("CreateTable", &request.render(), "")
            }
            "let" => {
                let (name, value) = rest.split_once('=').ok_or("let needs a value")?;
                let value = self.value(value)?;
                self.bindings.insert(name.trim().to_owned(), value);
                Ok(())
            }
            "bind" => self.bind(rest),
            "session" => {
                let (name, region) = rest.split_once(' ').ok_or("session needs a region")?;
                self.sessions.insert(name.to_owned(), region.trim().to_owned());
                Ok(())
            }
            "settle" => self.settle(),
            "repeat" => self.repeat(rest),
            _ => {
                let (session, operation, body) = self.request(text)?;
                self.must_succeed(&operation, &String::from_utf8_lossy(&body), &session)
            }
        }
    }

    /// `bind NAME PATH Operation …`: names a part of an answer; numbers in the path are places in lists.
    fn bind(&mut self, text: &str) -> Result<(), String> {
        let mut words = text.splitn(3, ' ');
        let mut word = || words.next().ok_or("bind NAME PATH Operation …");
        let (name, path, call) = (word()?, word()?, word()?);
        let (session, operation, body) = self.request(call)?;
        let reply = self.call(&session, &operation, body, &[])?;
        let answer = Json::parse(&reply.body).map_err(|_| "the answer is no JSON")?;
        let part = path.split('.').try_fold(&answer, |value, step| match step.parse::<usize>() {
            Ok(at) => value.elements().get(at),
            Err(_) => value.get(step),
        });
        let part = part.ok_or_else(|| format!("no {path} in: {}", show(&operation, &reply, None)))?;
        self.bindings.insert(name.to_owned(), part.clone());
        Ok(())
    }

    fn repeat(&mut self, text: &str) -> Result<(), String> {
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().ok_or("repeat NAME FROM TO Operation …");
        let name = word()?.to_owned();
        let (from, to) = (word()?.parse::<u32>(), word()?.parse::<u32>());
        let (Ok(from), Ok(to)) = (from, to) else { return Err("bounds are whole numbers".to_owned()) };
        let call = word()?.to_owned();
        for value in from..=to {
            self.bindings.insert(name.clone(), Json::text(value.to_string()));
            self.setup(&call)?;
        }
        Ok(())
    }

    /// Waits until every table and index is at rest.
    fn settle(&mut self) -> Result<(), String> {
        self.target.settle();
        for session in self.sessions.keys().cloned().collect::<Vec<_>>() {
            let listed = Json::parse(&self.call(&session, "ListTables", b"{}".to_vec(), &[])?.body).map_err(|_| "no list of tables")?;
            for name in listed.get("TableNames").map(Json::elements).unwrap_or_default() {
                let request = Json::single("TableName", name.clone()).render().into_bytes();
                let mut tries = 0;
                loop {
                    let reply = self.call(&session, "DescribeTable", request.clone(), &[])?;
                    let ttl = self.call(&session, "DescribeTimeToLive", request.clone(), &[])?;
                    let is_enabling = String::from_utf8_lossy(&ttl.body).contains("ENABLING");
                    if !is_enabling && (reply.status != 200 || Json::parse(&reply.body).is_ok_and(|answer| is_at_rest(&answer))) {
                        break;
                    }
                    tries += 1;
                    if tries == SETTLE_TRIES_MAX {
                        return Err(format!("{} does not come to rest", name.render()));
                    }
                }
            }
        }
        Ok(())
    }

    fn must_succeed(&mut self, operation: &str, body: &str, session: &str) -> Result<(), String> {
        let reply = self.call(session, operation, body.as_bytes().to_vec(), &[])?;
        if reply.status == 200 { Ok(()) } else { Err(format!("must succeed, but: {}", show(operation, &reply, None))) }
    }

    /// Err: what to show, and the answer in the notation.
    fn step(&mut self, step: &Step) -> Result<(), (String, String)> {
        let broken = |reason: String| (reason, step.expected.clone());
        let (session, operation, body) = self.request(&step.call).map_err(broken)?;
        let (expected, expected_json) = self.expectation(&operation, &step.expected).map_err(broken)?;
        let reply = self.call(&session, &operation, body, &step.headers).map_err(broken)?;
        let mut actual = show(&operation, &reply, expected_json.as_ref());
        for line in step.expected.lines().filter_map(|line| line.strip_prefix("header ")) {
            let (name, pattern) = line.split_once(": ").unwrap_or((line, "<none>"));
            let found = reply.headers.iter().find(|(known, _)| known == name).map_or("<none>", |(_, value)| value);
            let shown = if fits(pattern, found) { pattern } else { found };
            write!(actual, "\nheader {name}: {shown}").expect("a string takes all");
        }
        if expected == actual { Ok(()) } else { Err((difference(&expected, &actual), actual)) }
    }

    /// The expectation in the form that `show` gives to answers.
    fn expectation(&self, operation: &str, text: &str) -> Result<(String, Option<Json>), String> {
        let is_status = text.starts_with(|c: char| c.is_ascii_digit());
        let (mut shown, rest) = if is_status {
            text.split_once('\n').map_or((text.to_owned(), ""), |(line, rest)| (line.to_owned(), rest))
        } else {
            (String::new(), text)
        };
        if is_status {
            shown = self.with_bindings(shown);
        }
        let (headers, value): (Vec<_>, Vec<_>) = rest.lines().partition(|line| line.starts_with("header "));
        let value = value.join("\n");
        let mut json = None;
        if !value.trim().is_empty() {
            let text = value.strip_prefix("+ ").unwrap_or(&value);
            let value = normalize(operation, self.value(text)?);
            if is_status {
                shown.push_str("\n+ ");
            }
            shown.push_str(&notation::print(&value));
            json = Some(value);
        }
        for header in headers {
            shown.push('\n');
            shown.push_str(header);
        }
        Ok((shown, json))
    }

    /// A line in which `$name` stands for a bound text, the longest name first.
    fn with_bindings(&self, mut line: String) -> String {
        let mut names: Vec<&String> = self.bindings.keys().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        for name in names {
            if let Some(Json::String(text)) = self.bindings.get(name) {
                line = line.replace(&format!("${name}"), text);
            }
        }
        line
    }

    /// Session, operation and body of a call.
    fn request(&self, text: &str) -> Result<(String, String, Vec<u8>), String> {
        let (session, text) = match text.split_once("> ") {
            Some((session, rest)) if self.sessions.contains_key(session) => (session.to_owned(), rest),
            _ => (String::new(), text),
        };
        let (operation, rest) = text.split_once([' ', '\n']).unwrap_or((text, ""));
        let rest = rest.trim();
        if let Some(raw) = rest.strip_prefix("raw") {
            return Ok((session, operation.to_owned(), raw.trim_start().as_bytes().to_vec()));
        }
        if let Some(hex) = rest.strip_prefix("hex ") {
            let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
            let bytes = digits.chunks(2).map(|pair| u8::from_str_radix(&String::from_utf8_lossy(pair), 16));
            return Ok((session, operation.to_owned(), bytes.collect::<Result<_, _>>().map_err(|_| "pairs of hex digits")?));
        }
        let (table, value) = match rest.find('{') {
            Some(0) => ("", rest),
            Some(brace) => (rest[..brace].trim(), &rest[brace..]),
            None => (rest, "{}"),
        };
        let Json::Object(mut members) = self.value(value)? else { return Err("a request is an object".to_owned()) };
        if !table.is_empty() {
            members.insert(0, ("TableName".to_owned(), Json::text(table)));
        }
        Ok((session, operation.to_owned(), Json::Object(members).render().into_bytes()))
    }

    fn value(&self, text: &str) -> Result<Json, String> {
        notation::parse(text, &self.bindings).map_err(|error| {
            let near: String = text[error.at..].chars().take(30).collect();
            format!("not in the notation: {} expected before {near:?}", error.expected)
        })
    }

    fn call(&mut self, session: &str, operation: &str, body: Vec<u8>, headers: &[(String, Option<String>)]) -> Result<Reply, String> {
        let region = self.sessions.get(session).ok_or("no such session")?;
        let mapped = format!("{region}{}", self.region_suffix);
        let body = replaced(body, &format!("{region}:"), &format!("{mapped}:"));
        let call = Call { region: mapped, operation: operation.to_owned(), body, headers: headers.to_vec() };
        let mut reply = self.target.call(&call);
        reply.body = replaced(reply.body, self.region_suffix, "");
        Ok(reply)
    }
}

fn replaced(bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    if from.is_empty() || from == to {
        return bytes;
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.contains(from) => text.replace(from, to).into_bytes(),
        Ok(text) => text.into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

fn is_at_rest(described: &Json) -> bool {
    let Some(table) = described.get("Table") else { return false };
    let is_active = |of: &Json, member: &str| of.get(member).and_then(Json::as_str) == Some("ACTIVE");
    let indexes = table.get("GlobalSecondaryIndexes").map(Json::elements).unwrap_or_default();
    is_active(table, "TableStatus") && indexes.iter().all(|index| is_active(index, "IndexStatus"))
}

/// Whether a header's value fits what is expected of it.
fn fits(pattern: &str, value: &str) -> bool {
    match pattern {
        "<any>" => value != "<none>",
        "<id>" => value.len() == 52 && value.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()),
        exact => exact == value,
    }
}

/// An answer as scripts spell it.
fn show(operation: &str, reply: &Reply, expected: Option<&Json>) -> String {
    let Ok(answer) = Json::parse(&reply.body) else {
        let mut text = String::new();
        crate::json::write_string(&mut text, &String::from_utf8_lossy(&reply.body));
        return format!("{} text {text}", reply.status);
    };
    let of = |answer: Json| {
        let answer = normalize(operation, answer);
        match expected {
            Some(expected) => blur(answer, expected),
            None => answer,
        }
    };
    let Some(exception) = answer.get("__type").and_then(Json::as_str) else {
        let status = if reply.status == 200 { String::new() } else { format!("{}\n+ ", reply.status) };
        return status + &notation::print(&of(answer));
    };
    let mut shown = format!("{} {}", reply.status, exception.rsplit('#').next().unwrap_or(exception));
    if let Some(message) = answer.get("message").or(answer.get("Message")).and_then(Json::as_str) {
        write!(shown, ": {message}").expect("a string takes all");
    }
    if let Json::Object(members) = answer {
        let rest: Vec<_> = members.into_iter().filter(|(name, _)| !matches!(name.as_str(), "__type" | "message" | "Message")).collect();
        if !rest.is_empty() {
            write!(shown, "\n+ {}", notation::print(&of(Json::Object(rest)))).expect("a string takes all");
        }
    }
    shown
}

fn abridged(call: &str) -> String {
    if call.chars().count() > 300 { call.chars().take(300).collect::<String>() + "…" } else { call.to_owned() }
}

/// Both texts line by line, what they share once.
fn difference(expected: &str, actual: &str) -> String {
    let (left, right): (Vec<_>, Vec<_>) = (expected.lines().collect(), actual.lines().collect());
    let shared_head = left.iter().zip(&right).take_while(|(one, other)| one == other).count();
    let shared_tail =
        left[shared_head..].iter().rev().zip(right[shared_head..].iter().rev()).take_while(|(one, other)| one == other).count();
    let mut out = String::new();
    let mut lines = |sign: char, lines: &[&str]| lines.iter().for_each(|line| out.push_str(&format!("  {sign} {line}\n")));
    lines(' ', &left[..shared_head]);
    lines('-', &left[shared_head..left.len() - shared_tail]);
    lines('+', &right[shared_head..right.len() - shared_tail]);
    lines(' ', &left[left.len() - shared_tail..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers the request itself, or an exception when told to.
    struct Echo;

    impl Target for Echo {
        fn call(&mut self, call: &Call) -> Reply {
            let body =
                if call.operation == "Fail" { br#"{"__type":"a#Bad","message":"no","Item":{}}"#.to_vec() } else { call.body.clone() };
            Reply { status: if call.operation == "Fail" { 400 } else { 200 }, body, headers: Vec::new() }
        }

        fn is_http(&self) -> bool {
            true
        }
    }

    #[test]
    fn a_script_passes_where_answers_are_as_expected() {
        let text = "source: assumed x\nlet k = {pk: 'a'}\n\nEcho T {Key: $k}\n---\n{Key: {pk: 'a'} TableName: T}\n\nFail\n---\n400 Bad: no\n+ {Item: {}}\n";
        let outcome = run(text, &mut Echo, "");
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(outcome.steps[&Source::Assumed], 2);
    }

    #[test]
    fn a_failure_shows_both_sides_and_can_be_rewritten() {
        let text = "source: assumed x\n\nEcho {a: 1}\n---\n{a: 2}\n\nEcho {a: 1}\n---\n{a: <any>}\n";
        let outcome = run(text, &mut Echo, "");
        assert_eq!(outcome.failures, ["line 3: Echo {a: 1}\n  - {a: 2}\n  + {a: 1}\n"]);
        assert_eq!(outcome.rewritten, text.replacen("{a: 2}", "{a: 1}", 1));
    }

    #[test]
    fn a_pending_step_has_to_fail() {
        let step = |expected| format!("source: assumed x\n\npending: later\nEcho {{a: 1}}\n---\n{expected}\n");
        assert_eq!(run(&step("{}"), &mut Echo, "").pending, 1);
        assert_eq!(run(&step("{a: 1}"), &mut Echo, "").failures.len(), 1);
    }
}
