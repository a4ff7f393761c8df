//! From text to tree.
//!
//! What must stay true: parsing takes time linear in the text, which is at most 4 KB, and no recursion, so that no text can
//! exhaust anything. Size comes first, then emptiness, then syntax, then the number of operators.

mod climb;
mod projection;
mod update;

use stator_model::limits::{DOCUMENT_DEPTH_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_OPERATORS_MAX};

use crate::ast::{ConditionText, Name, Path, ProjectionText, Step, UpdateText};
use crate::error::ExprError;
use crate::lex::{Token, TokenKind, tokenize};

/// The largest list position that the service takes (observed: 4294967295 is refused).
const INDEX_MAX: usize = u32::MAX as usize - 1;

/// Parses a condition, filter or key condition.
pub fn condition(text: &str) -> Result<ConditionText, ExprError> {
    let mut parser = Parser::open(text)?;
    let tree = climb::condition(&mut parser)?;
    refuse_operators_beyond_limit(tree.operators())?;
    Ok(ConditionText(tree))
}

/// Parses a projection.
pub fn projection(text: &str) -> Result<ProjectionText, ExprError> {
    projection::parse(&mut Parser::open(text)?)
}

/// Parses an update.
pub fn update(text: &str) -> Result<UpdateText, ExprError> {
    let update = update::parse(&mut Parser::open(text)?)?;
    refuse_operators_beyond_limit(update.operators())?;
    Ok(update)
}

fn refuse_operators_beyond_limit(count: usize) -> Result<(), ExprError> {
    if count > EXPRESSION_OPERATORS_MAX { Err(ExprError::TooManyOperators { count }) } else { Ok(()) }
}

/// A text, its tokens, and the one that is looked at.
struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
}

impl<'t> Parser<'t> {
    fn open(text: &'t str) -> Result<Parser<'t>, ExprError> {
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(ExprError::TooLong { bytes: text.len() });
        }
        let tokens = tokenize(text);
        if tokens.len() == 1 {
            return Err(ExprError::Empty);
        }
        Ok(Parser { text, tokens, at: 0 })
    }

    fn token(&self) -> Token {
        self.tokens[self.at]
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    fn text(&self) -> &'t str {
        self.text_at(self.at)
    }

    fn text_at(&self, at: usize) -> &'t str {
        self.tokens.get(at).map_or("", |token| &self.text[token.start..token.end])
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    /// Takes a symbol if it is next.
    fn takes(&mut self, symbol: &str) -> bool {
        let is_next = self.is_symbol(symbol);
        if is_next {
            self.advance();
        }
        is_next
    }

    fn is_symbol(&self, symbol: &str) -> bool {
        self.kind() == TokenKind::Symbol && self.text() == symbol
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        self.kind() == TokenKind::Word && self.text().eq_ignore_ascii_case(keyword)
    }

    fn expect(&mut self, symbol: &str) -> Result<(), ExprError> {
        if self.takes(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Whether a word is directly called.
    fn is_call(&self) -> bool {
        self.kind() == TokenKind::Word && self.text_at(self.at + 1) == "("
    }

    /// The error that the token looked at does not fit, with its neighbours.
    fn unexpected(&self) -> ExprError {
        let token = self.token();
        let from = self.tokens[self.at.saturating_sub(1)].start;
        let to = self.tokens[(self.at + 1).min(self.tokens.len() - 1)].end;
        let (name, to) = match token.kind {
            TokenKind::End => ("<EOF>", self.tokens[self.at.saturating_sub(1)].end),
            // The end of the text is no token that could be shown: trailing blanks are not either.
            _ if self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind == TokenKind::End => (self.text(), token.end),
            _ => (self.text(), to),
        };
        ExprError::Syntax { token: name.to_owned(), near: self.text[from..to].to_owned(), at: token.start }
    }

    fn path(&mut self) -> Result<Path, ExprError> {
        let root = self.name()?;
        let mut steps = Vec::new();
        loop {
            if self.takes(".") {
                steps.push(Step::Name(self.name()?));
            } else if self.takes("[") {
                steps.push(Step::Index(self.index()?));
                self.expect("]")?;
            } else {
                break;
            }
        }
        let levels = 1 + steps.len();
        if levels > DOCUMENT_DEPTH_MAX { Err(ExprError::PathTooDeep { levels }) } else { Ok(Path { root, steps }) }
    }

    fn name(&mut self) -> Result<Name, ExprError> {
        let name = match self.kind() {
            TokenKind::Word => Name::Plain(self.text().to_owned()),
            TokenKind::NamePlaceholder => Name::Placeholder(self.text().to_owned()),
            _ => return Err(self.unexpected()),
        };
        self.advance();
        Ok(name)
    }

    fn index(&mut self) -> Result<usize, ExprError> {
        if self.kind() != TokenKind::Digits {
            return Err(self.unexpected());
        }
        let digits = self.text();
        let index = digits.parse::<usize>().ok().filter(|index| *index <= INDEX_MAX);
        self.advance();
        index.ok_or_else(|| ExprError::IndexTooLarge { index: digits.to_owned() })
    }

    fn value(&mut self) -> Result<String, ExprError> {
        if self.kind() != TokenKind::ValuePlaceholder {
            return Err(self.unexpected());
        }
        let value = self.text().to_owned();
        self.advance();
        Ok(value)
    }
}
