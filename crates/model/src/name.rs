//! Names of tables and indexes.
//!
//! What must stay true: the rule of the service model (`[a-zA-Z0-9_.-]+`, 3 to 255 characters) is decided here alone.

use crate::limits::{NAME_BYTES_MAX, NAME_BYTES_MIN};

/// Whether every character is one that a table or index name may have. The empty name passes: length is another rule.
pub fn has_allowed_characters(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Whether the name may be given to a table or index.
pub fn is_valid(name: &str) -> bool {
    (NAME_BYTES_MIN..=NAME_BYTES_MAX).contains(&name.len()) && has_allowed_characters(name)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn follows_the_service_model() {
        assert!(is_valid("Table-1_a.b"));
        assert!(!is_valid("ab"));
        assert!(!is_valid("a b c"));
        assert!(!is_valid(&"a".repeat(256)));
    }
}
