//! All that a server shows of its data: taken while nothing is wrong, and asked for again afterwards.
//!
//! ```text
//!   take: tables ─> pages of tables and indexes ─> single items ─> shards of streams      questions with their answers
//!   compare: each question again: the same answer, or an error that the server itself calls one
//! ```
//!
//! What must stay true: a question does not depend on the answer to another one, so that one that fails hides none.

use serde_json::{Value, json};
use stator_driver::client::Client;

use crate::verdict::{Violation, found};

/// Items that are asked for one by one.
const SINGLES_MAX: usize = 250;
/// Exceptions of a server whose own credential is not what it was.
const UNKNOWN_CALLER: [&str; 2] = ["UnrecognizedClientException", "InvalidSignatureException"];

/// What is asked.
#[derive(Debug)]
enum Question {
    Call(&'static str, Value),
    /// Every record of a shard.
    Shard(Value, Value),
}

/// What came of a question.
enum Answer {
    Shown(Value),
    /// The server says that it cannot tell.
    Refused(String),
}

/// Questions and the answers that they got.
pub(crate) struct Reading(Vec<(Question, Value)>);

/// How many questions were answered as before, and how many were refused.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    pub(crate) equal: usize,
    pub(crate) refused: usize,
    /// The first refusal.
    pub(crate) said: String,
}

impl Reading {
    /// Asks for everything.
    pub(crate) fn take(client: &mut Client) -> Result<Reading, Violation> {
        let mut reading = Reading(Vec::new());
        let tables = reading.ask(client, "ListTables", json!({}))?["TableNames"].take();
        let tables = tables.as_array().cloned().unwrap_or_default();
        let mut singles = Vec::new();
        for table in &tables {
            let name = json!({"TableName": table});
            let described = reading.ask(client, "DescribeTable", name.clone())?["Table"].take();
            reading.ask(client, "DescribeTimeToLive", name.clone())?;
            let key: Vec<&str> = names(&described["KeySchema"], "AttributeName");
            for item in reading.pages(client, name.clone())? {
                let key: serde_json::Map<String, Value> = key.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect();
                singles.push(json!({"TableName": table, "Key": key, "ConsistentRead": true}));
            }
            for kind in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"] {
                for index in names(&described[kind], "IndexName") {
                    reading.pages(client, json!({"TableName": table, "IndexName": index}))?;
                }
            }
            if described["LatestStreamArn"].is_string() {
                reading.shards(client, &described["LatestStreamArn"])?;
            }
        }
        let step = singles.len().div_ceil(SINGLES_MAX).max(1);
        for single in singles.into_iter().step_by(step) {
            reading.ask(client, "GetItem", single)?;
        }
        Ok(reading)
    }

    /// Asks for everything again. An answer that is another one is a violation.
    pub(crate) fn compare(&self, client: &mut Client) -> Result<Compared, Violation> {
        let mut compared = Compared::default();
        for (question, before) in &self.0 {
            match answer(client, question)? {
                Answer::Shown(now) if now == *before => compared.equal += 1,
                Answer::Shown(now) => {
                    let (before, now) = (before.to_string(), now.to_string());
                    let (before, now) = differing(&before, &now);
                    return Err(found(format!("a wrong answer to {question:?}: before …{before}…, now …{now}…")));
                }
                Answer::Refused(said) => {
                    if compared.refused == 0 {
                        compared.said = said;
                    }
                    compared.refused += 1;
                }
            }
        }
        Ok(compared)
    }

    /// Asks one thing more.
    pub(crate) fn add(&mut self, client: &mut Client, operation: &'static str, body: Value) -> Result<(), Violation> {
        self.ask(client, operation, body).map(|_| ())
    }

    /// Questions and answers as JSON, one of them a line.
    pub(crate) fn text(&self) -> String {
        let line = |(question, answer): &(Question, Value)| match question {
            Question::Call(operation, body) => json!({"operation": operation, "body": body, "answer": answer}).to_string(),
            Question::Shard(arn, shard) => json!({"stream": arn, "shard": shard, "records": answer}).to_string(),
        };
        format!("[\n{}\n]\n", self.0.iter().map(line).collect::<Vec<_>>().join(",\n"))
    }

    /// How many questions there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn ask(&mut self, client: &mut Client, operation: &'static str, body: Value) -> Result<Value, Violation> {
        self.note(client, Question::Call(operation, body))
    }

    fn note(&mut self, client: &mut Client, question: Question) -> Result<Value, Violation> {
        match answer(client, &question)? {
            Answer::Shown(shown) => {
                self.0.push((question, shown.clone()));
                Ok(shown)
            }
            Answer::Refused(said) => Err(found(format!("{question:?} over data that nothing happened to: {said}"))),
        }
    }

    fn pages(&mut self, client: &mut Client, mut body: Value) -> Result<Vec<Value>, Violation> {
        let mut items = Vec::new();
        loop {
            let mut page = self.ask(client, "Scan", body.clone())?;
            items.append(page["Items"].as_array_mut().unwrap_or(&mut Vec::new()));
            match page["LastEvaluatedKey"].take() {
                Value::Null => return Ok(items),
                last => body["ExclusiveStartKey"] = last,
            }
        }
    }

    fn shards(&mut self, client: &mut Client, arn: &Value) -> Result<(), Violation> {
        let mut body = json!({"StreamArn": arn});
        loop {
            // Not noted: shards roll by themselves.
            let Answer::Shown(mut page) = answer(client, &Question::Call("DescribeStream", body.clone()))? else {
                return Err(found("a stream cannot be described"));
            };
            for shard in page["StreamDescription"]["Shards"].as_array().into_iter().flatten() {
                self.note(client, Question::Shard(arn.clone(), shard["ShardId"].clone()))?;
            }
            match page["StreamDescription"]["LastEvaluatedShardId"].take() {
                Value::Null => return Ok(()),
                last => body["ExclusiveStartShardId"] = last,
            }
        }
    }
}

fn names<'v>(list: &'v Value, member: &str) -> Vec<&'v str> {
    list.as_array().into_iter().flatten().filter_map(|element| element[member].as_str()).collect()
}

fn answer(client: &mut Client, question: &Question) -> Result<Answer, Violation> {
    match question {
        Question::Call(operation, body) => call(client, operation, body),
        Question::Shard(arn, shard) => {
            let from = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
            let mut iterator = match call(client, "GetShardIterator", &from)? {
                Answer::Shown(mut answer) => answer["ShardIterator"].take(),
                refused @ Answer::Refused(_) => return Ok(refused),
            };
            let mut records = Vec::new();
            loop {
                let mut page = match call(client, "GetRecords", &json!({"ShardIterator": iterator}))? {
                    Answer::Shown(page) => page,
                    refused @ Answer::Refused(_) => return Ok(refused),
                };
                let count = page["Records"].as_array().map_or(0, Vec::len);
                records.append(page["Records"].as_array_mut().unwrap_or(&mut Vec::new()));
                iterator = page["NextShardIterator"].take();
                if count == 0 || iterator.is_null() {
                    return Ok(Answer::Shown(Value::Array(records)));
                }
            }
        }
    }
}

fn call(client: &mut Client, operation: &str, body: &Value) -> Result<Answer, Violation> {
    let reply = client.exchange(operation, &body.to_string()).map_err(|failure| found(format!("no answer: {failure}")))?;
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        200 => match serde_json::from_slice(&reply.body) {
            Ok(shown) => Ok(Answer::Shown(shown)),
            Err(error) => Err(found(format!("{operation} answered what is not JSON ({error}): {text}"))),
        },
        500.. => Ok(Answer::Refused(format!("{operation}: {} {text}", reply.status))),
        _ if UNKNOWN_CALLER.iter().any(|name| text.contains(name)) => Ok(Answer::Refused(format!("{operation}: {text}"))),
        status => Err(found(format!("{operation} answered {status}, which it did not before: {text}; asked was {body}"))),
    }
}

/// Where two texts begin to differ, with a little around.
fn differing<'t>(left: &'t str, right: &'t str) -> (&'t str, &'t str) {
    const AROUND: usize = 60;
    let at = left.bytes().zip(right.bytes()).take_while(|(left, right)| left == right).count();
    let part = |text: &'t str| {
        let near = |place: usize| (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0);
        &text[near(at.saturating_sub(AROUND))..near(at + AROUND)]
    };
    (part(left), part(right))
}

#[cfg(test)]
mod tests {
    use super::differing;

    #[test]
    fn what_differs_is_shown_with_a_little_around() {
        let (left, right) = (format!("{}x{}", "a".repeat(100), "b".repeat(100)), "a".repeat(100));
        let (left, right) = differing(&left, &right);
        assert!(left.contains("ax") && left.len() == 120, "{left}");
        assert_eq!(right.len(), 60);
        assert_eq!(differing("ä", "ä"), ("ä", "ä"));
    }
}
