//! A call as its handler sees it, and what the handler says.
//!
//! What must stay true: a body with a member that nobody reads is refused, so that a misspelt one does not pass unnoticed.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Answer;
use super::problem::Problem;

/// A call whose path and method are known.
pub(super) struct Call<'c> {
    /// What stands where the route has a name in braces.
    pub(super) parameter: &'c str,
    pub(super) query: Option<&'c str>,
    pub(super) body: &'c [u8],
    /// A body that the route takes, for hints; empty if it takes none.
    pub(super) example: &'static str,
}

impl Call<'_> {
    /// Reads the body; an empty one is an empty object.
    pub(super) fn input<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body = if self.body.is_empty() { b"{}" } else { self.body };
        serde_json::from_slice(body).map_err(|error| {
            let hint =
                if self.example.is_empty() { "no body is expected".to_owned() } else { format!("expected, for example: {}", self.example) };
            Problem::invalid(format!("the body can not be read: {error}"), hint)
        })
    }

    /// The value of a parameter of the query; percent signs stand for themselves but for `%xx`.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let pairs = self.query?.split('&');
        let value = pairs.filter_map(|pair| pair.split_once('=')).find(|(known, _)| *known == name)?.1;
        Some(decode(value))
    }

    /// Refuses parameters of the query that the route does not have.
    pub(super) fn check_query(&self, known: &[&str]) -> Result<(), Problem> {
        let names = self.query.into_iter().flat_map(|query| query.split('&')).map(|pair| pair.split('=').next().unwrap_or_default());
        match names.into_iter().find(|name| !name.is_empty() && !known.contains(name)) {
            None => Ok(()),
            Some(name) => Err(Problem::invalid(format!("there is no parameter {name:?}"), format!("known are: {}", known.join(", ")))),
        }
    }
}

fn decode(value: &str) -> String {
    let bytes = value.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let escaped = value.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        out.push(escaped.unwrap_or(*byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An answer that carries a value.
pub(super) fn ok(value: &impl Serialize) -> Result<Answer, Problem> {
    with_status(200, value)
}

/// An answer about something that is new.
pub(super) fn created(value: &impl Serialize) -> Result<Answer, Problem> {
    with_status(201, value)
}

fn with_status(status: u16, value: &impl Serialize) -> Result<Answer, Problem> {
    let body = serde_json::to_vec(value).map_err(|error| Problem::failed(&error))?;
    Ok(Answer { status, body, allow: None })
}

/// A body without members.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn percent_signs_are_decoded_where_they_encode() {
        assert_eq!(decode("a%20b%2F%"), "a b/%");
        assert_eq!(decode("100%é%zz"), "100%é%zz");
    }
}
