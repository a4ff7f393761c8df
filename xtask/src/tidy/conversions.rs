//! Where one error becomes another, every variant is named, so that a new one cannot be taken for an old one unseen.
//!
//! What must stay true: the lint does the work; this rule only sees to it that the lint is on wherever errors convert.

use std::path::Path;

use crate::tree;

const LINT: &str = "#![deny(clippy::wildcard_enum_match_arm)]";

/// Never linked into the product.
const TOOLS: [&str; 3] = ["crates/bench/", "crates/proof/", "crates/testkit/"];

/// How the types end that say what went wrong.
const ENDINGS: [&str; 3] = ["Error", "Fault", "Failure"];

pub(super) fn name_every_variant(root: &Path) -> Vec<String> {
    let product = |path: &String| path.contains("/src/") && !TOOLS.iter().any(|tool| path.starts_with(tool));
    let lacks_lint = |path: &String| {
        converts(&tree::text(root, path)) && !scopes(path).iter().any(|scope| tree::text(root, scope).lines().any(|line| line == LINT))
    };
    let sources = tree::files(root, "crates", ".rs").into_iter().filter(product).filter(lacks_lint);
    sources.map(|path| format!("{path}: converts errors without {LINT}")).collect()
}

/// A file, and the files whose attributes hold in it: those of the modules around it.
fn scopes(path: &str) -> Vec<String> {
    let mut scopes = vec![path.to_owned()];
    let mut folder = path;
    while let Some((parent, _)) = folder.rsplit_once('/').filter(|(parent, _)| parent.contains("/src")) {
        scopes.extend([format!("{parent}/mod.rs"), format!("{parent}.rs"), format!("{parent}/lib.rs"), format!("{parent}/main.rs")]);
        folder = parent;
    }
    scopes
}

fn converts(source: &str) -> bool {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    product.lines().map(str::trim).any(|line| is_from(line) || is_function(line) || line.contains(".map_err(|error| match "))
}

/// `impl From<AnError> for …`
fn is_from(line: &str) -> bool {
    let source = line.strip_prefix("impl From<").and_then(|rest| rest.split_once("> for "));
    source.is_some_and(|(source, _)| says_what_went_wrong(source))
}

/// `fn …(error: AnError, …) -> AnotherError {`
fn is_function(line: &str) -> bool {
    let parts = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).and_then(|(_, rest)| rest.split_once(") -> "));
    let Some((arguments, result)) = parts else { return false };
    let takes_error = arguments.split(", ").filter_map(|argument| argument.split_once(": ")).any(|(_, of)| says_what_went_wrong(of));
    takes_error && says_what_went_wrong(result.trim_end_matches(" {"))
}

fn says_what_went_wrong(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_that_convert_without_the_lint_are_a_fault() {
        let write = |files: &[(&str, &str)]| {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = folder.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            name_every_variant(folder.path()).len()
        };
        let (from, function) = ("impl From<kv::ReadError> for Fault {", "pub fn refuse(error: &ReadError, name: &str) -> Fault {");
        assert_eq!(write(&[("crates/a/src/b/c.rs", from), ("crates/a/src/d.rs", function)]), 2);
        assert_eq!(write(&[("crates/a/src/b/c.rs", "x.map_err(|error| match error {")]), 1);
        for scope in ["crates/a/src/b.rs", "crates/a/src/b/mod.rs", "crates/a/src/lib.rs"] {
            assert_eq!(write(&[("crates/a/src/b/c.rs", from), (scope, LINT)]), 0, "{scope}");
        }
        assert_eq!(write(&[("crates/a/src/b.rs", "fn f(name: &str) -> Fault {}\nimpl From<u8> for Fault {}")]), 0);
    }
}
