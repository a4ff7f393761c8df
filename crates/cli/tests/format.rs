//! Opens a data directory of each released format with today's binary, and has today's binary write the same again.
//!
//! What must stay true: what a folder of `tests/format` holds is never adapted to what today's code answers; a format that
//! changes in silence fails here in one of two ways: old rows are not understood, or new rows are not what the old ones were.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use stator_driver::client::Client;
use stator_driver::request::{ACCESS_KEY, SECRET};
use stator_driver::server::{Server, bound_to_us};
use stator_engine::keyspace::{LOG, SPACES};
use stator_kv::{Direction, Range, RowRef, Space, Store, Visit};
use stator_kv_rocksdb::{RocksOptions, RocksStore};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/format")
}

/// The folders of released formats.
fn formats() -> Vec<PathBuf> {
    let folders = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|path| path.join("data").is_dir()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.as_ref().unwrap().file_name());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn stator(words: &[&str], data: &Path) -> Command {
    let mut command = bound_to_us(Path::new(env!("CARGO_BIN_EXE_stator")));
    command.args(words).args(["--memory", "32MiB", "--data"]).arg(data);
    command.env("STATOR_ACCESS_KEY_ID", ACCESS_KEY).env("STATOR_SECRET_ACCESS_KEY", SECRET);
    command
}

fn start(mode: &str, data: &Path) -> Server {
    Server::start(stator(&[mode, "--listen", "127.0.0.1:0"], data), data.with_extension("log")).unwrap()
}

/// All records of a shard.
fn records(client: &mut Client, stream: &Value, shard: &Value) -> Value {
    let from = json!({"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let mut iterator = client.call("GetShardIterator", &from.to_string()).unwrap()["ShardIterator"].take();
    let mut records = Vec::new();
    loop {
        let mut page = client.call("GetRecords", &json!({"ShardIterator": iterator}).to_string()).unwrap();
        let found = page["Records"].as_array().unwrap().clone();
        iterator = page["NextShardIterator"].take();
        if found.is_empty() || iterator.is_null() {
            records.extend(found);
            return Value::Array(records);
        }
        records.extend(found);
    }
}

#[test]
fn data_of_every_released_format_is_opened_verified_and_read() {
    for format in formats() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        copy(&format.join("data"), &data);
        let checked = stator(&["check"], &data).output().unwrap();
        assert!(checked.status.success(), "{}: {}", format.display(), String::from_utf8_lossy(&checked.stderr));
        let server = start("serve", &data);
        let mut client = Client::connect(server.address()).unwrap();
        let answers: Value = serde_json::from_str(&fs::read_to_string(format.join("answers.json")).unwrap()).unwrap();
        let mut records_met = 0;
        for kept in answers.as_array().unwrap() {
            if let Some(operation) = kept["operation"].as_str() {
                let answer = client.call(operation, &kept["body"].to_string()).unwrap();
                assert_eq!(answer, kept["answer"], "{}: {operation} {}", format.display(), kept["body"]);
            } else {
                let found = records(&mut client, &kept["stream"], &kept["shard"]);
                records_met += found.as_array().unwrap().len();
                assert_eq!(found, kept["records"], "{}: shard {}", format.display(), kept["shard"]);
            }
        }
        assert!(records_met > 0, "{}: no record of a stream", format.display());
        // And it can be written to.
        let item = r#"{"TableName":"Music","Item":{"Artist":{"S":"New"},"Song":{"S":"New"},"Genre":{"S":"new"},"Year":{"N":"2026"}}}"#;
        client.call("PutItem", item).unwrap();
        server.stop().unwrap();
        let checked = stator(&["check"], &data).output().unwrap();
        assert!(checked.status.success(), "{}: {}", format.display(), String::from_utf8_lossy(&checked.stderr));
    }
}

/// Random identities of tables are all alike.
fn without_identities(mut bytes: Vec<u8>) -> Vec<u8> {
    const LENGTH: usize = 36;
    let is_dash = |place: usize| matches!(place, 8 | 13 | 18 | 23);
    let mut at = 0;
    while at + LENGTH <= bytes.len() {
        let mut window = bytes[at..at + LENGTH].iter().enumerate();
        if window.all(|(place, byte)| if is_dash(place) { *byte == b'-' } else { byte.is_ascii_hexdigit() }) {
            bytes[at..at + LENGTH].fill(b'*');
            at += LENGTH;
        } else {
            at += 1;
        }
    }
    bytes
}

/// Versions of commits in stamps are all alike: work in the background commits too, now sooner, now later.
fn without_stamps(space: Space, mut key: Vec<u8>, mut value: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    const KIND: usize = 8 + 2;
    const HORIZON: u8 = 2;
    if space == LOG {
        match key[KIND] {
            HORIZON => value[..8].fill(b'*'),
            _ => key[KIND + 1..][..8].fill(b'*'),
        }
    }
    (key, value)
}

/// All rows of a directory: space, key and value in hexadecimal digits.
fn rows(data: &Path) -> Vec<String> {
    let store = RocksStore::open(data, &RocksOptions { memory_bytes: 32 << 20 }).unwrap();
    let mut rows = Vec::new();
    let hex = |bytes: Vec<u8>| bytes.into_iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for space in SPACES {
        let range = Range::Across { space, from: Bound::Unbounded, to: Bound::Unbounded, direction: Direction::Forward };
        let mut visit = |row: RowRef<'_>| {
            let (key, value) = without_stamps(space, row.key.to_vec(), without_identities(row.value.to_vec()));
            rows.push(format!("{} {} {}", space.id, hex(key), hex(value)));
            Visit::Next
        };
        futures_executor::block_on(store.scan(&range, &mut visit)).unwrap();
    }
    rows
}

fn set_clock(server: &Server, now: &Value) {
    let body = json!({"now": now, "frozen": true}).to_string();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!("PUT /_stator/clock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn the_newest_format_is_what_today_s_binary_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (kept, written) = (folder.path().join("kept"), folder.path().join("written"));
    copy(&formats().last().unwrap().join("data"), &kept);
    let script: Value = serde_json::from_str(&fs::read_to_string(root().join("script.json")).unwrap()).unwrap();
    let mut server = start("dev", &written);
    for step in script.as_array().unwrap() {
        if step[0] == "restart" {
            server.stop().unwrap();
            server = start("dev", &written);
        }
        if step[0] == "restart" || step[0] == "clock" {
            set_clock(&server, &step[1]);
        } else {
            Client::connect(server.address()).unwrap().call(step[0].as_str().unwrap(), &step[1].to_string()).unwrap();
        }
    }
    server.stop().unwrap();
    assert_eq!(fs::read_to_string(written.join("FORMAT")).unwrap(), fs::read_to_string(kept.join("FORMAT")).unwrap());
    let (kept, written) = (rows(&kept), rows(&written));
    assert!(kept.len() > 30, "{} rows are too few to tell", kept.len());
    for (kept, written) in kept.iter().zip(&written) {
        assert_eq!(kept, written, "another row is written than before");
    }
    assert_eq!(kept.len(), written.len());
}
