//! Generated parts of the documentation: the table of operations in the README.
//!
//! What must stay true: the table derives from the registry's files and the list of the service's operations; `tidy` fails
//! when the README says something else.

use std::path::Path;

use crate::tree;

const BEGIN: &str = "<!-- operations: begin (cargo xtask docs) -->";
const END: &str = "<!-- operations: end -->";

/// Writes the generated parts.
pub(crate) fn write(root: &Path) -> Result<(), String> {
    let updated = updated(root)?;
    std::fs::write(root.join("README.md"), updated).map_err(|error| format!("README.md: {error}"))
}

/// Says what is out of date.
pub(crate) fn check(root: &Path) -> Vec<String> {
    match updated(root) {
        Ok(updated) if updated == tree::text(root, "README.md") => Vec::new(),
        Ok(_) => vec!["README.md: the table of operations is out of date; run cargo xtask docs".into()],
        Err(error) => vec![error],
    }
}

fn updated(root: &Path) -> Result<String, String> {
    let readme = tree::text(root, "README.md");
    let (head, rest) = readme.split_once(BEGIN).ok_or("README.md: the marker where the table of operations begins is missing")?;
    let (_, tail) = rest.split_once(END).ok_or("README.md: the marker where the table of operations ends is missing")?;
    Ok(format!("{head}{BEGIN}\n{}{END}{tail}", table(root)))
}

fn table(root: &Path) -> String {
    let names = tree::text(root, "spec/operations.txt");
    let known: Vec<(&str, &str)> = names.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let works = |name: &str| root.join("crates/api/src/ops").join(format!("{}.rs", snake_case(name))).exists();
    let (there, missing): (Vec<_>, Vec<_>) = known.iter().partition(|(_, name)| works(name));
    let steps = |name: &str| {
        let scripts = tree::files(root, &format!("crates/api/tests/scripts/{}", snake_case(name)), ".script");
        scripts.iter().map(|path| tree::text(root, path).lines().filter(|line| *line == "---").count()).sum::<usize>()
    };
    let list = |operations: &[&(&str, &str)]| operations.iter().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let counted = |operations: &[&(&str, &str)]| {
        operations.iter().map(|(_, name)| format!("`{name}` {}", steps(name))).collect::<Vec<_>>().join(", ")
    };
    format!(
        "| | operations, and how many steps of golden scripts are about each |\n|---|---|\n| **work** ({}) | {} |\n| **answer UnknownOperationException** ({}) | {} |\n",
        there.len(),
        counted(&there),
        missing.len(),
        list(&missing)
    )
}

/// `PutItem` as `put_item`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
