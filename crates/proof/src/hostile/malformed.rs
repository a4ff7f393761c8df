//! Requests with a good signature and a body that is too deep, too large, too many, or no JSON at all.
//!
//! What must stay true: for each it is written down what has to come of it; an error of the server, or no answer in time, is
//! never it.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use stator_driver::client::Client;

use super::wire::{exception, exchange, signed, signed_with};
use crate::verdict::{Violation, found};

const TABLE: &str = "Ground";
/// No single request may keep the server busy for longer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
const BODY_BYTES_MAX: usize = 16 << 20;
/// All of it is thrown so often: in one round the guests ask so little that four answers are their p99.
const ROUNDS: usize = 5;

const VALIDATION: &str = "ValidationException";
const SERIALIZATION: &str = "SerializationException";
/// Refused in whatever way, or taken.
const ANY: &str = "";

/// What is sent, and what has to come back: a status, and an exception if one is named.
pub(crate) struct Malformed {
    what: &'static str,
    bytes: Vec<u8>,
    status: u16,
    exception: &'static str,
}

/// All of it, signed for a server.
pub(crate) fn all(address: SocketAddr) -> Vec<Malformed> {
    [bodies, values, expressions, requests, compressed].into_iter().flat_map(|make| make(address)).collect()
}

/// Sends it; answers how much that was.
pub(super) fn throw(address: SocketAddr, cases: &[Malformed]) -> Result<String, Violation> {
    super::create(&mut Client::connect(address)?, TABLE)?;
    super::give_way();
    (0..ROUNDS).try_for_each(|_| cases.iter().try_for_each(|case| check(address, case)))?;
    Ok(format!("{} malformed requests answered {ROUNDS} times as they have to be", cases.len()))
}

fn check(address: SocketAddr, case: &Malformed) -> Result<(), Violation> {
    let begin = Instant::now();
    let reply = exchange(address, &case.bytes);
    let elapsed = begin.elapsed();
    let Some(reply) = reply else {
        return Err(found(format!("{}: no answer after {elapsed:?}", case.what)));
    };
    let (status, exception) = (reply.status, exception(&reply));
    let is_good = if case.exception == ANY && case.status == 0 {
        status < 500
    } else {
        status == case.status && (case.exception == ANY || exception == case.exception)
    };
    if !is_good {
        let text: String = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
        return Err(found(format!("{}: got {status} {text}, and should get {} {}", case.what, case.status, case.exception)));
    }
    if elapsed > ANSWER_TIME_MAX {
        return Err(found(format!("{}: the answer took {elapsed:?}", case.what)));
    }
    Ok(())
}

fn case(address: SocketAddr, what: &'static str, operation: &str, body: impl AsRef<[u8]>, exception: &'static str) -> Malformed {
    let status = if exception == ANY { 0 } else { 400 };
    Malformed { what, bytes: signed(address, operation, body.as_ref()), status, exception }
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    [open.repeat(depth), close.repeat(depth)].concat()
}

/// An item with one attribute beside its key.
fn item(value: &str) -> String {
    format!(r#"{{"TableName":"{TABLE}","Item":{{"id":{{"S":"a"}},"value":{value}}}}}"#)
}

fn bodies(address: SocketAddr) -> Vec<Malformed> {
    let put = |what, body: &[u8], exception| case(address, what, "PutItem", body, exception);
    vec![
        put("an empty body", b"", SERIALIZATION),
        put("a list", b"[]", SERIALIZATION),
        put("null", b"null", SERIALIZATION),
        put("half a body", br#"{"TableName":"#, SERIALIZATION),
        put("something after the body", format!("{} x", item(r#"{"S":"b"}"#)).as_bytes(), SERIALIZATION),
        put("a body of zeros", &[0; 1000], SERIALIZATION),
        put("invalid UTF-8 in a text", &[item(r#"{"S":""#).as_bytes(), b"\xFF\xFE\"}}}"].concat(), SERIALIZATION),
        put("an overlong encoding", &[br#"{"TableName":""#.as_slice(), b"\xC0\x80\"}"].concat(), SERIALIZATION),
        put("half a surrogate", item(r#"{"S":"\ud800"}"#).as_bytes(), ANY),
        put("lists a million deep", nested("[", "]", 1_000_000).as_bytes(), SERIALIZATION),
        put("objects a hundred thousand deep", nested(r#"{"a":"#, "}", 100_000).as_bytes(), SERIALIZATION),
        put("an unknown member that is deep", format!(r#"{{"Unknown":{}}}"#, nested("[", "]", 500_000)).as_bytes(), ANY),
        put("the table named twice", br#"{"TableName":"Ground","TableName":"Other","Item":{"id":{"S":"a"}}}"#, ANY),
        put("an attribute twice", br#"{"TableName":"Ground","Item":{"id":{"S":"a"},"id":{"S":"b"}}}"#, ANY),
        put("a hundred thousand members", format!("{{{}\"a\":1}}", r#""a":1,"#.repeat(100_000)).as_bytes(), ANY),
        put("blanks only", " ".repeat(BODY_BYTES_MAX).as_bytes(), SERIALIZATION),
        case(address, "a number beyond all numbers", "Scan", r#"{"TableName":"Ground","Limit":1e400}"#, ANY),
        case(address, "a number too long", "Scan", format!(r#"{{"TableName":"Ground","Limit":{}}}"#, "9".repeat(1_000_000)), ANY),
    ]
}

fn values(address: SocketAddr) -> Vec<Malformed> {
    let put = |what, value: &str, exception| case(address, what, "PutItem", item(value), exception);
    let document = |depth| format!("{}{{\"NULL\":true}}{}", r#"{"L":["#.repeat(depth), "]}".repeat(depth));
    vec![
        put("two types", r#"{"S":"a","N":"1"}"#, VALIDATION),
        put("no type", "{}", VALIDATION),
        put("an unknown type", r#"{"X":"a"}"#, VALIDATION),
        put("bad base64", r#"{"B":"***"}"#, SERIALIZATION),
        put("documents 40 deep", &document(40), VALIDATION),
        put("documents 10,000 deep", &document(10_000), ANY),
        put("documents 1,000,000 deep", &document(1_000_000), ANY),
        put("a number with a large exponent", r#"{"N":"1e999999999999999999999"}"#, VALIDATION),
        put("a number with a million digits", &format!(r#"{{"N":"{}"}}"#, "9".repeat(1_000_000)), VALIDATION),
        put("a number of zeros", &format!(r#"{{"N":"{}"}}"#, "0".repeat(1_000_000)), ANY),
        put("no number", r#"{"N":"NaN"}"#, VALIDATION),
        put("a set with a member twice", r#"{"NS":["1","1.0"]}"#, VALIDATION),
        put(
            "a set of a hundred thousand",
            &format!(r#"{{"SS":[{}"z"]}}"#, (0..100_000).map(|at| format!("\"{at}\",")).collect::<String>()),
            VALIDATION,
        ),
        put("an item too large", &format!(r#"{{"S":"{}"}}"#, "x".repeat(500_000)), VALIDATION),
        put("a list of a million", &format!(r#"{{"L":[{}{{"NULL":true}}]}}"#, r#"{"NULL":true},"#.repeat(1_000_000)), VALIDATION),
    ]
}

fn expressions(address: SocketAddr) -> Vec<Malformed> {
    let condition = |what, text: &str, exception| {
        let body = format!(
            r#"{{"TableName":"{TABLE}","Item":{{"id":{{"S":"a"}}}},"ConditionExpression":"{text}","ExpressionAttributeValues":{{":v":{{"S":"b"}}}}}}"#
        );
        case(address, what, "PutItem", body, exception)
    };
    let names: String = (0..100_000).map(|at| format!(r##""#n{at}":"a","##)).collect();
    let unused = format!(
        r##"{{"TableName":"{TABLE}","Key":{{"id":{{"S":"a"}}}},"ProjectionExpression":"#n0","ExpressionAttributeNames":{{{names}"#z":"a"}}}}"##
    );
    let statement = |text: &str| format!(r#"{{"Statement":"{text}"}}"#);
    vec![
        condition("4,096 parentheses", &"(".repeat(4096), VALIDATION),
        condition("4,096 parentheses and a condition", &format!("{}id = :v{}", "(".repeat(4096), ")".repeat(4096)), VALIDATION),
        condition("1,000 parentheses", &format!("{}id = :v{}", "(".repeat(1000), ")".repeat(1000)), VALIDATION),
        condition("a thousand negations", &format!("{}id = :v", "NOT ".repeat(1000)), VALIDATION),
        condition("a thousand operators", &format!("{}id = :v", "id = :v OR ".repeat(1000)), VALIDATION),
        condition("an expression of a megabyte", &"a".repeat(1 << 20), VALIDATION),
        condition("a path a thousand deep", &format!("a{} = :v", ".a".repeat(1000)), VALIDATION),
        condition("an index beyond all lists", "a[99999999999999999999] = :v", VALIDATION),
        condition("what is no expression", "\u{1F480} \\u0000 \u{202E}", VALIDATION),
        condition("functions in functions", &format!("{}id{} = :v", "size(".repeat(1000), ")".repeat(1000)), VALIDATION),
        case(address, "a hundred thousand names", "GetItem", unused, VALIDATION),
        case(
            address,
            "a statement of parentheses",
            "ExecuteStatement",
            statement(&format!("SELECT * FROM Ground WHERE {}", "(".repeat(4096))),
            VALIDATION,
        ),
        case(
            address,
            "a statement of lists",
            "ExecuteStatement",
            statement(&format!("INSERT INTO Ground VALUE {{'id':{}", "[".repeat(4096))),
            VALIDATION,
        ),
        case(
            address,
            "a statement without an end",
            "ExecuteStatement",
            statement(&format!("SELECT * FROM Ground WHERE id = '{}", "x".repeat(7000))),
            VALIDATION,
        ),
        case(
            address,
            "values in values",
            "ExecuteStatement",
            statement(&format!("SELECT * FROM Ground WHERE a{} = 1", "[0]".repeat(2000))),
            ANY,
        ),
    ]
}

/// What is wrong beside the body.
fn requests(address: SocketAddr) -> Vec<Malformed> {
    let good = String::from_utf8_lossy(&signed(address, "ListTables", b"{}")).into_owned();
    let made = |what, bytes: String, status, exception| Malformed { what, bytes: bytes.into_bytes(), status, exception };
    let without = |from: &str| {
        let at = good.find(from).unwrap_or(0);
        let end = good[at..].find("\r\n").map_or(at, |end| at + end + 2);
        [&good[..at], &good[end..]].concat()
    };
    let chunked = format!(
        "{}{:x}\r\n{}\r\n0\r\n\r\n",
        good.replace("Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n"),
        BODY_BYTES_MAX + 1,
        " ".repeat(BODY_BYTES_MAX + 1)
    );
    vec![
        made("GET /", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned(), 200, ANY),
        made("no signature", without("Authorization: "), 400, "MissingAuthenticationTokenException"),
        made("half a signature", good.replace("SignedHeaders=", "Signed="), 400, "IncompleteSignatureException"),
        made("an unknown key", good.replace("Credential=AKIA", "Credential=BKIA"), 400, "UnrecognizedClientException"),
        made("no date", without("X-Amz-Date: "), 400, "IncompleteSignatureException"),
        made("no such operation", good.replace(".ListTables", ".ListChairs"), 400, "UnknownOperationException"),
        made("another content type", good.replace("x-amz-json-1.0", "x-amz-xml-1.0"), 404, ANY),
        made(
            "a body over the limit, announced",
            good.replace("Content-Length: 2", &format!("Content-Length: {}", BODY_BYTES_MAX + 1)) + &" ".repeat(BODY_BYTES_MAX - 1),
            413,
            ANY,
        ),
        made("a body over the limit, in chunks", chunked, 413, ANY),
        made("a length that is none", good.replace("Content-Length: 2", "Content-Length: -2"), 400, ANY),
        made("two lengths", good.replace("Content-Length: 2", "Content-Length: 2\r\nContent-Length: 3"), 400, ANY),
        made("a length beyond all lengths", good.replace("Content-Length: 2", &format!("Content-Length: {}", "9".repeat(40))), 400, ANY),
        made(
            "a chunk beyond all lengths",
            good.replace("Content-Length: 2\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n"),
            400,
            ANY,
        ),
        made("a thousand headers", good.replace("\r\nHost:", &format!("{}\r\nHost:", "\r\nX-More: 1".repeat(1000))), 431, ANY),
        made("a header of 50 KB", good.replace("\r\nHost:", &format!("\r\nX-Long: {}\r\nHost:", "x".repeat(50_000))), 431, ANY),
        made("no HTTP", "\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), 400, ANY),
    ]
}

fn compressed(address: SocketAddr) -> Vec<Malformed> {
    let zeros = |megabytes: usize, encoder: &mut dyn Write| {
        let piece = vec![b' '; 1 << 20];
        (0..megabytes).for_each(|_| drop(encoder.write_all(&piece)));
    };
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    zeros(1024, &mut bomb);
    let bomb = bomb.finish().unwrap_or_default();
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
    zeros(256, &mut deflated);
    let deflated = deflated.finish().unwrap_or_default();
    let mut good = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = good.write_all(b"{}");
    let good = good.finish().unwrap_or_default();
    let coded = |what, body: &[u8], coding: &str, status, exception| Malformed {
        what,
        bytes: signed_with(address, "ListTables", body, &format!("Content-Encoding: {coding}\r\n")),
        status,
        exception,
    };
    vec![
        coded("a good compressed body", &good, "gzip", 200, ANY),
        coded("a gigabyte in gzip", &bomb, "gzip", 413, ANY),
        coded("a gigabyte in gzip, once more", &bomb, "gzip", 413, ANY),
        coded("a quarter of a gigabyte deflated", &deflated, "deflate", 413, ANY),
        coded("gzip that breaks off", &good[..good.len() - 5], "gzip", 400, SERIALIZATION),
        coded("gzip that is none", b"{}", "gzip", 400, SERIALIZATION),
        coded("an unknown coding", b"{}", "zstd", 400, SERIALIZATION),
    ]
}
