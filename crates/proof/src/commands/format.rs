//! `format`: makes a small data directory of the current format, with what the server answers over it, for `tests/format`.
//!
//! What must stay true: a folder that is there is not written to; the clock of the server stands in a time to come while items
//! are written, so that nothing of the directory ever falls due.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stator_driver::client::Client;

use super::faults::copy;
use crate::command::{Choice, Command};
use crate::reading::Reading;
use crate::run::Run;
use crate::verdict::{Violation, broken, found};

pub(crate) const COMMAND: Command = Command {
    name: "format",
    about: "make a small data directory of the current format for tests/format",
    help: "Carries out the requests of tests/format/script.json on a new data directory, closes it, and keeps it beside what the server
answers afterwards (answers.json). crates/cli/tests/format.rs opens all that are kept.",
    options: &[Choice { name: "to", default: "", about: "the folder to make" }],
    faults: &[],
    perform,
};

/// The requests.
const SCRIPT: &str = include_str!("../../../../tests/format/script.json");
/// What a search has to find, which no scan shows.
const SEARCH: &str = r#"{"TableName":"Spots","IndexName":"near","TopK":5,"SearchVector":[{"N":"0"},{"N":"2"},{"N":"0"}],
    "SearchConditionExpression":"Kind = :k","ExpressionAttributeValues":{":k":{"S":"x"}}}"#;
/// The engine's files that hold no data.
const WITHOUT_DATA: [&str; 3] = ["LOG", "LOCK", "OPTIONS"];

fn perform(run: &mut Run) -> Result<String, Violation> {
    let folder = PathBuf::from(run.text("to"));
    if run.text("to").is_empty() || folder.exists() {
        return Err(broken("--to names a folder that is not there yet, such as tests/format/2"));
    }
    let data = run.path("written")?;
    write(run, &data)?;
    let shown = run.path("shown")?;
    copy(&data, &shown)?;
    let server = run.start(run.serve_command(&shown, &[])?)?;
    let mut client = Client::connect(server.address())?;
    let mut reading = Reading::take(&mut client)?;
    reading.add(&mut client, "SearchVectors", parsed(SEARCH)?)?;
    let arn = client.call("DescribeTable", r#"{"TableName":"Music"}"#)?["Table"]["TableArn"].take();
    reading.add(&mut client, "ListTagsOfResource", json!({"ResourceArn": arn}))?;
    server.stop()?;
    run.check(&shown)?;
    keep(&data, &folder.join("data"))?;
    fs::write(folder.join("answers.json"), reading.text())?;
    Ok(format!("{} holds a data directory and {} answers", folder.display(), reading.len()))
}

fn parsed(text: &str) -> Result<Value, Violation> {
    serde_json::from_str(text).map_err(broken)
}

/// Carries out the script.
fn write(run: &Run, data: &Path) -> Result<(), Violation> {
    let mut server = run.start(run.dev_command(data)?)?;
    for step in parsed(SCRIPT)?.as_array().into_iter().flatten() {
        let operation = step[0].as_str().unwrap_or_default();
        if operation == "restart" {
            server.stop()?;
            server = run.start(run.dev_command(data)?)?;
        }
        if matches!(operation, "restart" | "clock") {
            set_clock(server.address(), &step[1])?;
            continue;
        }
        let mut client = Client::connect(server.address())?;
        client.call(operation, &step[1].to_string()).map_err(|failure| found(failure.0))?;
    }
    Ok(server.stop()?)
}

fn set_clock(address: SocketAddr, now: &Value) -> Result<(), Violation> {
    let body = json!({"now": now, "frozen": true}).to_string();
    let mut stream = TcpStream::connect(address)?;
    let head = format!("PUT /_stator/clock HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(broken(format!("the clock can not be set: {answer}"))) }
}

/// Copies what holds data.
fn keep(from: &Path, to: &Path) -> Result<(), Violation> {
    fs::create_dir_all(to.join("rocksdb"))?;
    for within in ["", "rocksdb"] {
        for entry in fs::read_dir(from.join(within))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_file() && !WITHOUT_DATA.iter().any(|without| name.starts_with(without)) {
                fs::copy(entry.path(), to.join(within).join(name))?;
            }
        }
    }
    Ok(())
}
