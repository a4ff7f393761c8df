//! Where the value of a setting comes from: a flag, else the environment, else the settings file, else its default.
//!
//! What must stay true: a name in the file that no setting has is refused, because it would be a setting not honoured.

use std::collections::HashMap;
use std::path::Path;

use stator_server::{Config, SETTINGS, Setting};

use crate::failure::Failure;

/// Reads all settings.
pub(crate) fn read(
    flag: &dyn Fn(&Setting) -> Option<String>,
    environment: &dyn Fn(&str) -> Option<String>,
    file: Option<&Path>,
) -> Result<Config, Failure> {
    let file = match file {
        None => HashMap::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("--config: {}: {error}", path.display())))?;
            parse(&text).map_err(|reason| Failure::Usage(format!("--config: {}: {reason}", path.display())))?
        }
    };
    let given = |setting: &Setting| flag(setting).or_else(|| environment(&setting.variable())).or_else(|| file.get(setting.name).cloned());
    Config::read(&given).map_err(|error| {
        let flag = error.name.replace('_', "-");
        Failure::Usage(format!("--{flag}: '{}': {}", error.value, error.reason))
    })
}

/// Lines of `name = value`; a `#` at the start of a line makes it a comment; quotes around a value are optional.
fn parse(text: &str) -> Result<HashMap<String, String>, String> {
    let mut values = HashMap::new();
    for (index, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| format!("line {index}: expected name = value"))?;
        let (name, value) = (name.trim(), value.trim());
        if !SETTINGS.iter().any(|setting| setting.name == name) {
            return Err(format!("line {index}: there is no setting '{name}'; `stator config` lists them"));
        }
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        if values.insert(name.to_owned(), unquoted.to_owned()).is_some() {
            return Err(format!("line {index}: '{name}' is given twice"));
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_file_names_known_settings_once_each() {
        let values = parse("# comment\n\n region = \"eu-west-1\"\nlisten=127.0.0.1:0\n").unwrap();
        assert_eq!(values["region"], "eu-west-1");
        assert_eq!(values["listen"], "127.0.0.1:0");
        assert_eq!(parse("regoin = x").unwrap_err(), "line 1: there is no setting 'regoin'; `stator config` lists them");
        assert_eq!(parse("\nregion").unwrap_err(), "line 2: expected name = value");
        assert_eq!(parse("region = a\nregion = b").unwrap_err(), "line 2: 'region' is given twice");
    }
}
