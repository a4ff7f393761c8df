//! `cargo xtask crash | powercut | faults | …`: builds the server, the server with plantable faults and the proof, and runs it.
//!
//! What must stay true: which commands there are is the proof's to know, but for the profile that all is built with, since that
//! comes first; the binaries under test are copies, so that a build that runs beside a long proof does not change what it looks at.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::say;

/// Commands that judge by times and memory: they look at what is handed out, and a debug build spends on itself what others wait for.
const MEASURING: [&str; 2] = ["hostile", "soak"];

/// Runs a command of the proof; the words but `--profile` are its own.
pub(crate) fn run(root: &Path, words: &[&str]) -> ExitCode {
    let (profile, words) = match split_profile(words) {
        Ok(split) => split,
        Err(reason) => return fail(reason),
    };
    let needs_servers = words.len() > 1 || words.first().is_some_and(|word| *word != "help");
    let asks_for_help = words.iter().any(|word| matches!(*word, "--help" | "-h"));
    if needs_servers && !asks_for_help {
        // One command is about what is planted, proving or not.
        let wants_planted = words.contains(&"--prove") || words.first() == Some(&"panics");
        let built = build(root, profile, &[], "stator")
            .and_then(|()| if wants_planted { build(root, profile, &["--features", "planted"], "stator-planted") } else { Ok(()) });
        if let Err(reason) = built {
            return fail(&reason);
        }
    }
    let mut proving = Command::new(env!("CARGO"));
    proving.args(["run", "--quiet", "--package", "stator-proof", "--profile", profile, "--"]).args(&words).current_dir(root);
    let ended = match proving.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(error) => fail(&format!("cargo can not be started: {error}")),
    };
    if asks_for_help && needs_servers {
        say(&format!("  --profile P     build server and proof with a profile of Cargo [default: {profile}]"));
    }
    ended
}

fn fail(reason: &str) -> ExitCode {
    say(reason);
    ExitCode::FAILURE
}

/// The profile, and the words without it.
fn split_profile<'a>(words: &[&'a str]) -> Result<(&'a str, Vec<&'a str>), &'static str> {
    let mut words = words.to_vec();
    let Some(at) = words.iter().position(|word| *word == "--profile") else {
        let is_measuring = words.first().is_some_and(|command| MEASURING.contains(command));
        return Ok((if is_measuring { "release" } else { "dev" }, words));
    };
    if at + 1 == words.len() {
        return Err("--profile needs a value");
    }
    let profile = words.remove(at + 1);
    words.remove(at);
    Ok((profile, words))
}

/// The folder below `target` that Cargo builds a profile in.
fn folder_of(profile: &str) -> &str {
    if profile == "dev" { "debug" } else { profile }
}

/// Builds the server and keeps a copy of it under a name of its own.
fn build(root: &Path, profile: &str, features: &[&str], name: &str) -> Result<(), String> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "stator-cli", "--bin", "stator", "--profile", profile])
        .args(features)
        .current_dir(root)
        .status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("the server can not be built".to_owned());
    }
    let built_in = root.join("target").join(folder_of(profile));
    let folder = built_in.join("under-test");
    let (fresh, aside, kept) = (built_in.join("stator"), folder.join(format!("{name}.{}", std::process::id())), folder.join(name));
    let put = || {
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(&fresh, &aside)?;
        std::fs::rename(&aside, &kept)
    };
    put().map_err(|error: std::io::Error| format!("{}: {error}", kept.display()))
}

#[cfg(test)]
mod tests {
    use super::{folder_of, split_profile};

    #[test]
    fn the_profile_is_taken_out_of_the_words() {
        assert_eq!(split_profile(&["crash", "--rounds", "2"]), Ok(("dev", vec!["crash", "--rounds", "2"])));
        assert_eq!(split_profile(&["crash", "--profile", "release", "--rounds", "2"]), Ok(("release", vec!["crash", "--rounds", "2"])));
        assert_eq!(split_profile(&["soak"]), Ok(("release", vec!["soak"])));
        assert_eq!(split_profile(&["hostile", "--profile", "dev"]), Ok(("dev", vec!["hostile"])));
        assert!(split_profile(&["crash", "--profile"]).is_err());
        assert_eq!([folder_of("dev"), folder_of("release")], ["debug", "release"]);
    }
}
