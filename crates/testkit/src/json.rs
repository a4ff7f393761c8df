//! JSON as a plain tree, read strictly and written plainly, so that answers are judged by code that the server does not share.
//!
//! What must stay true: nothing a server sends is accepted here that a strict client would refuse.

use std::fmt::Write;

/// A JSON value; numbers keep their text, objects the order of their members.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is spelled.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// `[…]`
    Array(Vec<Json>),
    /// `{…}`
    Object(Vec<(String, Json)>),
}

/// Where a text stops being JSON, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson(pub usize);

impl Json {
    /// A string.
    pub fn text(text: impl Into<String>) -> Json {
        Json::String(text.into())
    }

    /// An object with one member.
    pub fn single(name: &str, value: Json) -> Json {
        Json::Object(vec![(name.to_owned(), value)])
    }

    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(member, _)| member == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array; none for anything else.
    pub fn elements(&self) -> &[Json] {
        match self {
            Json::Array(elements) => elements,
            _ => &[],
        }
    }

    /// Reads a whole text.
    ///
    /// # Errors
    /// The place of the first byte that does not belong.
    pub fn parse(text: &[u8]) -> Result<Json, NotJson> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value()?;
        reader.space();
        if reader.at == text.len() { Ok(value) } else { Err(NotJson(reader.at)) }
    }

    /// The value as JSON text without any space.
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Json::Number(text) => out.push_str(text),
            Json::String(text) => write_string(out, text),
            Json::Array(elements) => {
                out.push('[');
                for (index, element) in elements.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    element.write(out);
                }
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { "," });
                    write_string(out, name);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Writes a JSON string with its quotes.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            control if control < ' ' => write!(out, "\\u{:04x}", u32::from(control)).expect("a string takes all"),
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            self.at += 1;
        }
    }

    fn take(&mut self, expected: &[u8]) -> Result<(), NotJson> {
        if self.text[self.at..].starts_with(expected) {
            self.at += expected.len();
            Ok(())
        } else {
            Err(NotJson(self.at))
        }
    }

    fn value(&mut self) -> Result<Json, NotJson> {
        self.space();
        match self.text.get(self.at) {
            Some(b'n') => self.take(b"null").map(|()| Json::Null),
            Some(b't') => self.take(b"true").map(|()| Json::Bool(true)),
            Some(b'f') => self.take(b"false").map(|()| Json::Bool(false)),
            Some(b'"') => self.string().map(Json::String),
            Some(b'[') => {
                let mut elements = Vec::new();
                self.sequence(b']', |reader| {
                    elements.push(reader.value()?);
                    Ok(())
                })?;
                Ok(Json::Array(elements))
            }
            Some(b'{') => {
                let mut members = Vec::new();
                self.sequence(b'}', |reader| {
                    reader.space();
                    let name = reader.string()?;
                    reader.space();
                    reader.take(b":")?;
                    members.push((name, reader.value()?));
                    Ok(())
                })?;
                Ok(Json::Object(members))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(NotJson(self.at)),
        }
    }

    fn sequence(&mut self, end: u8, mut element: impl FnMut(&mut Self) -> Result<(), NotJson>) -> Result<(), NotJson> {
        self.at += 1;
        self.space();
        if self.text.get(self.at) == Some(&end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            self.space();
            match self.text.get(self.at) {
                Some(b',') => self.at += 1,
                Some(byte) if *byte == end => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(NotJson(self.at)),
            }
        }
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.text[start..self.at]).map_err(|_| NotJson(start))?;
        text.parse::<f64>().map_err(|_| NotJson(start))?;
        Ok(Json::Number(text.to_owned()))
    }

    fn string(&mut self) -> Result<String, NotJson> {
        self.take(b"\"")?;
        let mut bytes = Vec::new();
        loop {
            let byte = *self.text.get(self.at).ok_or(NotJson(self.at))?;
            self.at += 1;
            match byte {
                b'"' => return String::from_utf8(bytes).map_err(|_| NotJson(self.at)),
                b'\\' => {
                    let mut buffer = [0; 4];
                    bytes.extend_from_slice(self.escape()?.encode_utf8(&mut buffer).as_bytes());
                }
                control if control < b' ' => return Err(NotJson(self.at - 1)),
                other => bytes.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotJson> {
        let byte = *self.text.get(self.at).ok_or(NotJson(self.at))?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    self.take(b"\\u")?;
                    0x10000 + ((first - 0xd800) << 10) + self.hex()?.checked_sub(0xdc00).ok_or(NotJson(self.at))?
                } else {
                    first
                };
                char::from_u32(code).ok_or(NotJson(self.at))?
            }
            _ => return Err(NotJson(self.at - 1)),
        })
    }

    fn hex(&mut self) -> Result<u32, NotJson> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(NotJson(self.at))?;
        let digits = std::str::from_utf8(digits).map_err(|_| NotJson(self.at))?;
        let code = u32::from_str_radix(digits, 16).map_err(|_| NotJson(self.at))?;
        self.at += 4;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, NotJson};

    #[test]
    fn what_is_written_reads_back() {
        for text in [r#"{"a":[1,-2.5e3,"x\n\"",true,null],"b":{}}"#, "[]", "\"\u{1F600}\""] {
            assert_eq!(Json::parse(text.as_bytes()).unwrap().render(), text);
        }
        assert_eq!(Json::parse(br#""\ud83d\ude00""#), Ok(Json::text("\u{1F600}")));
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_stops_being_so() {
        assert_eq!(Json::parse(b"{} x"), Err(NotJson(3)));
        assert_eq!(Json::parse(b"[1,]"), Err(NotJson(3)));
        assert_eq!(Json::parse(b""), Err(NotJson(0)));
    }
}
