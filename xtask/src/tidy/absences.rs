//! What a crate must never contain: the walls that the compiler does not see.
//!
//! What must stay true: comments do not count, code does; tests inside a crate count as its code.

use std::path::Path;

use crate::tree;

/// Folder, words that may not occur in its code, and why.
const ABSENCES: [(&str, &[&str], &str); 8] = [
    ("crates/model/src", &["serde", "std::fs", "std::net", "std::time", "rand::"], "values are pure"),
    ("crates/expr/src", &["serde", "std::fs", "std::net", "std::time", "stator_kv", "Instant"], "languages are pure"),
    ("crates/kv/src", &["dynamo", "Item", "Table", "stream_record", "GlobalIndex"], "storage sees bytes"),
    ("crates/kv-rocksdb/src", &["dynamo", "stator_model", "GlobalIndex"], "storage sees bytes"),
    (
        "crates/engine/src",
        &["serde", "tokio", "hyper", "SystemTime", "Instant::now", "ValidationException", "std::fs", "std::net"],
        "meaning is deterministic and knows no wire",
    ),
    (
        "crates/api/src",
        &["std::net", "tokio::", "RocksStore", "Key::from_joined", "Key::new"],
        "the wire knows no socket, no key and no backend",
    ),
    ("crates/testkit/src/oracle", &["stator_expr", "stator_kv", "stator_engine", "stator_api"], "it shares nothing with what it judges"),
    ("crates/server/src", &["RocksStore", "MemoryStore", "\"PutItem\"", "\"GetItem\""], "the shell knows no rule and no backend"),
];

/// Where keys are built, and nowhere else in the engine.
const KEYSPACE: &str = "crates/engine/src/keyspace";

pub(super) fn per_crate(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for (folder, words, reason) in ABSENCES {
        for path in tree::files(root, folder, ".rs") {
            let code = code_of(&tree::text(root, &path));
            faults.extend(found(&path, &code, words, reason));
        }
    }
    for path in tree::files(root, "crates/engine/src", ".rs").iter().filter(|path| !path.starts_with(KEYSPACE)) {
        let code = code_of(&tree::text(root, path));
        faults.extend(found(path, &code, &["Key::from_joined(", "Key::new("], "keys are built in engine::keyspace"));
    }
    faults
}

fn found(path: &str, code: &str, words: &[&str], reason: &str) -> Vec<String> {
    words.iter().filter(|word| code.contains(**word)).map(|word| format!("{path}: contains {word:?}: {reason}")).collect()
}

/// A source without its comments.
fn code_of(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{code_of, found};

    #[test]
    fn a_forbidden_word_in_code_is_a_fault_and_in_a_comment_is_not() {
        let words = &["std::fs"];
        assert_eq!(found("a.rs", &code_of("use std::fs;"), words, "pure").len(), 1);
        assert!(found("a.rs", &code_of("// no std::fs here"), words, "pure").is_empty());
    }
}
