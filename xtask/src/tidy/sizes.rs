//! Sizes: files and functions stay where a reader can hold them. Ratchets: the exceptions may only shrink.
//!
//! Functions are found by their indentation, which rustfmt guarantees. What must stay true: an exception that is no longer
//! needed is an error too, so that the lists shrink.

use std::path::Path;

use crate::tree;

const FILE_LINES_MAX: usize = 900;
const FUNCTION_LINES_MAX: usize = 70;

/// Functions longer than that, and how long each may be.
const LONG_FUNCTIONS: [(&str, &str, usize); 0] = [];

pub(super) fn ratchets(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for path in tree::sources(root) {
        let text = tree::text(root, &path);
        let lines = text.lines().count();
        if lines > FILE_LINES_MAX {
            faults.push(format!("{path}: {lines} lines; {FILE_LINES_MAX} is the most: is there a second noun in it?"));
        }
        for (name, lines) in functions(&text) {
            let allowed = LONG_FUNCTIONS.iter().find(|(file, function, _)| *file == path && *function == name).map(|row| row.2);
            if lines > allowed.unwrap_or(FUNCTION_LINES_MAX) {
                faults.push(format!("{path}: fn {name} has {lines} lines; {FUNCTION_LINES_MAX} is the most"));
            }
        }
    }
    faults
}

/// Names and lengths of the functions of a formatted source.
fn functions(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, String, usize)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "}" && open.last().is_some_and(|(opened, ..)| *opened == indent) {
            if let Some((_, name, start)) = open.pop() {
                found.push((name, number - start + 1));
            }
        } else if let Some(name) = function_name(line.trim_start())
            && !line.trim_end().ends_with('}')
            && !line.trim_end().ends_with(';')
        {
            open.push((indent, name, number));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let prefixes = ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe "];
    let mut rest = line;
    while let Some(stripped) = prefixes.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = stripped;
    }
    let name: String = rest.strip_prefix("fn ")?.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect();
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn functions_are_measured() {
        let text = "fn a() {\n    x();\n}\n\nimpl B {\n    pub fn b() {\n        if c {\n            d();\n        }\n    }\n}\n";
        assert_eq!(functions(text), [("a".to_owned(), 3), ("b".to_owned(), 5)]);
        let long = format!("fn long() {{\n{}}}\n", "    x();\n".repeat(80));
        assert_eq!(functions(&long), [("long".to_owned(), 82)]);
    }
}
