//! The signing key of a secret, derived once for a day and region instead of once for a request.
//!
//! ```text
//!   "AWS4" secret -> date -> region -> service -> "aws4_request"     four HMACs
//!                                                 └─ signs every request of that day, region and service
//! ```
//!
//! What must stay true: a key is used only for the date, region and service that it was derived for; keys are wiped when
//! they are dropped, and never printed. Requests of several regions may take turns at the one place: that costs time only.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::scope::CredentialScope;
use crate::secret::Secret;

/// A secret with the last signing key that was derived from it.
pub struct Signer {
    secret: Secret,
    last: ArcSwapOption<SigningKey>,
}

/// What signs requests of one day, region and service.
struct SigningKey {
    date: String,
    region: String,
    service: String,
    key: Zeroizing<[u8; 32]>,
}

impl Signer {
    /// Of a secret.
    pub fn new(secret: Secret) -> Signer {
        Signer { secret, last: ArcSwapOption::empty() }
    }

    /// The signature of a string to sign within a scope.
    pub(super) fn sign(&self, scope: &CredentialScope, text: &[u8]) -> [u8; 32] {
        let last = self.last.load();
        if let Some(known) = last.as_ref().filter(|known| known.is_for(scope)) {
            return hmac(known.key.as_slice(), text);
        }
        let derived = SigningKey::derive(&self.secret, scope);
        let signature = hmac(derived.key.as_slice(), text);
        self.last.store(Some(Arc::new(derived)));
        signature
    }
}

impl SigningKey {
    fn derive(secret: &Secret, scope: &CredentialScope) -> SigningKey {
        let CredentialScope { date, region, service, .. } = scope;
        let key = Zeroizing::new(format!("AWS4{}", secret.expose()));
        let key = Zeroizing::new(hmac(key.as_bytes(), date.as_bytes()));
        let key = Zeroizing::new(hmac(key.as_slice(), region.as_bytes()));
        let key = Zeroizing::new(hmac(key.as_slice(), service.as_bytes()));
        let key = Zeroizing::new(hmac(key.as_slice(), b"aws4_request"));
        SigningKey { date: date.clone(), region: region.clone(), service: service.clone(), key }
    }

    fn is_for(&self, scope: &CredentialScope) -> bool {
        self.date == scope.date && self.region == scope.region && self.service == scope.service
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(redacted)")
    }
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(date: &str, region: &str) -> CredentialScope {
        CredentialScope::parse(&format!("AKID/{date}/{region}/dynamodb/aws4_request")).unwrap()
    }

    #[test]
    fn a_key_derived_for_one_scope_does_not_sign_in_another() {
        let signer = Signer::new(Secret::new("secret".to_owned()));
        let fresh = |scope: &CredentialScope| Signer::new(Secret::new("secret".to_owned())).sign(scope, b"text");
        let scopes = [scope("20260101", "eu-west-1"), scope("20260101", "us-east-1"), scope("20260102", "us-east-1")];
        for scope in scopes.iter().chain(scopes.iter().rev()) {
            assert_eq!(signer.sign(scope, b"text"), fresh(scope));
            assert_eq!(signer.sign(scope, b"text"), fresh(scope), "a second time, from the key that is kept");
        }
        assert_ne!(fresh(&scopes[0]), fresh(&scopes[1]));
        assert_ne!(fresh(&scopes[1]), fresh(&scopes[2]));
    }

    #[test]
    fn printing_a_signer_shows_nothing() {
        let signer = Signer::new(Secret::new("wJalrXUtnFEMI".to_owned()));
        signer.sign(&scope("20260101", "eu-west-1"), b"text");
        assert_eq!(format!("{signer:?}"), "Signer(redacted)");
    }
}
