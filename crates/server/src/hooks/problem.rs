//! Why a call was refused: a code for programs, a sentence, and what to do instead.
//!
//! What must stay true: every refusal has a hint.

use serde::Serialize;

use super::Answer;

/// A refused call.
#[derive(Debug)]
pub(super) struct Problem {
    status: u16,
    code: &'static str,
    message: String,
    hint: String,
    allow: Option<String>,
}

#[derive(Serialize)]
struct Body<'p> {
    error: Text<'p>,
}

#[derive(Serialize)]
struct Text<'p> {
    code: &'static str,
    message: &'p str,
    hint: &'p str,
}

impl Problem {
    fn new(status: u16, code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem { status, code, message: message.into(), hint: hint.into(), allow: None }
    }

    /// The call does not say what it has to.
    pub(super) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::new(400, "invalid", message, hint)
    }

    /// There is no such thing.
    pub(super) fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::new(404, "not_found", message, hint)
    }

    /// The path takes other methods.
    pub(super) fn method(method: &str, path: &str, allowed: &str) -> Problem {
        let message = format!("{path} does not take {method}");
        Problem { allow: Some(allowed.to_owned()), ..Problem::new(405, "method", message, format!("it takes {allowed}")) }
    }

    /// This server, or its state, does not allow it.
    pub(super) fn conflict(message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::new(409, "conflict", message, hint)
    }

    /// The engine could not do it.
    pub(super) fn failed(error: &dyn std::fmt::Debug) -> Problem {
        Problem::new(500, "failed", format!("{error:?}"), "the server's log may tell more")
    }

    pub(super) fn answer(self) -> Answer {
        let body = Body { error: Text { code: self.code, message: &self.message, hint: &self.hint } };
        Answer { status: self.status, body: serde_json::to_vec(&body).expect("text is JSON"), allow: self.allow }
    }
}
