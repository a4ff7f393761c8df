//! Tokens of statements.
//!
//! What must stay true: keywords are words, whatever their case; what stands in double quotes is a name and never a keyword.

use super::StatementError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A letter, `_` or `$`, then these and digits.
    Word(String),
    /// In double quotes.
    Quoted(String),
    /// In single quotes.
    Text(String),
    /// Digits with a fraction and an exponent.
    Number(String),
    Symbol(&'static str),
    End,
}

/// Longer ones first.
const SYMBOLS: [&str; 27] = [
    "<<", ">>", "<=", ">=", "<>", "!=", "||", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", ":", "*", "?", "+", "-", ";", "/",
    "%", "@",
];

pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, StatementError> {
    let (mut tokens, mut rest) = (Vec::new(), behind_blanks(text)?);
    while let Some(first) = rest.chars().next() {
        let (token, len) = match first {
            '\'' => quoted(rest, '\'').map(|(text, len)| (Token::Text(text), len))?,
            '"' => quoted(rest, '"').map(|(text, len)| (Token::Quoted(text), len))?,
            '.' | '0'..='9' if number_len(rest) > 0 => {
                let len = number_len(rest);
                (Token::Number(rest[..len].to_owned()), len)
            }
            first if first.is_ascii_alphabetic() || matches!(first, '_' | '$') => {
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '$')).unwrap_or(rest.len());
                (Token::Word(rest[..len].to_owned()), len)
            }
            _ => {
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)).ok_or(StatementError::Character)?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        tokens.push(token);
        rest = behind_blanks(&rest[len..])?;
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// What follows spaces and comments.
fn behind_blanks(text: &str) -> Result<&str, StatementError> {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.find("*/").map(|end| &comment[end + 2..]).ok_or(StatementError::Character)?.trim_start();
        } else {
            return Ok(rest);
        }
    }
}

/// A doubled quote stands for itself.
fn quoted(text: &str, quote: char) -> Result<(String, usize), StatementError> {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            out.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            out.push(quote);
        } else {
            return Ok((out, at + 1));
        }
    }
    Err(StatementError::Character)
}

/// Zero if no number stands there.
fn number_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && (end > 0 || bytes.get(end + 1).is_some_and(u8::is_ascii_digit)) {
        end = digits(end + 1);
    }
    if end == 0 {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent_end = digits(end + 1 + sign);
        end = if exponent_end > end + 1 + sign { exponent_end } else { end };
    }
    end
}
