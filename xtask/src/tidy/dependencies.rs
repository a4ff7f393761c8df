//! Who may depend on whom: the table of the architecture, checked against `cargo metadata`.
//!
//! What must stay true: an edge that is not in the table is an error; changing the table needs a decision record.

use std::path::Path;
use std::process::Command;

/// Crates and what each may use of the others in its product code.
const TABLE: [(&str, &[&str]); 16] = [
    ("stator-model", &[]),
    ("stator-expr", &["stator-model"]),
    ("stator-kv", &[]),
    ("stator-planted", &[]),
    ("stator-kv-rocksdb", &["stator-kv", "stator-planted"]),
    ("stator-engine", &["stator-model", "stator-expr", "stator-kv", "stator-planted"]),
    ("stator-iam", &["stator-model", "stator-kv", "stator-planted"]),
    ("stator-api", &["stator-model", "stator-expr", "stator-engine"]),
    ("stator-server", &["stator-api", "stator-iam", "stator-engine", "stator-model"]),
    (
        "stator-cli",
        &["stator-server", "stator-api", "stator-iam", "stator-engine", "stator-model", "stator-kv", "stator-kv-rocksdb", "stator-planted"],
    ),
    ("stator-testkit", &["stator-model", "stator-expr", "stator-kv", "stator-engine", "stator-api"]),
    ("stator-driver", &["stator-iam"]),
    // Bytes of strangers for everything that reads some.
    ("stator-fuzz", &["stator-model", "stator-expr", "stator-kv", "stator-engine", "stator-iam", "stator-api", "stator-testkit"]),
    ("stator-bench", &["stator-driver", "stator-iam", "stator-kv-rocksdb"]),
    // It looks at the product from every side: at the binary, and at the engine over stores that fail.
    (
        "stator-proof",
        &[
            "stator-driver",
            "stator-testkit",
            "stator-planted",
            "stator-fuzz",
            "stator-api",
            "stator-iam",
            "stator-engine",
            "stator-expr",
            "stator-kv",
            "stator-kv-rocksdb",
            "stator-model",
        ],
    ),
    ("xtask", &[]),
];

/// Crates that may appear in named places only.
const FOREIGN: [(&str, &[&str]); 5] = [
    ("serde", &["stator-server", "stator-cli", "stator-testkit", "xtask"]),
    ("serde_json", &["stator-server", "stator-cli", "stator-testkit", "stator-driver", "stator-bench", "stator-proof", "xtask"]),
    ("tokio", &["stator-server", "stator-cli", "stator-testkit", "stator-bench", "stator-proof"]),
    ("hyper", &["stator-server", "stator-testkit", "stator-bench", "stator-proof"]),
    // The bench has floors: a bare server over a bare store.
    ("rocksdb", &["stator-kv-rocksdb", "stator-bench"]),
];

pub(super) fn table(root: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(root).output();
    let parsed = output
        .map_err(|error| error.to_string())
        .and_then(|output| serde_json::from_slice::<serde_json::Value>(&output.stdout).map_err(|error| error.to_string()));
    match parsed {
        Ok(metadata) => faults(&edges(&metadata)),
        Err(error) => vec![format!("cargo metadata cannot be read: {error}")],
    }
}

/// Edges of product code: package and dependency.
fn edges(metadata: &serde_json::Value) -> Vec<(String, String)> {
    let mut edges = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let from = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].is_null() {
                edges.push((from.to_owned(), dependency["name"].as_str().unwrap_or_default().to_owned()));
            }
        }
    }
    edges
}

fn faults(edges: &[(String, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (from, to) in edges {
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| name == from) else {
            faults.push(format!("{from}: the table of dependencies does not know this crate"));
            continue;
        };
        let is_ours = TABLE.iter().any(|(name, _)| name == to);
        if is_ours && !allowed.contains(&to.as_str()) {
            faults.push(format!("{from}: may not use {to} (the table of dependencies)"));
        }
        if let Some((_, places)) = FOREIGN.iter().find(|(name, _)| name == to)
            && !places.contains(&from.as_str())
        {
            faults.push(format!("{from}: may not use {to} (it belongs to {})", places.join(", ")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::faults;

    #[test]
    fn an_edge_outside_the_table_is_a_fault() {
        let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert!(faults(&[edge("stator-api", "stator-engine"), edge("stator-engine", "arc-swap")]).is_empty());
        assert_eq!(faults(&[edge("stator-model", "stator-kv")]).len(), 1);
        assert_eq!(faults(&[edge("stator-engine", "serde")]).len(), 1);
        assert_eq!(faults(&[edge("stator-new", "stator-kv")]).len(), 1);
    }
}
