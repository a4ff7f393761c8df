//! What the service says about requests that are not authenticated.
//!
//! What must stay true: all of them are status 400, and none tells more about a secret than that it did not fit.

use std::fmt::Display;

use crate::fault::Fault;

const REEXAMINE: &str = "Re-examine the query-string parameters.";

/// No signature at all.
pub fn missing_token() -> Fault {
    Fault::client("MissingAuthenticationTokenException", "Request is missing Authentication Token")
}

/// No such access key.
pub fn unknown_key() -> Fault {
    Fault::client("UnrecognizedClientException", "The security token included in the request is invalid.")
}

/// Another secret, or another request, was signed.
pub fn mismatch() -> Fault {
    invalid(
        "The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    )
}

/// A signature in the `Authorization` header lacks parts. `lacking` names fields such as `Signature`.
pub fn incomplete_header(lacking: &[&str], lacks_date: bool, authorization: &str) -> Fault {
    let mut text: String = lacking.iter().map(|part| format!("Authorization header requires '{part}' parameter. ")).collect();
    if lacks_date {
        text.push_str("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
    }
    Fault::client("IncompleteSignatureException", format!("{text}Authorization={authorization}"))
}

/// A pre-signed request lacks parameters such as `X-Amz-Signature`.
pub fn incomplete_query(lacking: &[&str]) -> Fault {
    let text: String = lacking.iter().map(|part| format!("AWS query-string parameters must include '{part}'. ")).collect();
    Fault::client("IncompleteSignatureException", text + REEXAMINE)
}

/// The signature is of a kind that is not Signature Version 4's. The sentence is assumed.
pub fn unknown_algorithm(algorithm: &str) -> Fault {
    Fault::client("IncompleteSignatureException", format!("Unsupported AWS 'algorithm': '{algorithm}'."))
}

/// The header and the query string both carry a signature.
pub fn two_forms() -> Fault {
    invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
}

/// The `Credential` has not five parts.
pub fn malformed_credential(credential: &str) -> Fault {
    Fault::client(
        "IncompleteSignatureException",
        format!("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"),
    )
}

/// The `Credential` ends in something else.
pub fn wrong_terminator(terminator: &str) -> Fault {
    invalid(format!("Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "))
}

/// The `Credential` is for another service.
pub fn wrong_service() -> Fault {
    invalid("Credential should be scoped to correct service: 'dynamodb'. ")
}

/// The region is not one that a table can be in.
pub fn wrong_region(region: &str) -> Fault {
    invalid(format!("Credential should be scoped to a valid region, not '{region}'. "))
}

/// The date of the `Credential` is not that of the request.
pub fn wrong_date(scope: &str, date: &str, signed_at: impl Display) -> Fault {
    invalid(format!(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != '{date}', from '{signed_at}'."
    ))
}

/// A header that must be signed is not.
pub fn unsigned_header(name: &str) -> Fault {
    let name = if name == "host" { "'Host' or ':authority'".to_owned() } else { format!("'{name}'") };
    invalid(format!("{name} must be a 'SignedHeader' in the AWS Authorization."))
}

/// Signed too long ago: `earliest` is `now` less the window.
pub fn expired(signed_at: impl Display, earliest: impl Display, now: impl Display, window_minutes: i64) -> Fault {
    invalid(format!("Signature expired: {signed_at} is now earlier than {earliest} ({now} - {window_minutes} min.)"))
}

/// Signed in the future: `latest` is `now` and the window.
pub fn not_yet_current(signed_at: impl Display, latest: impl Display, now: impl Display, window_minutes: i64) -> Fault {
    invalid(format!("Signature not yet current: {signed_at} is still later than {latest} ({now} + {window_minutes} min.)"))
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("InvalidSignatureException", message)
}
