//! The exceptions of the service: name, HTTP status and body.
//!
//! What must stay true: a client decides by the name after `#`, so that name and the status are fixed together, here.

#![deny(clippy::wildcard_enum_match_arm)]

/// Exceptions whose type carries the prefix of the service framework instead of DynamoDB's own.
const FRAMEWORK_EXCEPTIONS: &[&str] = &[
    "AccessDeniedException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ServiceUnavailableException",
    "UnknownOperationException",
    "UnrecognizedClientException",
];

/// Exceptions whose sentence is a member with a capital letter (service model).
const CAPITAL_MESSAGES: &[&str] =
    &["IdempotentParameterMismatchException", "TransactionCanceledException", "TransactionInProgressException"];

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The exception's name without any prefix.
    pub exception: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The sentence; some exceptions come without one.
    pub message: Option<String>,
    /// Further members of the body, each already written as `"Name":value`.
    pub members: Vec<String>,
    /// What the log, and nobody else, should hear of it.
    pub cause: Option<String>,
}

impl Fault {
    /// An exception that blames the request: status 400.
    pub fn client(exception: &'static str, message: impl Into<String>) -> Fault {
        Fault { exception, status: 400, message: Some(message.into()), members: Vec::new(), cause: None }
    }

    /// The request breaks a rule of its shape.
    pub fn validation(message: impl Into<String>) -> Fault {
        Fault::client("ValidationException", message)
    }

    /// `X-Amz-Target` is missing or names nothing.
    pub fn unknown_operation() -> Fault {
        Fault { exception: "UnknownOperationException", status: 400, message: None, members: Vec::new(), cause: None }
    }

    /// An operation that the service has and this server does not.
    pub fn not_there_yet(operation: &str) -> Fault {
        Fault { message: Some(format!("This server does not support {operation} yet")), ..Fault::unknown_operation() }
    }

    /// Something broke on our side; the client may try again.
    pub fn internal() -> Fault {
        Fault {
            exception: "InternalServerError",
            status: 500,
            message: Some("The request processing has failed because of an unknown error, exception or failure.".to_owned()),
            members: Vec::new(),
            cause: None,
        }
    }

    /// The JSON body.
    pub fn body(&self) -> Vec<u8> {
        let prefix = match self.exception {
            "ValidationException" => "com.amazon.coral.validate",
            name if FRAMEWORK_EXCEPTIONS.contains(&name) => "com.amazon.coral.service",
            _ => "com.amazonaws.dynamodb.v20120810",
        };
        let mut body = format!("{{\"__type\":\"{prefix}#{}\"", self.exception);
        if let Some(message) = &self.message {
            let name = if CAPITAL_MESSAGES.contains(&self.exception) { "Message" } else { "message" };
            body.push_str(&format!(",\"{name}\":"));
            write_json_string(&mut body, message);
        }
        for member in &self.members {
            body.push(',');
            body.push_str(member);
        }
        body.push('}');
        body.into_bytes()
    }
}

fn write_json_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn the_type_is_prefixed_by_the_family_of_the_exception() {
        let body = |fault: Fault| String::from_utf8(fault.body()).unwrap();
        assert_eq!(
            body(Fault::validation("a \"b\"\u{1}")),
            r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"a \"b\"\u0001"}"#
        );
        assert_eq!(body(Fault::unknown_operation()), r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#);
        assert_eq!(
            body(Fault::client("ResourceNotFoundException", "x")),
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"x"}"#
        );
    }
}
