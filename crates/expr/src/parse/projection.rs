//! Paths with commas between.
//!
//! What must stay true: no word is a keyword here; words that may not be names are refused as reserved when bound.

use super::Parser;
use crate::ast::ProjectionText;
use crate::error::ExprError;
use crate::lex::TokenKind;

pub(super) fn parse(parser: &mut Parser<'_>) -> Result<ProjectionText, ExprError> {
    let mut paths = vec![parser.path()?];
    while parser.takes(",") {
        paths.push(parser.path()?);
    }
    if parser.kind() == TokenKind::End { Ok(ProjectionText(paths)) } else { Err(parser.unexpected()) }
}
