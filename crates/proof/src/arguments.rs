//! What was asked for: `stator-proof COMMAND [--seed N] [--prove] [--keep] [--option VALUE …]`.
//!
//! What must stay true: a word that no command knows is refused; the help is made from the commands themselves.

use std::collections::HashMap;

use crate::command::Command;
use crate::commands::COMMANDS;
use crate::run::Run;

/// What to do.
pub(crate) enum Asked {
    Help(String),
    Run(&'static Command, Run),
}

/// Reads the arguments.
pub(crate) fn parse(arguments: &[String]) -> Result<Asked, String> {
    let mut words = arguments.iter().map(String::as_str);
    let name = match words.next() {
        None | Some("--help" | "-h" | "help") => return Ok(Asked::Help(overview())),
        Some(name) => name,
    };
    let known = COMMANDS.iter().find(|command| command.name == name);
    let command = known.ok_or_else(|| format!("there is no command {name}\n\n{}", overview()))?;
    let (mut seed, mut is_proving, mut keeps) = (None, false, false);
    let mut values: HashMap<&'static str, String> = command.options.iter().map(|option| (option.name, option.default.to_owned())).collect();
    while let Some(word) = words.next() {
        let mut value = || words.next().map(str::to_owned).ok_or_else(|| format!("{word} needs a value"));
        match word {
            "--help" | "-h" => return Ok(Asked::Help(help(command))),
            "--prove" => is_proving = true,
            "--keep" => keeps = true,
            "--seed" => seed = Some(value()?.parse().map_err(|_| "--seed takes a number".to_owned())?),
            _ => {
                let option = command.options.iter().find(|option| word.strip_prefix("--") == Some(option.name));
                let option = option.ok_or_else(|| format!("{name} does not know {word}\n\n{}", help(command)))?;
                values.insert(option.name, value()?);
            }
        }
    }
    Ok(Asked::Run(command, Run::new(command.name, seed, is_proving, keeps, values)?))
}

fn overview() -> String {
    let mut text =
        String::from("usage: cargo xtask COMMAND [--seed N] [--prove] [--keep] [options]; --help after a command explains it\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<11}{}\n", command.name, command.about));
    }
    text.push_str(
        "
Each prints its seed first and one line of figures last. The first violation ends it with status 1; what is needed to
repeat it (the seed, the data, the logs) is left and named. docs/reliability.md has what was run and found.\n",
    );
    text
}

fn help(command: &Command) -> String {
    let mut text = format!("cargo xtask {}: {}\n\n{}\n\n", command.name, command.about, command.help);
    let mut line = |name: &str, about: &str| text.push_str(&format!("  {name:<16}{about}\n"));
    for option in command.options {
        line(&format!("--{} …", option.name), &format!("{} [default: {}]", option.about, option.default));
    }
    line("--seed N", "the choices of an earlier run; without it they are new, and printed");
    line("--keep", "leave data and logs even if all is well");
    if command.faults.is_empty() {
        line("--prove", "where the command plants something by itself, find it");
    } else {
        let names: Vec<&str> = command.faults.iter().map(|fault| fault.name()).collect();
        line("--prove", &format!("run against a server with planted faults, and find them: {}", names.join(", ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Asked, String> {
        parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_command_has_a_help_that_names_its_options() {
        for command in COMMANDS {
            let Ok(Asked::Help(text)) = parsed(&[command.name, "--help"]) else { panic!("no help") };
            assert!(command.options.iter().all(|option| text.contains(option.name)), "{text}");
            let Ok(Asked::Help(text)) = parsed(&[]) else { panic!("no overview") };
            assert!(text.contains(command.about), "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(parsed(&["levitate"]).is_err());
        assert!(parsed(&["crash", "--height", "3"]).is_err());
        assert!(parsed(&["crash", "--seed"]).is_err());
        assert!(parsed(&["crash", "--seed", "many"]).is_err());
    }
}
