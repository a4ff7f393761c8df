//! The four sections of an update.
//!
//! What must stay true: sections may come in any order; one that comes twice is noted and refused only when the rest of
//! the text is in order, as the service does.

use super::{Parser, climb};
use crate::ast::{Clause, Section, UpdateText};
use crate::error::ExprError;
use crate::lex::TokenKind;

const SECTIONS: [Section; 4] = [Section::Set, Section::Remove, Section::Add, Section::Delete];

pub(super) fn parse(parser: &mut Parser<'_>) -> Result<UpdateText, ExprError> {
    let mut update = UpdateText { clauses: Vec::new(), repeated_section: None };
    let mut seen = Vec::new();
    while parser.kind() != TokenKind::End {
        let section = section(parser).ok_or_else(|| parser.unexpected())?;
        parser.advance();
        if seen.contains(&section) {
            update.repeated_section.get_or_insert(section);
        }
        seen.push(section);
        update.clauses.push(clause(parser, section)?);
        while parser.takes(",") {
            update.clauses.push(clause(parser, section)?);
        }
    }
    Ok(update)
}

fn section(parser: &Parser<'_>) -> Option<Section> {
    SECTIONS.into_iter().find(|section| parser.is_keyword(section.keyword()))
}

fn clause(parser: &mut Parser<'_>, section: Section) -> Result<Clause, ExprError> {
    let path = parser.path()?;
    Ok(match section {
        Section::Set => {
            parser.expect("=")?;
            Clause::Set(path, climb::set_value(parser)?)
        }
        Section::Remove => Clause::Remove(path),
        Section::Add => Clause::Add(path, parser.value()?),
        Section::Delete => Clause::Delete(path, parser.value()?),
    })
}
