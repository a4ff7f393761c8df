//! The credential scope: whose key, and for which day, region and service it signs.
//!
//! What must stay true: a scope of other than five parts is refused, so that no part can be mistaken for another.

use super::error::ScopeError;

/// The `Credential` of a signature, such as `AKIDEXAMPLE/20150830/us-east-1/dynamodb/aws4_request`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialScope {
    /// Names the secret.
    pub access_key_id: String,
    /// `YYYYMMDD`.
    pub date: String,
    /// Any region name.
    pub region: String,
    /// `dynamodb`.
    pub service: String,
}

impl CredentialScope {
    /// Parses the text of a `Credential`.
    ///
    /// # Errors
    /// When it has not five non-empty parts, or does not end as it must.
    pub fn parse(text: &str) -> Result<CredentialScope, ScopeError> {
        let wrong = || ScopeError::Parts(text.to_owned());
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or_else(wrong);
        let (terminator, service, region, date, access_key_id) = (next()?, next()?, next()?, next()?, next()?);
        if access_key_id.contains('/') {
            return Err(wrong());
        }
        if terminator != "aws4_request" {
            return Err(ScopeError::Terminator(terminator.to_owned()));
        }
        Ok(CredentialScope {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_five_parts() {
        let scope = CredentialScope::parse("AKID/20150830/eu-west-1/dynamodb/aws4_request").unwrap();
        assert_eq!((scope.access_key_id.as_str(), scope.region.as_str()), ("AKID", "eu-west-1"));
        for text in ["", "AKID", "AKID/20150830/r/dynamodb", "a/b/20150830/r/dynamodb/aws4_request", "AKID//r/dynamodb/aws4_request"] {
            assert!(matches!(CredentialScope::parse(text), Err(ScopeError::Parts(_))), "{text}");
        }
        let other = CredentialScope::parse("AKID/20150830/r/dynamodb/aws5_request");
        assert_eq!(other, Err(ScopeError::Terminator("aws5_request".to_owned())));
    }
}
