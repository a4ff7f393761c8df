//! The files of the repository.
//!
//! What must stay true: only what git tracks or could track is looked at, never build output.

use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(Path::to_owned).unwrap_or_default()
}

/// Files below a folder whose names end in a suffix, in a stable order, as paths relative to the root.
pub(crate) fn files(root: &Path, folder: &str, suffix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(suffix)
                && let Ok(relative) = path.strip_prefix(root)
            {
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

/// The text of a file; empty if it is not there.
pub(crate) fn text(root: &Path, path: &str) -> String {
    std::fs::read_to_string(root.join(path)).unwrap_or_default()
}

/// Rust sources of the crates and of the tooling.
pub(crate) fn sources(root: &Path) -> Vec<String> {
    let mut sources = files(root, "crates", ".rs");
    sources.extend(files(root, "xtask", ".rs"));
    sources
}
