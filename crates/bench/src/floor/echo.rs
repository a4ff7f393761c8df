//! `floor-echo`: reads the body and returns the bytes that the product returned for it.

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;

use super::http;
use stator_driver::failure::{Failure, failed};

/// Serves the bytes of a file.
pub(crate) fn echo(answer: &Path) -> Result<Infallible, Failure> {
    let answer = Bytes::from(std::fs::read(answer).map_err(|error| failed(format!("{}: {error}", answer.display())))?);
    http::serve(move |_body| {
        let answer = answer.clone();
        async move { answer }
    })
}
