//! The command line. Its flags are the declared settings of the server; only the commands are spelled here.
//!
//! What must stay true: a new setting needs no change here.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command};
use stator_server::config::reference;
use stator_server::{Config, SETTINGS, Setting};

use crate::failure::Failure;
use crate::settings;

/// What the user wants.
pub(crate) enum Invocation {
    /// A server.
    Start(Mode, Config),
    /// A data directory verified.
    Check(Config),
    /// A text.
    Print(String),
}

/// The two ways to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// For tests and laptops: any credentials, data in memory unless told otherwise.
    Dev,
    /// For keeping data: signatures verified, durable.
    Serve,
}

/// Settings that `check` needs.
const SETTINGS_OF_CHECK: &[&str] = &["data", "memory", "log_format", "log_level"];

/// Reads the command line, the environment and the settings file.
pub(crate) fn parse() -> Result<Invocation, Failure> {
    let matches = command().try_get_matches().map_err(Failure::Clap)?;
    let environment = |variable: &str| std::env::var(variable).ok();
    interpret(&matches, &environment)
}

fn interpret(matches: &ArgMatches, environment: &dyn Fn(&str) -> Option<String>) -> Result<Invocation, Failure> {
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Failure::Usage("expected a command; see stator --help".to_owned()));
    };
    match name {
        "serve" => Ok(Invocation::Start(Mode::Serve, read(matches, environment)?)),
        "dev" => Ok(Invocation::Start(Mode::Dev, read(matches, environment)?)),
        "check" => Ok(Invocation::Check(read(matches, environment)?)),
        "config" if matches.get_flag("markdown") => Ok(Invocation::Print(reference::page())),
        "config" => Ok(Invocation::Print(reference::sample())),
        _ => Ok(Invocation::Print(format!("stator {}\n", env!("CARGO_PKG_VERSION")))),
    }
}

fn read(matches: &ArgMatches, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, Failure> {
    let flag = |setting: &Setting| matches.try_get_one::<String>(setting.name).ok().flatten().cloned();
    let file = matches.get_one::<PathBuf>("config").cloned();
    settings::read(&flag, environment, file.as_deref())
}

fn command() -> Command {
    let version = env!("CARGO_PKG_VERSION");
    Command::new("stator")
        .version(version)
        .about("A DynamoDB you can own: one binary that speaks the DynamoDB API to unmodified AWS SDKs")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(with_settings(Command::new("serve"), |_| true).about("Serve, and keep the data").long_about(
            "Serve, and keep the data: every acknowledged write is on disk, signatures are verified. \
                     The first start makes a root credential and prints it once.",
        ))
        .subcommand(
            with_settings(Command::new("dev"), |_| true).about("Serve for tests and laptops: in memory, any credentials").long_about(
                "Serve for tests and laptops: everything in memory unless --data is given, any credentials, any region. \
                     Tables of different regions are apart.",
            ),
        )
        .subcommand(
            with_settings(Command::new("check"), |name| SETTINGS_OF_CHECK.contains(&name))
                .about("Verify a data directory that no server has open")
                .long_about(
                    "Verify a data directory that no server has open: every row can be read, index entries are what their items \
                     project, counters are sums. Prints up to a hundred faults, and exits with 1 if there is one.",
                ),
        )
        .subcommand(
            Command::new("config")
                .about("Print a settings file with every setting and its default")
                .arg(Arg::new("markdown").long("markdown").action(ArgAction::SetTrue).help("Print the reference page instead")),
        )
        .subcommand(Command::new("version").about("Print the version"))
}

fn with_settings(command: Command, is_wanted: impl Fn(&str) -> bool) -> Command {
    let file = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(clap::value_parser!(PathBuf))
        .help("File of settings, `name = value` each; flags and STATOR_... variables win over it");
    SETTINGS.iter().filter(|setting| is_wanted(setting.name)).map(argument).fold(command.arg(file), Command::arg)
}

fn argument(setting: &Setting) -> Arg {
    let doc = setting.doc.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let (short, rest) = doc.split_once("\n\n").unwrap_or((&doc, ""));
    let default = (setting.default)();
    let default = if default.is_empty() { String::new() } else { format!(" [default: {default}]") };
    let short = format!("{}{default}", short.replace('\n', " "));
    let long = if rest.is_empty() { short.clone() } else { format!("{short}\n{}", rest.replace('\n', " ")) };
    let argument = Arg::new(setting.name).long(setting.flag()).value_name(setting.kind).help(short).long_help(long);
    // A switch may stand without a value.
    if setting.kind == "true|false" { argument.num_args(0..=1).require_equals(true).default_missing_value("true") } else { argument }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoke(arguments: &[&str]) -> Result<Invocation, Failure> {
        let matches = command().try_get_matches_from([&["stator"], arguments].concat()).map_err(Failure::Clap)?;
        interpret(&matches, &|variable| (variable == "STATOR_REGION").then(|| "eu-north-1".to_owned()))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn every_setting_is_a_flag_of_serve_and_dev() {
        for setting in SETTINGS.iter().filter(|setting| !(setting.default)().is_empty()) {
            let flag = format!("--{}={}", setting.flag(), (setting.default)());
            assert!(invoke(&["serve", &flag]).is_ok(), "{flag}");
            assert!(invoke(&["dev", &flag]).is_ok(), "{flag}");
        }
    }

    #[test]
    fn flags_win_over_the_environment() {
        let region = |arguments: &[&str]| match invoke(arguments) {
            Ok(Invocation::Start(_, config)) => config.region,
            _ => panic!("not a start"),
        };
        assert_eq!(region(&["dev"]), "eu-north-1");
        assert_eq!(region(&["dev", "--region", "us-west-2"]), "us-west-2");
    }

    #[test]
    fn a_switch_needs_no_value() {
        let Ok(Invocation::Start(Mode::Serve, config)) = invoke(&["serve", "--insecure-http", "--listen", "0.0.0.0:0"]) else {
            panic!("not a start")
        };
        assert!(config.insecure_http);
    }

    #[test]
    fn a_value_that_can_not_be_read_is_named_with_what_would_be() {
        match invoke(&["serve", "--idle-timeout", "soon"]) {
            Err(Failure::Usage(text)) => assert_eq!(text, "--idle-timeout: 'soon': expected a time, such as 500ms, 30s or 2min"),
            _ => panic!("not refused"),
        }
    }
}
