//! Names that say nothing, files that do not say why they exist, and decisions made from an error's text.

use std::path::Path;

use crate::tree;

/// Module names that are not understood yet.
const BANNED: [&str; 7] = ["helpers", "helper", "utils", "util", "common", "misc", "manager"];

pub(super) fn module_names(root: &Path) -> Vec<String> {
    tree::sources(root).into_iter().filter(|path| is_banned(path)).map(|path| format!("{path}: a name that says nothing")).collect()
}

fn is_banned(path: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|segment| BANNED.contains(&segment))
}

pub(super) fn module_heads(root: &Path) -> Vec<String> {
    let lacks_head = |path: &String| !tree::text(root, path).starts_with("//!");
    tree::sources(root).into_iter().filter(lacks_head).map(|path| format!("{path}: does not open with why it exists (//!)")).collect()
}

pub(super) fn error_text(root: &Path) -> Vec<String> {
    let product = |path: &String| !path.contains("/tests/") && !path.starts_with("xtask") && !path.starts_with("crates/testkit");
    let decides = |path: &String| decides_from_text(&tree::text(root, path));
    let sources = tree::sources(root).into_iter().filter(product).filter(decides);
    sources.map(|path| format!("{path}: decides from an error's text (.to_string().contains)")).collect()
}

fn decides_from_text(source: &str) -> bool {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    product.contains(".to_string().contains(") || product.contains(".message().contains(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_fails_on_a_bad_example() {
        assert!(is_banned("crates/api/src/utils.rs"));
        assert!(is_banned("crates/api/src/common/mod.rs"));
        assert!(!is_banned("crates/api/src/ops/mod.rs"));
        assert!(decides_from_text("if error.to_string().contains(\"x\") {}"));
        assert!(!decides_from_text("fn f() {}\n#[cfg(test)]\nmod tests { assert!(e.to_string().contains(\"x\")) }"));
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("crates/a/src")).unwrap();
        std::fs::write(folder.path().join("crates/a/src/lib.rs"), "fn f() {}").unwrap();
        assert_eq!(module_heads(folder.path()).len(), 1);
    }
}
