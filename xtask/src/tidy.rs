//! The rules of the house, as a registry. `cargo xtask tidy` runs them all, and so does a test.
//!
//! What must stay true: each rule is one function from the tree to its faults, and each has a test on a small bad example.

mod absences;
mod completeness;
mod conversions;
mod dependencies;
mod sizes;
mod words;

use std::path::Path;

type Rule = fn(&Path) -> Vec<String>;

/// All rules.
const RULES: [Rule; 10] = [
    dependencies::table,
    absences::per_crate,
    words::module_names,
    words::module_heads,
    words::error_text,
    conversions::name_every_variant,
    sizes::ratchets,
    completeness::scripts,
    completeness::format_sections,
    completeness::architecture,
];

/// Every fault of every rule.
pub(crate) fn check(root: &Path) -> Vec<String> {
    let mut faults: Vec<String> = RULES.iter().flat_map(|rule| rule(root)).collect();
    faults.extend(crate::docs::check(root));
    faults
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_is_tidy() {
        let faults = super::check(&crate::tree::root());
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
