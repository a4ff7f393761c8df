//! What goes along with code: a script per operation, a section per kind of row, a true architecture page.

use std::path::Path;

use crate::tree;

/// Where golden scripts live, a folder per operation.
const SCRIPTS: &str = "crates/api/tests/scripts";

pub(super) fn scripts(root: &Path) -> Vec<String> {
    let operations = tree::files(root, "crates/api/src/ops", ".rs").into_iter().filter_map(|path| stem(&path));
    let lacks = |name: &String| name != "mod" && tree::files(root, &format!("{SCRIPTS}/{name}"), ".script").is_empty();
    operations.filter(lacks).map(|name| format!("{SCRIPTS}/{name}: the operation has no script")).collect()
}

pub(super) fn format_sections(root: &Path) -> Vec<String> {
    let format = tree::text(root, "docs/format.md");
    let kinds = tree::files(root, "crates/engine/src/keyspace", ".rs").into_iter().filter_map(|path| stem(&path));
    let lacks = |name: &String| !matches!(name.as_str(), "mod" | "partition") && !format.contains(&format!("## `{name}`"));
    kinds.filter(lacks).map(|name| format!("docs/format.md: the row kind `{name}` has no section")).collect()
}

pub(super) fn architecture(root: &Path) -> Vec<String> {
    let page = tree::text(root, "ARCHITECTURE.md");
    let mut faults: Vec<String> = paths_named(&page)
        .into_iter()
        .filter(|path| !root.join(path).exists())
        .map(|path| format!("ARCHITECTURE.md: names {path}, which does not exist"))
        .collect();
    for manifest in tree::files(root, "crates", "Cargo.toml") {
        let folder = manifest.trim_end_matches("/Cargo.toml");
        if folder.matches('/').count() == 1 && !page.contains(folder) {
            faults.push(format!("ARCHITECTURE.md: does not name {folder}"));
        }
    }
    faults
}

/// Paths between backticks.
fn paths_named(page: &str) -> Vec<String> {
    let quoted = page.split('`').skip(1).step_by(2);
    let is_path = |text: &&str| ["crates/", "docs/", "spec/", "tests/", "xtask/", "examples/"].iter().any(|root| text.starts_with(root));
    quoted.filter(is_path).map(str::to_owned).collect()
}

fn stem(path: &str) -> Option<String> {
    path.rsplit('/').next()?.strip_suffix(".rs").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn each_rule_fails_on_a_bad_example() {
        let tree = tree_with(&[
            ("crates/api/src/ops/put_item.rs", ""),
            ("crates/engine/src/keyspace/item.rs", ""),
            ("crates/api/Cargo.toml", ""),
            ("ARCHITECTURE.md", "see `crates/nowhere/src`"),
        ]);
        assert_eq!(scripts(tree.path()).len(), 1);
        assert_eq!(format_sections(tree.path()).len(), 1);
        assert_eq!(architecture(tree.path()).len(), 2);
    }
}
