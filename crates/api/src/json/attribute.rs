//! Attribute values from the wire into the encoded form, in one pass.
//!
//! Two kinds of errors are told apart, because the service reports them at different times. A value of the wrong JSON type
//! or broken base64 is a [`JsonFault`] and ends the reading at once. A value that is well-formed JSON but no attribute value
//! ([`ValueFault`]) is noted, the first one only, and reading goes on; it is reported after the request's constraints.
//! What must stay true: an [`Attributes`] without fault is a canonical item.

use std::borrow::Cow;

use stator_model::limits::{ATTRIBUTE_NAME_BYTES_MAX, DOCUMENT_DEPTH_MAX};
use stator_model::number::NumberError;
use stator_model::{Encoder, Item, Number, ValueType};

use super::reader::{JsonFault, Mismatch, Reader};

/// Why a well-formed value is no attribute value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueFault {
    /// No type at all.
    Empty,
    /// More than one type.
    SeveralTypes,
    /// A number that is none; the text as given.
    Number(NumberError, String),
    /// A set without elements.
    EmptySet(ValueType),
    /// A set with equal elements; all of them as given.
    DuplicateElements(ValueType, Vec<String>),
    /// `{"NULL": false}`
    NullFalse,
    /// Lists and maps nested too deeply.
    TooDeep,
    /// An attribute name above 65,535 bytes.
    NameTooLong,
}

/// Attributes as read: an item, a key, or the values of expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The attributes; meaningless if there is a fault.
    pub item: Item,
    /// The first fault, with the name of the top-level attribute that has it. Depth comes last: some values may be deep.
    pub fault: Option<(String, ValueFault)>,
}

/// One attribute value as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeValue {
    /// The encoded value; meaningless if there is a fault.
    pub encoded: Vec<u8>,
    /// The first fault.
    pub fault: Option<ValueFault>,
}

type Result<T> = std::result::Result<T, JsonFault>;

/// Room made for attributes before their size is known; the encoded form is about as long as the JSON, so no more than that
/// is left of the body.
const ROOM_BYTES_MAX: usize = 2048;

impl Attributes {
    /// Reads a map of attribute values.
    pub fn read(reader: &mut Reader<'_>) -> Result<Attributes> {
        let mut encoder = Encoder::with_capacity(reader.rest_bytes().min(ROOM_BYTES_MAX));
        let mut fault = None;
        encoder.begin_map();
        reader.object(|reader, name| {
            encoder.name(name);
            let mut value = ValueReader { fault: None };
            value.check_name(name);
            value.read(reader, &mut encoder, 0)?;
            match (&fault, value.fault) {
                (None, Some(found)) => fault = Some((name.to_owned(), found)),
                (Some((_, ValueFault::TooDeep)), Some(found)) if found != ValueFault::TooDeep => fault = Some((name.to_owned(), found)),
                _ => {}
            }
            Ok(())
        })?;
        encoder.end();
        Ok(Attributes { item: Item::from_encoded(encoder.finish()), fault })
    }
}

impl AttributeValue {
    /// Reads one attribute value.
    pub fn read(reader: &mut Reader<'_>) -> Result<AttributeValue> {
        let (mut encoder, mut value) = (Encoder::new(), ValueReader { fault: None });
        value.read(reader, &mut encoder, 0)?;
        Ok(AttributeValue { encoded: encoder.finish(), fault: value.fault })
    }
}

struct ValueReader {
    fault: Option<ValueFault>,
}

impl ValueReader {
    fn note(&mut self, fault: ValueFault) {
        if matches!(self.fault, None | Some(ValueFault::TooDeep)) {
            self.fault = Some(fault);
        }
    }

    fn check_name(&mut self, name: &str) {
        if name.len() > ATTRIBUTE_NAME_BYTES_MAX {
            self.note(ValueFault::NameTooLong);
        }
    }

    /// Reads `{"TYPE": …}` and encodes exactly one value, whatever was found.
    fn read(&mut self, reader: &mut Reader<'_>, encoder: &mut Encoder, depth: usize) -> Result<()> {
        let mut types = 0;
        reader.object(|reader, name| {
            let Some(kind) = ValueType::from_name(name) else { return Ok(()) };
            types += 1;
            if types == 1 {
                return self.typed(reader, encoder, kind, depth);
            }
            let mut aside = Encoder::new();
            self.typed(reader, &mut aside, kind, depth)
        })?;
        match types {
            0 => {
                encoder.null();
                self.note(ValueFault::Empty);
            }
            1 => {}
            // Wins over what is wrong with the values themselves, but for numbers that are none (documented by captures).
            _ if matches!(self.fault, Some(ValueFault::Number(..))) => {}
            _ => self.fault = Some(ValueFault::SeveralTypes),
        }
        Ok(())
    }

    fn typed(&mut self, reader: &mut Reader<'_>, encoder: &mut Encoder, kind: ValueType, depth: usize) -> Result<()> {
        match kind {
            ValueType::S => encoder.string(&reader.string()?),
            ValueType::N => encoder.number(&self.number(&reader.string()?)),
            ValueType::B => encoder.binary(&binary(&reader.string()?)?),
            ValueType::Bool => encoder.bool(reader.boolean()?),
            ValueType::Null => {
                if !reader.boolean()? {
                    self.note(ValueFault::NullFalse);
                }
                encoder.null();
            }
            ValueType::SS | ValueType::NS | ValueType::BS => self.set(reader, encoder, kind)?,
            ValueType::L | ValueType::M => {
                if depth + 1 >= DOCUMENT_DEPTH_MAX {
                    self.note(ValueFault::TooDeep);
                    encoder.null();
                    return reader.skip();
                }
                self.document(reader, encoder, kind, depth)?;
            }
        }
        Ok(())
    }

    fn document(&mut self, reader: &mut Reader<'_>, encoder: &mut Encoder, kind: ValueType, depth: usize) -> Result<()> {
        if kind == ValueType::L {
            encoder.begin_list();
            reader.array(|reader| self.read(reader, encoder, depth + 1))?;
        } else {
            encoder.begin_map();
            reader.object(|reader, name| {
                self.check_name(name);
                encoder.name(name);
                self.read(reader, encoder, depth + 1)
            })?;
        }
        encoder.end();
        Ok(())
    }

    fn set(&mut self, reader: &mut Reader<'_>, encoder: &mut Encoder, kind: ValueType) -> Result<()> {
        let given = reader.list(Reader::string)?;
        if given.is_empty() {
            self.note(ValueFault::EmptySet(kind));
        }
        let mut elements = Vec::with_capacity(given.len());
        for text in &given {
            elements.push(match kind {
                ValueType::SS => Cow::Borrowed(text.as_bytes()),
                ValueType::NS => Cow::Owned(self.number(text).as_bytes().to_vec()),
                _ => Cow::Owned(binary(text)?),
            });
        }
        encoder.set(kind, &mut elements);
        if elements.windows(2).any(|pair| pair[0] == pair[1]) {
            self.note(ValueFault::DuplicateElements(kind, given.iter().map(|text| text.clone().into_owned()).collect()));
        }
        Ok(())
    }

    fn number(&mut self, text: &str) -> Number {
        Number::parse(text).unwrap_or_else(|error| {
            self.note(ValueFault::Number(error, text.to_owned()));
            Number::ZERO
        })
    }
}

fn binary(text: &str) -> Result<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(text).map_err(|_| JsonFault::Mismatch(Mismatch::NotBase64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Writer;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let attributes = Attributes::read(&mut Reader::new(json.as_bytes()));
        let shown = match attributes {
            Ok(Attributes { item, fault: None }) => {
                stator_model::RawValue::new(item.as_bytes()).validate().unwrap();
                let mut writer = Writer::new();
                writer.attributes(item.map());
                String::from_utf8(writer.finish()).unwrap()
            }
            Ok(Attributes { fault: Some((name, fault)), .. }) => format!("{name}: {fault:?}"),
            Err(fault) => format!("{fault:?}"),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn values_are_printed_as_they_were_read() {
        for json in [
            "{}",
            r#"{"a":{"S":""},"b":{"N":"-1.5"},"c":{"B":"AP8="},"d":{"BOOL":true},"e":{"NULL":true}}"#,
            r#"{"a":{"SS":["a","b"]},"b":{"NS":["-1","2"]},"c":{"BS":["","AA=="]}}"#,
            r#"{"a":{"L":[{"M":{"x":{"L":[]}}},{"S":"\"\\\n\u0001é😀"}]}}"#,
        ] {
            check(json, json);
        }
        check(r#"{"b":{"N":"1E2"},"a":{"NS":["2","1.0"]},"b":{"N":"007"}}"#, r#"{"a":{"NS":["1","2"]},"b":{"N":"7"}}"#);
    }

    #[test]
    fn faults_are_told_apart() {
        check(r#"{"a":{}}"#, "a: Empty");
        check(r#"{"a":{"Z":1}}"#, "a: Empty");
        check(r#"{"a":{"S":"x","N":"1"}}"#, "a: SeveralTypes");
        check(r#"{"a":{"S":"x","N":null}}"#, r#"{"a":{"S":"x"}}"#);
        check(r#"{"a":{"N":"x"},"b":{}}"#, r#"a: Number(Invalid, "x")"#);
        check(r#"{"a":{"SS":[]}}"#, "a: EmptySet(SS)");
        check(r#"{"a":{"NS":["1","1.0"]}}"#, r#"a: DuplicateElements(NS, ["1", "1.0"])"#);
        check(r#"{"a":{"NULL":false}}"#, "a: NullFalse");
        check(r#"{"a":{"S":1}}"#, r#"Mismatch(Scalar("NUMBER_VALUE", "String"))"#);
        check(r#"{"a":{"B":"a"}}"#, "Mismatch(NotBase64)");
        check(r#"{"a":"x"}"#, "Mismatch(NotContainer)");
    }

    #[test]
    fn nesting_ends_at_the_documented_level() {
        let nested = |levels: usize| format!(r#"{{"a":{}{{"S":"x"}}{}}}"#, r#"{"L":["#.repeat(levels), "]}".repeat(levels));
        check(&nested(31), &nested(31));
        check(&nested(32), "a: TooDeep");
        check(&nested(90), "a: TooDeep");
    }
}
