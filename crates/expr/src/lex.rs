//! One tokenizer for all expressions.
//!
//! What must stay true: it never fails and never allocates per token; a character that begins nothing is a token of its
//! own, so that the parser refuses it where it stands, with the service's words for its surroundings.

/// What a token is. Keywords are words: which of them mean something depends on the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A letter, then letters, digits and underscores.
    Word,
    /// Digits.
    Digits,
    /// `#name`
    NamePlaceholder,
    /// `:value`
    ValuePlaceholder,
    /// An operator or a punctuation mark, or a character without meaning.
    Symbol,
    /// Behind the last token.
    End,
}

/// A token and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Byte offset of its first character.
    pub start: usize,
    /// Byte offset behind its last character.
    pub end: usize,
}

/// Splits a text into tokens; the last one is the end.
pub fn tokenize(text: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(text.len() / 3 + 1);
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let start = at + (rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len());
        let token = next(text, start);
        tokens.push(token);
        if token.kind == TokenKind::End {
            return tokens;
        }
        at = token.end;
    }
}

fn next(text: &str, start: usize) -> Token {
    let bytes = &text.as_bytes()[start..];
    let run = |from: usize| from + bytes[from..].iter().take_while(|byte| is_name_byte(**byte)).count();
    let (kind, len) = match bytes {
        [] => (TokenKind::End, 0),
        [first, ..] if first.is_ascii_alphabetic() => (TokenKind::Word, run(0)),
        [first, ..] if first.is_ascii_digit() => (TokenKind::Digits, bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        [b'#', second, ..] if is_name_byte(*second) => (TokenKind::NamePlaceholder, run(1)),
        [b':', second, ..] if is_name_byte(*second) => (TokenKind::ValuePlaceholder, run(1)),
        [b'<', b'>' | b'=', ..] | [b'>', b'=', ..] => (TokenKind::Symbol, 2),
        _ => (TokenKind::Symbol, text[start..].chars().next().map_or(0, char::len_utf8)),
    };
    Token { kind, start, end: start + len }
}

/// Whether a byte may stand in a name, be it behind `#`, behind `:` or behind a letter.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let tokens = tokenize(text);
        let texts: Vec<&str> = tokens.iter().map(|token| &text[token.start..token.end]).collect();
        assert_eq!(texts[..texts.len() - 1], *expected);
    }

    #[test]
    fn splits_where_the_service_splits() {
        check("a.b[10] <> :v1", &["a", ".", "b", "[", "10", "]", "<>", ":v1"]);
        check("#0<=:0AND\tx>=y", &["#0", "<=", ":0AND", "x", ">=", "y"]);
        check("# : _a 1a é", &["#", ":", "_", "a", "1", "a", "é"]);
        check("", &[]);
    }
}
