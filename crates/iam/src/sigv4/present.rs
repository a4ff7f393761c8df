//! Reading a signature off a request, in its header form or its pre-signed query form.
//!
//! What must stay true: a part that lacks is reported together with all others that lack, as the service does.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Request;
use super::error::{Incomplete, Part, SignatureError};
use super::scope::CredentialScope;
use super::timestamp::Timestamp;

/// How the signature came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query string, good for so many seconds.
    Query {
        /// `X-Amz-Expires`.
        expires_seconds: Option<i64>,
    },
}

/// What a request says about its signature. Nothing of it is proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented<'a> {
    /// How it was signed, as the request says.
    pub algorithm: Cow<'a, str>,
    /// Who signed, and for what.
    pub scope: CredentialScope,
    /// Lower-case names, separated by semicolons.
    pub signed_headers: Cow<'a, str>,
    /// 64 hexadecimal digits, if it is a good one.
    pub signature: Cow<'a, str>,
    /// When it was signed.
    pub signed_at: Timestamp,
    /// Header or query.
    pub form: Form,
}

/// The parts as they were found, before any is missed.
#[derive(Default)]
struct Parts<'a> {
    algorithm: Cow<'a, str>,
    credential: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    signed_at: Option<Timestamp>,
}

impl<'a> Presented<'a> {
    /// Finds the signature of a request.
    ///
    /// # Errors
    /// `MissingToken`, `Incomplete`, `TwoForms`, or `Scope` when the credential is not of five parts.
    pub fn read(request: &Request<'a>) -> Result<Presented<'a>, SignatureError> {
        let authorization = request.headers.first("authorization").filter(|text| !text.trim().is_empty());
        let in_query = parameters(request.query).any(|(name, _)| name == "X-Amz-Algorithm");
        match (authorization, in_query) {
            (Some(_), true) => Err(SignatureError::TwoForms),
            (Some(text), false) if text.trim_start().starts_with("AWS4-") => Presented::from_header(request, text.trim()),
            (Some(_) | None, false) => Err(SignatureError::MissingToken),
            (None, true) => Presented::from_query(request),
        }
    }

    fn from_header(request: &Request<'a>, authorization: &'a str) -> Result<Presented<'a>, SignatureError> {
        let mut parts = Parts::default();
        let (algorithm, fields) = authorization.split_once(char::is_whitespace).unwrap_or((authorization, ""));
        parts.algorithm = Cow::Borrowed(algorithm);
        for (name, value) in fields.split(',').filter_map(|field| field.trim().split_once('=')) {
            let value = Some(value).filter(|value| !value.is_empty()).map(Cow::Borrowed);
            match name {
                "Credential" => parts.credential = value,
                "SignedHeaders" => parts.signed_headers = value,
                "Signature" => parts.signature = value,
                _ => {}
            }
        }
        let headers = request.headers;
        let date = headers.first("x-amz-date").and_then(Timestamp::parse_basic);
        parts.signed_at = date.or_else(|| headers.first("date").and_then(Timestamp::parse_date_header));
        parts.assemble(Form::Header, Vec::new(), Some(authorization))
    }

    fn from_query(request: &Request<'a>) -> Result<Presented<'a>, SignatureError> {
        let mut parts = Parts::default();
        let mut lacking = vec![Part::Algorithm];
        let mut expires_seconds = None;
        for (name, value) in parameters(request.query).filter(|(_, value)| !value.is_empty()) {
            match name.as_ref() {
                "X-Amz-Algorithm" => {
                    lacking.clear();
                    parts.algorithm = value;
                }
                "X-Amz-Credential" => parts.credential = Some(value),
                "X-Amz-SignedHeaders" => parts.signed_headers = Some(value),
                "X-Amz-Signature" => parts.signature = Some(value),
                "X-Amz-Date" => parts.signed_at = Timestamp::parse_basic(&value),
                "X-Amz-Expires" => expires_seconds = value.parse().ok().filter(|seconds| (1..=604_800).contains(seconds)),
                _ => {}
            }
        }
        parts.assemble(Form::Query { expires_seconds }, lacking, None)
    }
}

impl<'a> Parts<'a> {
    fn assemble(self, form: Form, mut lacking: Vec<Part>, authorization: Option<&str>) -> Result<Presented<'a>, SignatureError> {
        let (Some(credential), Some(signature), Some(signed_headers), Some(signed_at)) =
            (&self.credential, &self.signature, &self.signed_headers, self.signed_at)
        else {
            let has = [
                (Part::Credential, self.credential.is_some()),
                (Part::Signature, self.signature.is_some()),
                (Part::SignedHeaders, self.signed_headers.is_some()),
                (Part::Date, self.signed_at.is_some()),
            ];
            lacking.extend(has.into_iter().filter(|(_, is_there)| !is_there).map(|(part, _)| part));
            return Err(SignatureError::Incomplete(Incomplete { authorization: authorization.map(str::to_owned), lacking }));
        };
        if !lacking.is_empty() {
            return Err(SignatureError::Incomplete(Incomplete { authorization: None, lacking }));
        }
        let scope = CredentialScope::parse(credential).map_err(SignatureError::Scope)?;
        Ok(Presented {
            algorithm: self.algorithm.clone(),
            scope,
            signed_headers: signed_headers.clone(),
            signature: signature.clone(),
            signed_at,
            form,
        })
    }
}

/// The parameters of a query string, decoded.
fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decode_str(name).decode_utf8_lossy(), percent_decode_str(value).decode_utf8_lossy())
    })
}
