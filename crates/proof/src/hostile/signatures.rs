//! Requests with a good signature that somebody has changed on the way.
//!
//! What must stay true: every change touches what is signed, and none is one that the rules of signing take back (case, outer
//! blanks), so that any that is answered with success is a forgery.

use std::net::SocketAddr;

use serde_json::json;
use stator_driver::client::Client;

use super::wire::{Raw, signed};
use crate::choices::Choices;
use crate::verdict::{Violation, found};

const TABLE: &str = "Vault";
const SENDERS: u64 = 4;
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Sends so many changed requests; none may do anything.
pub(super) fn forge(address: SocketAddr, seed: u64, count: u64) -> Result<String, Violation> {
    let mut client = Client::connect(address)?;
    super::create(&mut client, TABLE)?;
    client.call("PutItem", &body("kept", 0).to_string())?;
    let sent: Vec<Result<(), Violation>> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| scope.spawn(move || send_some(address, Choices::part(seed, sender), count.div_ceil(SENDERS))))
            .collect();
        senders.into_iter().map(|sender| sender.join().expect("a sender does not panic")).collect()
    });
    sent.into_iter().collect::<Result<(), _>>()?;
    let left = client.call("Scan", &json!({"TableName": TABLE}).to_string())?;
    if left["Count"] != 1 || left["Items"][0]["id"]["S"] != "kept" {
        return Err(found(format!("after changed requests there is {left}")));
    }
    Ok(format!("{count} changed requests refused"))
}

fn body(id: &str, number: u64) -> serde_json::Value {
    json!({"TableName": TABLE, "Item": {"id": {"S": format!("{id}")}, "number": {"N": number.to_string()}}})
}

fn send_some(address: SocketAddr, mut choices: Choices, count: u64) -> Result<(), Violation> {
    super::give_way();
    let mut raw = None;
    for number in 0..count {
        let whole = signed(address, "PutItem", body("forged", number).to_string().as_bytes());
        let (what, changed) = changed(&whole, &mut choices);
        let mut connection = match raw.take() {
            Some(connection) => connection,
            None => Raw::connect(address)?,
        };
        connection.send(&changed);
        // A connection that was closed without an answer has answered, too.
        let Some(reply) = connection.receive() else { continue };
        if !(400..500).contains(&reply.status) {
            let (request, answer) = (String::from_utf8_lossy(&changed), String::from_utf8_lossy(&reply.body));
            return Err(found(format!("a forged request ({what}) is answered with {}: {answer}\n{request}", reply.status)));
        }
        // Some statuses leave the rest of what was sent behind; only a plain refusal is known to have read all.
        raw = (reply.status == 400).then_some(connection).filter(|_| changed.len() == whole.len());
    }
    Ok(())
}

/// A part of a request that is signed: what stands before it, and what behind.
const PARTS: [(&str, &str); 8] = [
    ("X-Amz-Date: ", "\r\n"),
    ("X-Amz-Target: ", "\r\n"),
    ("Host: ", "\r\n"),
    ("Credential=", ","),
    ("SignedHeaders=", ","),
    ("Signature=", "\r\n"),
    ("Content-Type: ", "\r\n"),
    ("\r\n\r\n", ""),
];

/// A change, and its name.
fn changed(whole: &[u8], choices: &mut Choices) -> (String, Vec<u8>) {
    let text = String::from_utf8_lossy(whole).into_owned();
    let replaced = |what: &str, from: &str, to: &str| (what.to_owned(), text.replacen(from, to, 1).into_bytes());
    match choices.below(24) {
        0 => replaced("another path", "POST / ", "POST /a "),
        1 => replaced("a query", "POST / ", "POST /?a=b "),
        2 => replaced("a target more", "\r\nHost:", "\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\nHost:"),
        3 => replaced("a date more", "\r\nHost:", "\r\nX-Amz-Date: 20200101T000000Z\r\nHost:"),
        4 => replaced("another operation", "DynamoDB_20120810.PutItem", "DynamoDB_20120810.DeleteTable"),
        5 => replaced("a header less is signed", ";x-amz-target", ""),
        6 => replaced("a header more is signed", "SignedHeaders=", "SignedHeaders=accept;"),
        7 => replaced("a longer signature", "Signature=", "Signature=0"),
        8 => replaced("another algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512"),
        9 => replaced("another service", "/dynamodb/aws4_request", "/s3/aws4_request"),
        10 => replaced("another region", "/us-east-1/", "/us-west-2/"),
        11 => replaced("another item", r#""S":"forged""#, r#""S":"vorged""#),
        12 => shortened(&text, choices),
        _ => flipped(whole, choices),
    }
}

/// A signature of another length.
fn shortened(text: &str, choices: &mut Choices) -> (String, Vec<u8>) {
    let end = text.find("Signature=").and_then(|at| Some(at + text[at..].find("\r\n")?)).unwrap_or(text.len());
    let cut = usize::try_from(1 + choices.below(63)).unwrap_or(1);
    ("a shorter signature".to_owned(), [&text[..end - cut], &text[end..]].concat().into_bytes())
}

/// One character of a signed part becomes another.
fn flipped(whole: &[u8], choices: &mut Choices) -> (String, Vec<u8>) {
    let text = String::from_utf8_lossy(whole);
    let (before, behind) = PARTS[usize::try_from(choices.below(PARTS.len() as u64)).unwrap_or(0)];
    let from = text.find(before).map_or(0, |at| at + before.len());
    let length = if behind.is_empty() { text.len() - from } else { text[from..].find(behind).unwrap_or(0) };
    let mut bytes = whole.to_vec();
    let at = from + usize::try_from(choices.below(length as u64)).unwrap_or(0);
    let letter = loop {
        let letter = LETTERS[usize::try_from(choices.below(LETTERS.len() as u64)).unwrap_or(0)];
        if !letter.eq_ignore_ascii_case(&bytes[at]) {
            break letter;
        }
    };
    let what = format!("{} becomes {} in {before:?} at {}", char::from(bytes[at]), char::from(letter), at - from);
    bytes[at] = letter;
    (what, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_changes_something() {
        let whole = signed("127.0.0.1:8000".parse().unwrap(), "PutItem", body("forged", 1).to_string().as_bytes());
        let mut choices = Choices::of(1);
        for _ in 0..2000 {
            let (what, changed) = changed(&whole, &mut choices);
            assert_ne!(changed, whole, "{what}");
            assert!(!changed.eq_ignore_ascii_case(&whole), "{what}");
        }
    }
}
