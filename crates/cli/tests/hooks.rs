//! `/_stator/` in the built binary: there in `dev`, and not in `serve`.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A server that does not outlive its test.
struct Server {
    child: Child,
    introduction: String,
    address: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stator"));
        command.args(arguments).args(["--listen", "127.0.0.1:0"]).env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Server { child: command.spawn().unwrap(), introduction: String::new(), address: String::new() };
        let mut stdout = BufReader::new(server.child.stdout.take().unwrap());
        while server.address.is_empty() {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "it ended: {}", server.introduction);
            server.introduction.push_str(&line);
            line.strip_prefix("listening on http://").unwrap_or_default().trim().clone_into(&mut server.address);
        }
        server
    }

    /// Status and body.
    fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dev_says_where_its_hooks_are_and_they_are_there() {
    let server = Server::start(&["dev"]);
    assert!(server.introduction.contains(&format!("curl http://{}/_stator/\n", server.address)), "{}", server.introduction);
    let (status, list) = server.call("GET", "/_stator/", "");
    assert!(status == 200 && list.contains("/_stator/snapshots/{name}/restore"), "{list}");
    assert_eq!(server.call("PUT", "/_stator/snapshots/empty", "").0, 201);
    assert_eq!(server.call("POST", "/_stator/snapshots/empty/restore", "").0, 200);
    let (_, clock) = server.call("PUT", "/_stator/clock", r#"{"now":"2030-01-31T12:00:00Z","frozen":true}"#);
    assert!(clock.contains("2030-01-31T12:00:00.000Z"), "{clock}");
}

#[test]
fn dev_on_disk_has_them_but_for_going_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let server = Server::start(&["dev", "--memory", "64MiB", "--data", &data]);
    let (status, error) = server.call("POST", "/_stator/reset", "");
    assert!(status == 409 && error.contains("without --data"), "{error}");
    assert_eq!(server.call("POST", "/_stator/clock/advance", r#"{"by":"1h"}"#).0, 200);
    assert_eq!(server.call("PUT", "/_stator/index-lag", r#"{"lag":"held"}"#).0, 200);
}

#[test]
fn serve_has_no_hooks_and_says_nothing_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let server = Server::start(&["serve", "--memory", "64MiB", "--data", &data]);
    assert!(!server.introduction.contains("_stator"), "{}", server.introduction);
    for (method, path) in [("GET", "/_stator/"), ("POST", "/_stator/reset"), ("PUT", "/_stator/clock"), ("DELETE", "/_stator/data")] {
        assert_eq!(server.call(method, path, ""), (404, "<UnknownOperationException/>\n".to_owned()), "{method} {path}");
    }
}
