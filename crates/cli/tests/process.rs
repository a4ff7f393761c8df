//! The built binary as a user meets it: what it prints, how it stops, what it refuses.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking, in its helpers too")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Running {
    process: Process,
    stdout: BufReader<ChildStdout>,
    /// What was printed before it was ready.
    introduction: String,
    address: String,
}

impl Running {
    fn start(arguments: &[&str]) -> Running {
        let mut process = Process(command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
        let mut introduction = String::new();
        loop {
            let before = introduction.len();
            assert!(stdout.read_line(&mut introduction).unwrap() > 0, "it ended: {introduction}");
            if let Some(url) = introduction[before..].strip_prefix("listening on http://") {
                let address = url.trim().to_owned();
                return Running { process, stdout, introduction, address };
            }
        }
    }

    fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a signal and answers the exit code, what else was printed, and the log.
    fn stop(mut self, signal: &str) -> (Option<i32>, String, String) {
        assert!(Command::new("kill").args([signal, &self.process.0.id().to_string()]).status().unwrap().success());
        let (mut printed, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut printed).unwrap();
        self.process.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.process.0.wait().unwrap().code(), printed, log)
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stator"));
    command.args(arguments).env_clear();
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

const DEV: &[&str] = &["dev", "--listen", "127.0.0.1:0", "--log-format", "json"];

#[test]
fn dev_says_how_to_use_it_and_answers() {
    let running = Running::start(DEV);
    assert!(running.introduction.contains("export AWS_ACCESS_KEY_ID=dev AWS_SECRET_ACCESS_KEY=dev AWS_DEFAULT_REGION=us-east-1\n"));
    assert!(running.introduction.contains(&format!("aws dynamodb list-tables --endpoint-url http://{}\n", running.address)));
    let answer = running.exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(answer.ends_with("\r\n\r\nhealthy: dynamodb.us-east-1.amazonaws.com "), "{answer}");
    running.stop("-TERM");
}

#[test]
fn a_signal_stops_it_with_exit_code_0_and_nothing_more_to_print() {
    for signal in ["-TERM", "-INT"] {
        let (code, printed, _) = Running::start(DEV).stop(signal);
        assert_eq!((code, printed.as_str()), (Some(0), ""), "{signal}");
    }
}

#[test]
fn a_refused_request_is_one_line_of_json_without_its_signature() {
    let running = Running::start(DEV);
    let answer = running.exchange(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
         X-Amz-Target: DynamoDB_20120810.NoSuchThing\r\nAuthorization: AWS4-HMAC-SHA256 Signature=5ec2e7\r\n\r\n{}",
    );
    let id = answer.lines().find_map(|line| line.strip_prefix("x-amzn-requestid: ")).unwrap().to_owned();
    let (_, _, log) = running.stop("-TERM");
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].starts_with('{') && lines[0].contains("\"exception\":\"UnknownOperationException\""), "{log}");
    assert!(!log.contains("5ec2e7"), "{log}");
}

#[test]
fn a_wrong_use_exits_with_2_and_says_why() {
    for (arguments, reason) in [
        (&["serve", "--listen", "0.0.0.0:0"][..], "--insecure-http"),
        (&["dev", "--listen", "here"], "127.0.0.1:8000"),
        (&["dev", "--no-such-flag"], "--no-such-flag"),
        (&["check", "--data", "/no/such/directory"], "no such directory"),
        (&[], "Usage: stator"),
    ] {
        let output = run(arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(reason), "{arguments:?}: {text}");
    }
}

#[test]
fn an_address_in_use_exits_with_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let output = run(&["dev", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("another process listens there"));
}

#[test]
fn help_and_samples_go_to_standard_output() {
    for arguments in [&["--help"][..], &["serve", "--help"], &["config"], &["config", "--markdown"], &["version"]] {
        let output = run(arguments);
        assert!(output.status.success() && !output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_requests() {
    let mut running = Running::start(DEV);
    // A request whose body never comes keeps the server from ending by itself. Being told to go on with the body shows
    // that it is in flight.
    let mut stuck = TcpStream::connect(&running.address).unwrap();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\
                X-Amz-Target: DynamoDB_20120810.ListTables\r\n\r\n";
    stuck.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 21];
    stuck.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue");
    let id = running.process.0.id().to_string();
    let signal = || assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    signal();
    let mut log = BufReader::new(running.process.0.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("a second one ends at once"), "{line}");
    signal();
    assert_eq!(running.process.0.wait().unwrap().code(), Some(1));
}

#[cfg(not(feature = "planted"))]
#[test]
fn the_binary_has_no_planted_faults() {
    let binary = std::fs::read(env!("CARGO_BIN_EXE_stator")).unwrap();
    let has = |text: &str| binary.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("STATOR_TLS_CERT") || has("tls_cert"), "the names of variables are found where there are any");
    assert!(!has(stator_planted::VARIABLE));
}
