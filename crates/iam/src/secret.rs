//! Secrets that can be neither printed by accident nor found in memory after their use.
//!
//! What must stay true: no `Debug`, `Display` or log line of this type shows the text; only `expose` hands it out.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text, redacted when printed and wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over. Copies that the caller made before are the caller's.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn printing_a_secret_does_not_show_it() {
        let secret = Secret::new("wJalrXUtnFEMI".to_owned());
        assert!(!format!("{secret:?}").contains("wJalr"));
        assert_eq!(secret.expose(), "wJalrXUtnFEMI");
    }
}
