//! A pull reader of JSON texts.
//!
//! What must stay true: exactly RFC 8259, in UTF-8, with one liberty that the service takes too: members of unknown name
//! are skipped (but must be JSON). The reader says what was found where something else was expected, as facts.

use std::borrow::Cow;

/// Arrays and objects inside one another, beyond which a body is refused. An item of 32 levels takes two per level.
const DEPTH_MAX: usize = 200;

/// The body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// Not JSON.
    Malformed,
    /// JSON, but not of the expected types.
    Mismatch(Mismatch),
}

/// What was found where something else belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// A scalar of another kind: what was found, and what was expected.
    Scalar(&'static str, &'static str),
    /// An object where a scalar or list belongs.
    Object,
    /// An array where a scalar or object belongs.
    Array(&'static str),
    /// A scalar where a list, map or structure belongs.
    NotContainer,
    /// A number with a fraction, or beyond the range.
    NotInteger,
    /// Text that is not base64.
    NotBase64,
}

type Result<T> = std::result::Result<T, JsonFault>;

fn mismatch<T>(mismatch: Mismatch) -> Result<T> {
    Err(JsonFault::Mismatch(mismatch))
}

/// Bytes of a text after which the thread lets others run: a fraction of a millisecond. No request of a usual size is as long.
const PAUSE_BYTES: usize = 64 << 10;

/// Reads one text front to back.
#[derive(Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    depth: usize,
    /// Where to pause next.
    pause_at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of a text.
    pub fn new(input: &'a [u8]) -> Reader<'a> {
        Reader { input, at: 0, depth: 0, pause_at: PAUSE_BYTES }
    }

    /// How many bytes are still to be read.
    pub fn rest_bytes(&self) -> usize {
        self.input.len() - self.at
    }

    /// Reads a whole body: one object and nothing behind it.
    pub fn body(input: &'a [u8], member: impl FnMut(&mut Reader<'a>, &str) -> Result<()>) -> Result<()> {
        let mut reader = Reader::new(input);
        if reader.peek()? != b'{' {
            return Err(JsonFault::Malformed);
        }
        reader.object(member)?;
        reader.skip_space();
        if reader.at == input.len() { Ok(()) } else { Err(JsonFault::Malformed) }
    }

    /// Reads an object: calls back with each name whose value is not null. What the callback does not read is skipped.
    pub fn object(&mut self, mut member: impl FnMut(&mut Reader<'a>, &str) -> Result<()>) -> Result<()> {
        match self.peek()? {
            b'{' => {}
            b'[' => return mismatch(Mismatch::Array("structure")),
            _ => {
                self.skip()?;
                return mismatch(Mismatch::NotContainer);
            }
        }
        self.enter()?;
        if self.peek()? == b'}' {
            self.leave();
            return Ok(());
        }
        loop {
            if self.peek()? != b'"' {
                return Err(JsonFault::Malformed);
            }
            let name = self.raw_string()?;
            self.expect(b':')?;
            if !self.null()? {
                let before = self.at;
                member(self, &name)?;
                if self.at == before {
                    self.skip()?;
                }
            }
            match self.peek()? {
                b',' => self.go_on(),
                b'}' => break,
                _ => return Err(JsonFault::Malformed),
            }
        }
        self.leave();
        Ok(())
    }

    /// Reads an array: calls back before each element, which the callback has to read.
    pub fn array(&mut self, mut element: impl FnMut(&mut Reader<'a>) -> Result<()>) -> Result<()> {
        match self.peek()? {
            b'[' => {}
            b'{' => return mismatch(Mismatch::Object),
            _ => {
                self.skip()?;
                return mismatch(Mismatch::NotContainer);
            }
        }
        self.enter()?;
        if self.peek()? == b']' {
            self.leave();
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek()? {
                b',' => self.go_on(),
                b']' => break,
                _ => return Err(JsonFault::Malformed),
            }
        }
        self.leave();
        Ok(())
    }

    /// Reads an array into a list.
    pub fn list<T>(&mut self, mut element: impl FnMut(&mut Reader<'a>) -> Result<T>) -> Result<Vec<T>> {
        let mut list = Vec::new();
        self.array(|reader| {
            list.push(element(reader)?);
            Ok(())
        })?;
        Ok(list)
    }

    /// Reads an object into a list of entries in their order; of equal names the last value counts, in the first place.
    pub fn map<T>(&mut self, mut value: impl FnMut(&mut Reader<'a>) -> Result<T>) -> Result<Vec<(String, T)>> {
        let mut entries: Vec<(String, T)> = Vec::new();
        self.object(|reader, name| {
            let value = value(reader)?;
            entries.push((name.to_owned(), value));
            Ok(())
        })?;
        Ok(entries)
    }

    /// Reads a string; borrowed unless it has escapes.
    pub fn string(&mut self) -> Result<Cow<'a, str>> {
        match self.peek()? {
            b'"' => self.raw_string(),
            _ => self.refuse_scalar("String"),
        }
    }

    /// Reads `true` or `false`.
    pub fn boolean(&mut self) -> Result<bool> {
        match self.peek()? {
            b't' => self.literal(b"true").map(|()| true),
            b'f' => self.literal(b"false").map(|()| false),
            _ => self.refuse_scalar("Boolean"),
        }
    }

    /// Reads a whole number.
    pub fn integer(&mut self, expected: &'static str) -> Result<i64> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => {
                let text = self.number_text()?;
                let text = std::str::from_utf8(text).map_err(|_| JsonFault::Malformed)?;
                text.parse().map_err(|_| JsonFault::Mismatch(Mismatch::NotInteger))
            }
            _ => self.refuse_scalar(expected),
        }
    }

    /// Reads a moment, in seconds since the epoch with any fraction; answers milliseconds.
    pub fn moment_ms(&mut self) -> Result<u64> {
        match self.peek()? {
            b'-' | b'0'..=b'9' => {
                let text = std::str::from_utf8(self.number_text()?).map_err(|_| JsonFault::Malformed)?;
                let seconds: f64 = text.parse().map_err(|_| JsonFault::Malformed)?;
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a cast saturates; moments before the epoch are the epoch"
                )]
                Ok((seconds * 1000.0).round() as u64)
            }
            _ => self.refuse_scalar("Date"),
        }
    }

    /// Reads over any value.
    pub fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            b'{' => self.object(|reader, _| reader.skip()),
            b'[' => self.array(Reader::skip),
            b'"' => self.raw_string().map(|_| ()),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number_text().map(|_| ()),
        }
    }

    /// Reads over any value, and answers its text.
    pub fn raw(&mut self) -> Result<&'a [u8]> {
        self.skip_space();
        let start = self.at;
        self.skip()?;
        Ok(&self.input[start..self.at])
    }

    /// The first byte of the next token.
    pub fn peek(&mut self) -> Result<u8> {
        self.skip_space();
        self.input.get(self.at).copied().ok_or(JsonFault::Malformed)
    }

    /// Reads `null` if it is next.
    pub fn null(&mut self) -> Result<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.literal(b"null").map(|()| true)
    }

    fn refuse_scalar<T>(&mut self, expected: &'static str) -> Result<T> {
        let found = match self.peek()? {
            b'{' => return mismatch(Mismatch::Object),
            b'[' => return mismatch(Mismatch::Array(expected)),
            b'"' => "STRING_VALUE",
            b't' => "TRUE_VALUE",
            b'f' => "FALSE_VALUE",
            b'n' => "NULL_VALUE",
            b'-' | b'0'..=b'9' => "NUMBER_VALUE",
            _ => return Err(JsonFault::Malformed),
        };
        self.skip()?;
        mismatch(Mismatch::Scalar(found, expected))
    }

    fn skip_space(&mut self) {
        while matches!(self.input.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.go_on();
        }
    }

    /// To the next byte; in a long text after a pause now and then.
    fn go_on(&mut self) {
        self.at += 1;
        if self.at >= self.pause_at {
            self.pause_at = self.at + PAUSE_BYTES;
            std::thread::yield_now();
        }
    }

    fn enter(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(JsonFault::Malformed) } else { Ok(()) }
    }

    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek()? != byte {
            return Err(JsonFault::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, text: &[u8]) -> Result<()> {
        if !self.input[self.at..].starts_with(text) {
            return Err(JsonFault::Malformed);
        }
        self.at += text.len();
        Ok(())
    }

    fn number_text(&mut self) -> Result<&'a [u8]> {
        let rest = &self.input[self.at..];
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(rest.first() == Some(&b'-'));
        let integer = digits(sign);
        if integer == 0 || (integer > 1 && rest[sign] == b'0') {
            return Err(JsonFault::Malformed);
        }
        let mut len = sign + integer;
        if rest.get(len) == Some(&b'.') {
            let fraction = digits(len + 1);
            if fraction == 0 {
                return Err(JsonFault::Malformed);
            }
            len += 1 + fraction;
        }
        if matches!(rest.get(len), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(rest.get(len + 1), Some(b'+' | b'-')));
            let exponent = digits((len + 1 + signed).min(rest.len()));
            if exponent == 0 {
                return Err(JsonFault::Malformed);
            }
            len += 1 + signed + exponent;
        }
        self.at += len;
        Ok(&rest[..len])
    }

    /// Reads a string that begins here.
    fn raw_string(&mut self) -> Result<Cow<'a, str>> {
        let rest = &self.input[self.at + 1..];
        let end = memchr::memchr2(b'"', b'\\', rest).ok_or(JsonFault::Malformed)?;
        if rest[end] == b'"' {
            self.at += end + 2;
            return plain_text(&rest[..end]).map(Cow::Borrowed);
        }
        let mut text = String::with_capacity(end + 32);
        let mut rest = rest;
        loop {
            let stop = memchr::memchr2(b'"', b'\\', rest).ok_or(JsonFault::Malformed)?;
            text.push_str(plain_text(&rest[..stop])?);
            if rest[stop] == b'"' {
                self.at = self.input.len() - rest.len() + stop + 1;
                return Ok(Cow::Owned(text));
            }
            rest = unescape(&rest[stop + 1..], &mut text)?;
        }
    }
}

fn plain_text(bytes: &[u8]) -> Result<&str> {
    if bytes.iter().any(|byte| *byte < b' ') {
        return Err(JsonFault::Malformed);
    }
    std::str::from_utf8(bytes).map_err(|_| JsonFault::Malformed)
}

/// Reads what follows a backslash; answers what is behind it.
fn unescape<'a>(bytes: &'a [u8], text: &mut String) -> Result<&'a [u8]> {
    let (&kind, rest) = bytes.split_first().ok_or(JsonFault::Malformed)?;
    text.push(match kind {
        b'"' | b'\\' | b'/' => char::from(kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unicode(rest, text),
        _ => return Err(JsonFault::Malformed),
    });
    Ok(rest)
}

fn unescape_unicode<'a>(bytes: &'a [u8], text: &mut String) -> Result<&'a [u8]> {
    let (unit, rest) = code_unit(bytes)?;
    if !(0xD800..0xE000).contains(&unit) {
        text.push(char::from_u32(unit).ok_or(JsonFault::Malformed)?);
        return Ok(rest);
    }
    let (low, rest) = code_unit(rest.strip_prefix(b"\\u").ok_or(JsonFault::Malformed)?)?;
    if unit >= 0xDC00 || !(0xDC00..0xE000).contains(&low) {
        return Err(JsonFault::Malformed);
    }
    let scalar = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    text.push(char::from_u32(scalar).ok_or(JsonFault::Malformed)?);
    Ok(rest)
}

fn code_unit(bytes: &[u8]) -> Result<(u32, &[u8])> {
    let (digits, rest) = bytes.split_first_chunk::<4>().ok_or(JsonFault::Malformed)?;
    digits
        .iter()
        .try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
        .map(|unit| (unit, rest))
        .ok_or(JsonFault::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn skipped(text: &str) -> bool {
        let mut reader = Reader::new(text.as_bytes());
        reader.skip().is_ok() && reader.at == text.len()
    }

    #[test]
    fn accepts_json_and_nothing_else() {
        for text in ["{}", "[1,-2.5e+3,0]", r#"{"a":[null,true,{"b":"\u00e9\ud83d\ude00\n"}]}"#, "\"\""] {
            assert!(skipped(text), "{text}");
        }
        for text in ["", "{", "[1,]", "01", "1.", "\"\n\"", r#""\ud800""#, r#""\x""#, "{a:1}", "tru", "nul", "'a'", "-"] {
            assert!(!skipped(text), "{text}");
        }
        assert!(!skipped(&"[".repeat(100_000)));
    }

    #[test]
    fn strings_are_unescaped() {
        let mut reader = Reader::new(r#""a\"\\\/\b\f\n\r\tA\ud83d\ude00z""#.as_bytes());
        assert_eq!(reader.string().unwrap(), "a\"\\/\u{8}\u{c}\n\r\tA😀z");
        assert!(matches!(Reader::new(b"\"plain\"").string(), Ok(Cow::Borrowed("plain"))));
    }

    #[test]
    fn says_what_was_found() {
        assert_eq!(Reader::new(b"1").string(), mismatch(Mismatch::Scalar("NUMBER_VALUE", "String")));
        assert_eq!(Reader::new(b"{}").string(), mismatch(Mismatch::Object));
        assert_eq!(Reader::new(b"\"x\"").integer("Integer"), mismatch(Mismatch::Scalar("STRING_VALUE", "Integer")));
        assert_eq!(Reader::new(b"1.5").integer("Integer"), mismatch(Mismatch::NotInteger));
    }

    #[test]
    fn a_body_is_one_object() {
        for body in ["", "[]", "null", "1", "{} {}", "{}x"] {
            assert_eq!(Reader::body(body.as_bytes(), |_, _| Ok(())), Err(JsonFault::Malformed), "{body}");
        }
        assert_eq!(Reader::body(br#" {"a":1,"b":null} "#, |reader, _| reader.skip()), Ok(()));
    }

    proptest! {
        #[test]
        fn never_panics(body: Vec<u8>) {
            let _ = Reader::new(&body).skip();
        }

        #[test]
        fn nearly_json_never_panics(body in r#"[\[\]{}",:\\u0-9a-fA-Ftrueslnl.eE+ -]{0,40}"#) {
            let _ = Reader::body(body.as_bytes(), |reader, _| reader.skip());
        }
    }
}
