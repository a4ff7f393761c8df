//! The compact notation of scripts: JSON without needless quotes and commas, and with short forms of attribute values.
//!
//! ```text
//! {pk: 'a', n: 5n, list: l[true! null!], set: ss[x y], map: m{k: b'AAE='}, $spread}
//! ```
//!
//! | short | means | | short | means |
//! |---|---|---|---|---|
//! | `'a'`, `'a'*3` | `{"S": "a"}`, `{"S": "aaa"}` | | `true!` `false!` `null!` | `BOOL`, `NULL` |
//! | `5n` | `{"N": "5"}` | | `word`, `"text"` | a plain string |
//! | `b'AAE='` | `{"B": "AAE="}` | | `$name` | the value bound by `let`; in an object, its members |
//! | `ss[a]` `ns[1]` `bs["AA=="]` | sets | | `"a" + $i` | strings joined |
//! | `l[…]`, `m{…}` | list, map | | `f(…)` | one of the functions of `call` |
//!
//! What must stay true: what `print` writes, `parse` reads as the same tree.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::json::{Json, write_string};

/// What `let` has bound.
pub type Bindings = BTreeMap<String, Json>;

/// Why a text is not in the notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotationError {
    /// Byte offset in the text.
    pub at: usize,
    /// What was expected there.
    pub expected: String,
}

/// Reads a whole text as one value.
///
/// # Errors
/// Where the text leaves the notation.
pub fn parse(text: &str, bindings: &Bindings) -> Result<Json, NotationError> {
    let mut reader = Reader { text, at: 0, bindings: bindings.clone() };
    let value = reader.expression()?;
    reader.space();
    if reader.at == text.len() { Ok(value) } else { reader.fail("the end") }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    bindings: Bindings,
}

type Parsed = Result<Json, NotationError>;

impl Reader<'_> {
    fn fail<T>(&self, expected: &str) -> Result<T, NotationError> {
        Err(NotationError { at: self.at, expected: expected.to_owned() })
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', ',']).len();
    }

    fn accept(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn require(&mut self, token: &str) -> Result<(), NotationError> {
        self.space();
        if self.accept(token) { Ok(()) } else { self.fail(token) }
    }

    /// Operands joined by ` + `.
    fn expression(&mut self) -> Parsed {
        let mut value = self.operand()?;
        while self.rest().starts_with(" + ") {
            self.at += 3;
            let (Json::String(left), Json::String(right)) = (&value, self.operand()?) else { return self.fail("strings to join") };
            value = Json::String(format!("{left}{right}"));
        }
        Ok(value)
    }

    fn operand(&mut self) -> Parsed {
        self.space();
        match self.rest().chars().next() {
            Some('{') => self.object(),
            Some('[') => self.array().map(Json::Array),
            Some('"') => self.quoted('"').map(Json::String),
            Some('\'') => self.scalar("S"),
            Some('$') => {
                self.at += 1;
                let name = self.word().to_owned();
                match self.bindings.get(&name) {
                    Some(value) => Ok(value.clone()),
                    None => self.fail("a bound name"),
                }
            }
            Some('<') => {
                let end = self.rest().find('>').map_or(self.rest().len(), |end| end + 1);
                let placeholder = self.rest()[..end].to_owned();
                self.at += end;
                Ok(Json::String(placeholder))
            }
            _ => self.word_like(),
        }
    }

    fn word(&mut self) -> &str {
        let start = self.at;
        let sigil = usize::from(self.rest().starts_with([':', '#']));
        let length = self.rest()[sigil..].find(|c: char| !(c.is_alphanumeric() || "_.-/".contains(c)));
        self.at += length.map_or(self.rest().len(), |length| length + sigil);
        &self.text[start..self.at]
    }

    fn word_like(&mut self) -> Parsed {
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return self.number_like();
        }
        let start = self.at;
        let word = self.word().to_owned();
        if self.rest().starts_with('(') {
            return self.call(&word);
        }
        if matches!(word.as_str(), "true" | "false" | "null") {
            let value = if word == "null" { Json::Null } else { Json::Bool(word == "true") };
            if self.accept("!") {
                return Ok(match value {
                    Json::Null => Json::single("NULL", Json::Bool(true)),
                    value => Json::single("BOOL", value),
                });
            }
            return Ok(value);
        }
        match (word.as_str(), self.rest().chars().next()) {
            ("b", Some('\'')) => self.scalar("B"),
            ("ss" | "ns" | "bs", Some('[')) => {
                let elements =
                    self.array()?.into_iter().map(|element| if let Json::Number(text) = element { Json::String(text) } else { element });
                Ok(Json::single(&word.to_uppercase(), Json::Array(elements.collect())))
            }
            ("l", Some('[')) => Ok(Json::single("L", Json::Array(self.array()?))),
            ("m", Some('{')) => Ok(Json::single("M", self.object()?)),
            ("", _) => {
                self.at = start;
                self.fail("a value")
            }
            _ => Ok(Json::String(word)),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of the readers of values, which all have one shape")]
    fn number_like(&mut self) -> Parsed {
        let length = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c))).unwrap_or(self.rest().len());
        let text = self.rest()[..length].to_owned();
        self.at += length;
        Ok(match text.strip_suffix('n') {
            Some(number) => Json::single("N", Json::text(number)),
            None if text.parse::<f64>().is_ok() => Json::Number(text),
            None => Json::String(text),
        })
    }

    fn scalar(&mut self, kind: &str) -> Parsed {
        let mut text = self.quoted('\'')?;
        if self.accept("*") {
            let digits = self.word().parse().or_else(|_| self.fail("a count"))?;
            text = text.repeat(digits);
        }
        Ok(Json::single(kind, Json::String(text)))
    }

    fn quoted(&mut self, quote: char) -> Result<String, NotationError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(character) = self.rest().chars().next() else { return self.fail("a closing quote") };
            self.at += character.len_utf8();
            match character {
                '\\' => {
                    let Some(escaped) = self.rest().chars().next() else { return self.fail("an escape") };
                    self.at += escaped.len_utf8();
                    match escaped {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'u' => {
                            let code =
                                self.rest().get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
                            let Some(code) = code else { return self.fail("four hex digits") };
                            self.at += 4;
                            text.push(code);
                        }
                        other => text.push(other),
                    }
                }
                end if end == quote => return Ok(text),
                other => text.push(other),
            }
        }
    }

    fn array(&mut self) -> Result<Vec<Json>, NotationError> {
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.space();
            if self.accept("]") {
                return Ok(elements);
            }
            let is_series = self.rest().starts_with("each(");
            match self.expression()? {
                Json::Array(series) if is_series => elements.extend(series),
                element => elements.push(element),
            }
        }
    }

    fn object(&mut self) -> Parsed {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.space();
            if self.accept("}") {
                return Ok(Json::Object(members));
            }
            let name = match self.expression()? {
                Json::String(name) | Json::Number(name) => name,
                // The words that mean something as values are plain names here.
                Json::Bool(value) => value.to_string(),
                Json::Null => "null".to_owned(),
                members_of => {
                    spread(members_of, &mut members).or_else(|()| self.fail("a name, or members to spread"))?;
                    continue;
                }
            };
            self.require(":")?;
            members.push((name, self.expression()?));
        }
    }

    /// `rep(text, n)`, `pad(text, width)`, `n(text)`, `s(text)`, `nest(levels, value)` of lists, `maps(levels, value)`,
    /// `each(name, from, to, value)` and `join(separator, array)`.
    fn call(&mut self, name: &str) -> Parsed {
        self.at += 1;
        if name == "each" {
            return self.each();
        }
        let mut arguments = Vec::new();
        loop {
            self.space();
            if self.accept(")") {
                break;
            }
            arguments.push(self.expression()?);
        }
        apply(name, &arguments).map_or_else(|| self.fail(&format!("arguments of a function, not those of {name}")), Ok)
    }

    fn each(&mut self) -> Parsed {
        self.space();
        let variable = self.word().to_owned();
        let (Some(from), Some(to)) = (whole(&self.expression()?), whole(&self.expression()?)) else {
            return self.fail("two whole numbers");
        };
        let start = self.at;
        let shadowed = self.bindings.get(&variable).cloned();
        let mut elements = Vec::new();
        for value in from..=to {
            self.at = start;
            self.bindings.insert(variable.clone(), Json::text(value.to_string()));
            elements.push(self.expression()?);
        }
        self.bindings.remove(&variable);
        self.bindings.extend(shadowed.map(|value| (variable, value)));
        self.require(")")?;
        Ok(Json::Array(elements))
    }
}

fn spread(value: Json, members: &mut Vec<(String, Json)>) -> Result<(), ()> {
    match value {
        Json::Object(more) => members.extend(more),
        Json::Array(objects) => objects.into_iter().try_for_each(|object| spread(object, members))?,
        _ => return Err(()),
    }
    Ok(())
}

fn whole(value: &Json) -> Option<usize> {
    match value {
        Json::Number(text) | Json::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn apply(name: &str, arguments: &[Json]) -> Option<Json> {
    Some(match (name, arguments) {
        ("rep", [Json::String(text), count]) => Json::String(text.repeat(whole(count)?)),
        ("pad", [Json::String(text), width]) => Json::String(format!("{text:0>width$}", width = whole(width)?)),
        ("n", [Json::String(text)]) => Json::single("N", Json::text(text)),
        ("s", [Json::String(text)]) => Json::single("S", Json::text(text)),
        ("nest", [levels, value]) => (0..whole(levels)?).fold(value.clone(), |value, _| Json::single("L", Json::Array(vec![value]))),
        ("maps", [levels, value]) => (0..whole(levels)?).fold(value.clone(), |value, _| Json::single("M", Json::single("a", value))),
        ("join", [Json::String(separator), Json::Array(elements)]) => {
            let texts: Option<Vec<_>> = elements.iter().map(Json::as_str).collect();
            Json::String(texts?.join(separator))
        }
        _ => return None,
    })
}

/// Width beyond which a value is written over several lines.
const LINE_WIDTH_MAX: usize = 120;

/// Writes a value in the notation, long ones over several lines.
pub fn print(value: &Json) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Json, indent: usize) {
    let line = flat(value);
    let is_short = indent + line.len() <= LINE_WIDTH_MAX;
    let (open, body, close): (String, Vec<(String, &Json)>, char) = match value {
        _ if is_short => return out.push_str(&line),
        Json::Object(members) if let Some((kind, Json::Object(inner))) = typed(members).filter(|(kind, _)| *kind == "M") => {
            (kind.to_lowercase() + "{", inner.iter().map(|(name, value)| (name_of(name) + ": ", value)).collect(), '}')
        }
        Json::Object(members) if let Some((kind, Json::Array(inner))) = typed(members).filter(|(kind, _)| *kind == "L") => {
            (kind.to_lowercase() + "[", inner.iter().map(|value| (String::new(), value)).collect(), ']')
        }
        Json::Object(members) if typed(members).is_none() => {
            ("{".to_owned(), members.iter().map(|(name, value)| (name_of(name) + ": ", value)).collect(), '}')
        }
        Json::Array(elements) => ("[".to_owned(), elements.iter().map(|value| (String::new(), value)).collect(), ']'),
        _ => return out.push_str(&line),
    };
    out.push_str(&open);
    for (name, value) in body {
        write!(out, "\n{:width$}{name}", "", width = indent + 2).expect("a string takes all");
        write(out, value, indent + 2);
    }
    write!(out, "\n{:indent$}{close}", "").expect("a string takes all");
}

/// The type and content of something that looks like an attribute value.
fn typed(members: &[(String, Json)]) -> Option<(&str, &Json)> {
    let [(kind, content)] = members else { return None };
    let fits = match (kind.as_str(), content) {
        ("S" | "B", Json::String(_)) => true,
        ("N", Json::String(text)) => {
            text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        }
        ("SS" | "NS" | "BS", Json::Array(elements)) => elements.iter().all(|element| element.as_str().is_some()),
        ("L", Json::Array(_)) | ("M", Json::Object(_)) | ("BOOL", Json::Bool(_)) | ("NULL", Json::Bool(true)) => true,
        _ => false,
    };
    fits.then_some((kind, content))
}

fn flat(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(text) => text.clone(),
        Json::String(text) => name_of(text),
        Json::Array(elements) => format!("[{}]", elements.iter().map(flat).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            if let Some((kind, content)) = typed(members) {
                flat_typed(kind, content)
            } else {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{}: {}", name_of(name), flat(value))).collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }
}

fn flat_typed(kind: &str, content: &Json) -> String {
    match (kind, content) {
        ("S" | "B", Json::String(text)) => {
            let mut quoted = String::new();
            write_string(&mut quoted, text);
            let inner = quoted[1..quoted.len() - 1].replace("\\\"", "\"").replace('\'', "\\'");
            format!("{}'{inner}'", if kind == "B" { "b" } else { "" })
        }
        ("N", Json::String(text)) => format!("{text}n"),
        ("BOOL" | "NULL", Json::Bool(value)) => {
            if kind == "NULL" {
                "null!".to_owned()
            } else {
                format!("{value}!")
            }
        }
        (_, content) => kind.to_lowercase() + &flat(content),
    }
}

/// A string without quotes where it reads back as itself.
fn name_of(text: &str) -> String {
    let is_placeholder = text.starts_with('<') && text.ends_with('>') && !text[1..text.len() - 1].contains(['<', '>']);
    let body = text.strip_prefix([':', '#']).unwrap_or(text);
    let is_word = body.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && body.chars().all(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c))
        && !matches!(text, "true" | "false" | "null");
    if is_placeholder || is_word {
        return text.to_owned();
    }
    let mut quoted = String::new();
    write_string(&mut quoted, text);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, json: &str) {
        let bindings = Bindings::from([("k".to_owned(), Json::single("pk", Json::single("S", Json::text("a"))))]);
        let value = parse(text, &bindings).unwrap();
        assert_eq!(value.render(), json);
        assert_eq!(parse(&print(&value), &Bindings::new()).unwrap(), value, "{}", print(&value));
    }

    #[test]
    fn short_forms_mean_attribute_values() {
        check("{pk: 'a' n: -5.0e3n, z: 'x'*3}", r#"{"pk":{"S":"a"},"n":{"N":"-5.0e3"},"z":{"S":"xxx"}}"#);
        check(
            "[ss[a b] ns[1 2] bs[\"AA==\"] b'AAE=' l['a'] m{x: null!} true! false]",
            r#"[{"SS":["a","b"]},{"NS":["1","2"]},{"BS":["AA=="]},{"B":"AAE="},{"L":[{"S":"a"}]},{"M":{"x":{"NULL":true}}},{"BOOL":true},false]"#,
        );
        check("{:v: 5n #n: pk \"a b\": <uuid> true: 1}", r##"{":v":{"N":"5"},"#n":"pk","a b":"<uuid>","true":1}"##);
        check("{S: 5}", r#"{"S":5}"#);
        check("'it\\'s \"so\"\\n'", r#"{"S":"it's \"so\"\n"}"#);
    }

    #[test]
    fn bindings_spread_and_functions_compute() {
        check("{$k sk: n(\"7\")}", r#"{"pk":{"S":"a"},"sk":{"N":"7"}}"#);
        check("{a: $k}", r#"{"a":{"pk":{"S":"a"}}}"#);
        check("each(i, 9, 10, s(\"k\" + pad($i, 2)))", r#"[{"S":"k09"},{"S":"k10"}]"#);
        check("[0 each(i, 1, 2, $i)]", r#"[0,"1","2"]"#);
        check("{each(i, 1, 2, {x + $i: 1})}", r#"{"x1":1,"x2":1}"#);
        check("nest(2, 'a')", r#"{"L":[{"L":[{"S":"a"}]}]}"#);
        check("rep(ab, 2) + \"c\"", r#""ababc""#);
    }

    #[test]
    fn long_values_go_over_lines_and_read_back() {
        check(
            "{a: {x: 'y'*100 z: l['q'*90 m{r: 's'*90 t: 1n}]}}",
            &format!(
                r#"{{"a":{{"x":{{"S":"{}"}},"z":{{"L":[{{"S":"{}"}},{{"M":{{"r":{{"S":"{}"}},"t":{{"N":"1"}}}}}}]}}}}}}"#,
                "y".repeat(100),
                "q".repeat(90),
                "s".repeat(90)
            ),
        );
    }

    #[test]
    fn what_is_not_in_the_notation_is_refused() {
        for text in ["{a 1}", "'a", "[", "$nothing", "rep(1)", "1 2"] {
            assert!(parse(text, &Bindings::new()).is_err(), "{text}");
        }
    }
}
