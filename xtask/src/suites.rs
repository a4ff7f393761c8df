//! `cargo xtask test`: the Rust tests, then real clients and the examples against a real server.
//!
//! Each folder of `tests/clients` and `examples` has a `run` script: status 0 passed, 77 skipped because something is missing
//! on this machine, anything else failed. Under `CI=true` a skip is a failure. What must stay true: the last line is
//! `N passed, N failed`, and counts everything.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use crate::{say, tree};

const SKIPPED: i32 = 77;
/// Credentials of the test server; it verifies signatures made with them.
const ACCESS_KEY: &str = "AKIATESTTESTTESTTEST";
const SECRET: &str = "test/secret/test/secret/test/secret/test";

#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    is_broken: bool,
}

/// Runs what the arguments ask for; everything without them.
pub(crate) fn run(root: &Path, arguments: &[&str]) -> ExitCode {
    let only = match arguments {
        [] => None,
        ["--only", suite] => Some(*suite),
        _ => {
            say("usage: cargo xtask test [--only rust|clients|examples]");
            return ExitCode::from(2);
        }
    };
    let wants = |suite: &str| only.is_none_or(|only| only == suite);
    let mut tally = Tally::default();
    if wants("rust") {
        rust(root, &mut tally);
    }
    if (wants("clients") || wants("examples"))
        && let Err(error) = clients(root, &wants, &mut tally)
    {
        say(&format!("FAILED: {error}"));
        tally.failed += 1;
    }
    say(&format!("{} passed, {} failed", tally.passed, tally.failed));
    if tally.failed == 0 && !tally.is_broken { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// All tests of the workspace, counted from cargo's own lines.
fn rust(root: &Path, tally: &mut Tally) {
    let child =
        Command::new(env!("CARGO")).args(["test", "--workspace", "--no-fail-fast"]).current_dir(root).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        tally.is_broken = true;
        return;
    };
    for line in BufReader::new(child.stdout.take().expect("the output was piped")).lines().map_while(Result::ok) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            tally.passed += count_before(counts, " passed");
            tally.failed += count_before(counts, " failed");
        }
        say(&line);
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    tally.is_broken |= !succeeded;
}

/// The number in front of a word: 3 in `ok. 3 passed; 0 failed`.
fn count_before(line: &str, word: &str) -> u64 {
    let front = line.split(word).next().unwrap_or_default();
    front.rsplit(|character: char| !character.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn clients(root: &Path, wants: &dyn Fn(&str) -> bool, tally: &mut Tally) -> Result<(), String> {
    let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--bin", "stator"]).current_dir(root).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the server cannot be built".into());
    }
    let target = root.join("target/clients");
    let data = target.join("data");
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&target).map_err(|error| format!("{}: {error}", target.display()))?;
    let python = python(root, &target);
    let (mut server, endpoint) = serve(root, &data)?;
    for (suite, folder) in [("clients", "tests/clients"), ("examples", "examples")] {
        for script in runs(root, folder).into_iter().filter(|_| wants(suite)) {
            client(root, &script, &endpoint, &target, &python, tally);
        }
    }
    let stopped = stop(&mut server)?;
    if !stopped {
        return Err("the server did not end with status 0 on SIGTERM".into());
    }
    check(root, &data)
}

/// The `run` scripts of the folders below a folder.
fn runs(root: &Path, folder: &str) -> Vec<String> {
    tree::files(root, folder, "run").into_iter().filter(|path| path.ends_with("/run")).collect()
}

fn client(root: &Path, script: &str, endpoint: &str, target: &Path, python: &Path, tally: &mut Tally) {
    say(&format!("\n== {script}"));
    let status = Command::new(root.join(script))
        .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
        .env("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", endpoint)
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("STATOR_TARGET", target)
        .env("STATOR_PYTHON", python)
        .env("STATOR_BINARY", root.join("target/debug/stator"))
        .status();
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    match status.ok().and_then(|status| status.code()) {
        Some(0) => tally.passed += 1,
        Some(SKIPPED) if !is_ci => {}
        code => {
            say(&format!("FAILED: {script} ended with {code:?}"));
            tally.failed += 1;
        }
    }
}

/// A Python that has the client libraries: a venv of our own, or the machine's if none can be made.
fn python(root: &Path, target: &Path) -> PathBuf {
    let venv = target.join("venv");
    let python = venv.join("bin/python");
    let run = |program: &Path, arguments: &[&str]| Command::new(program).args(arguments).status().is_ok_and(|status| status.success());
    let requirements = root.join("tests/clients/boto3/requirements.txt");
    let requirements = requirements.to_string_lossy();
    let made = python.exists() || run(Path::new("python3"), &["-m", "venv", &venv.to_string_lossy()]);
    if made && run(&python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &requirements]) {
        return python;
    }
    say("no Python environment could be made; the machine's own python3 is used");
    PathBuf::from("python3")
}

/// Starts a server on a port of its own choice; answers where it listens.
fn serve(root: &Path, data: &Path) -> Result<(Child, String), String> {
    let mut server = Command::new(root.join("target/debug/stator"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("STATOR_ACCESS_KEY_ID", ACCESS_KEY)
        .env("STATOR_SECRET_ACCESS_KEY", SECRET)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the server cannot be started: {error}"))?;
    let output = server.stdout.take().ok_or("the server's output is not piped")?;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(endpoint) = line.strip_prefix("listening on ") {
            return Ok((server, endpoint.trim().to_owned()));
        }
    }
    Err("the server ended before it listened".into())
}

fn stop(server: &mut Child) -> Result<bool, String> {
    let killed = Command::new("kill").args(["-TERM", &server.id().to_string()]).status();
    killed.map_err(|error| error.to_string())?;
    server.wait().map(|status| status.success()).map_err(|error| error.to_string())
}

/// Verifies what the clients left behind.
fn check(root: &Path, data: &Path) -> Result<(), String> {
    let checked = Command::new(root.join("target/debug/stator")).args(["check", "--data"]).arg(data).status();
    if checked.is_ok_and(|status| status.success()) { Ok(()) } else { Err("stator check found faults in the data of the clients".into()) }
}

#[cfg(test)]
mod tests {
    use super::count_before;

    #[test]
    fn cargo_counts_are_read() {
        let line = "ok. 12 passed; 3 failed; 0 ignored";
        assert_eq!((count_before(line, " passed"), count_before(line, " failed")), (12, 3));
    }
}
