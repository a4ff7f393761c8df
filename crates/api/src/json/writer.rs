//! Prints JSON into one buffer, attribute values straight from their encoded bytes.
//!
//! What must stay true: the output is one line of valid JSON; members and elements are separated by whoever writes them
//! here, never by hand.

use stator_model::{MapRef, RawValue, ValueRef};

/// Appends JSON to a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Writer {
        Writer { out: Vec::with_capacity(256) }
    }

    /// A whole answer: one object.
    pub fn answer(members: impl FnOnce(&mut Writer)) -> Vec<u8> {
        Writer::answer_of(0, members)
    }

    /// A whole answer that prints so many encoded bytes of items, for which room is made at once.
    pub fn answer_of(encoded_bytes: usize, members: impl FnOnce(&mut Writer)) -> Vec<u8> {
        // Names of types, quotes and brackets come on top of the bytes; a third is more than most items need.
        let mut writer = Writer { out: Vec::with_capacity(256 + encoded_bytes + encoded_bytes / 3) };
        writer.object(members);
        writer.out
    }

    /// An object.
    pub fn object(&mut self, members: impl FnOnce(&mut Writer)) {
        self.begin(b'{');
        members(self);
        self.end(b'}');
    }

    /// An array; each element is written by one call.
    pub fn array<T>(&mut self, elements: impl IntoIterator<Item = T>, mut element: impl FnMut(&mut Writer, T)) {
        self.begin(b'[');
        for value in elements {
            self.separate();
            element(self, value);
        }
        self.end(b']');
    }

    /// The name of the next member; its value has to follow.
    pub fn name(&mut self, name: &str) -> &mut Writer {
        self.separate();
        self.quoted(name.as_bytes());
        self.out.push(b':');
        self
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        self.quoted(text.as_bytes());
    }

    /// A whole number.
    pub fn integer(&mut self, number: impl itoa::Integer) {
        self.out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, value: bool) {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// Halves as the service prints capacity: `1.0`, `0.5`.
    pub fn halves(&mut self, halves: u64) {
        self.integer(halves / 2);
        self.out.extend_from_slice(if halves.is_multiple_of(2) { b".0" } else { b".5" });
    }

    /// A finite double, in the shortest form that reads as the same.
    pub fn double(&mut self, number: f64) {
        self.out.extend_from_slice(format!("{number:?}").as_bytes());
    }

    /// A moment in ms since the epoch, as the service prints dates: seconds with milliseconds.
    pub fn date(&mut self, ms: u64) {
        self.integer(ms / 1000);
        self.out.extend_from_slice(format!(".{:03}", ms % 1000).as_bytes());
    }

    /// A member that is JSON already: name, colon and value.
    pub fn member(&mut self, json: &str) {
        self.separate();
        self.out.extend_from_slice(json.as_bytes());
    }

    /// Text that is JSON already.
    pub fn raw(&mut self, json: &[u8]) {
        self.out.extend_from_slice(json);
    }

    /// An attribute value with its type: `{"S":"x"}`.
    pub fn attribute(&mut self, value: RawValue<'_>) {
        self.opened(value.view());
    }

    fn opened(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.raw(br#"{"NULL":true}"#),
            ValueRef::Bool(value) => self.raw(if value { br#"{"BOOL":true}"# } else { br#"{"BOOL":false}"# }),
            ValueRef::S(text) => {
                self.raw(br#"{"S":""#);
                self.escaping(text);
                self.raw(br#""}"#);
            }
            ValueRef::N(number) => {
                self.raw(br#"{"N":""#);
                stator_model::number::write_canonical(number.0, &mut self.out);
                self.raw(br#""}"#);
            }
            ValueRef::B(bytes) => {
                self.raw(br#"{"B":""#);
                base64_simd::STANDARD.encode_append(bytes, &mut self.out);
                self.raw(br#""}"#);
            }
            ValueRef::SS(set) => self.typed(br#"{"SS":"#, |writer| writer.array(set.iter(), Writer::quoted)),
            ValueRef::NS(set) => self.typed(br#"{"NS":"#, |writer| writer.array(set.iter(), Writer::number)),
            ValueRef::BS(set) => self.typed(br#"{"BS":"#, |writer| writer.array(set.iter(), Writer::base64)),
            ValueRef::L(list) => self.typed(br#"{"L":"#, |writer| writer.array(list.views(), Writer::opened)),
            ValueRef::M(map) => self.typed(br#"{"M":"#, |writer| writer.attributes(map)),
        }
    }

    /// A value behind its type; `opening` is the brace, the type's name and the colon.
    fn typed(&mut self, opening: &[u8], value: impl FnOnce(&mut Writer)) {
        self.raw(opening);
        value(self);
        self.end(b'}');
    }

    /// An item, a key or a map of attributes.
    pub fn attributes(&mut self, attributes: MapRef<'_>) {
        self.begin(b'{');
        for (name, value) in attributes.views() {
            self.separate();
            self.quoted(name);
            self.out.push(b':');
            self.opened(value);
        }
        self.end(b'}');
    }

    /// Begins an object whose members are not written by one call; [`Writer::end_object`] has to follow.
    pub fn begin_object(&mut self) {
        self.begin(b'{');
    }

    /// Ends the object that was begun last.
    pub fn end_object(&mut self) {
        self.end(b'}');
    }

    /// Begins an array whose elements are not written by one call; [`Writer::end_array`] has to follow.
    pub fn begin_array(&mut self) {
        self.begin(b'[');
    }

    /// The next element of such an array; its value has to follow.
    pub fn element(&mut self) -> &mut Writer {
        self.separate();
        self
    }

    /// Ends the array that was begun last.
    pub fn end_array(&mut self) {
        self.end(b']');
    }

    /// The JSON so far.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    fn begin(&mut self, bracket: u8) {
        self.out.push(bracket);
    }

    fn end(&mut self, bracket: u8) {
        self.out.push(bracket);
    }

    /// A comma, unless nothing precedes on this level: a value never ends in an opening bracket.
    fn separate(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }

    fn number(&mut self, encoded: &[u8]) {
        self.out.push(b'"');
        stator_model::number::write_canonical(encoded, &mut self.out);
        self.out.push(b'"');
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        base64_simd::STANDARD.encode_append(bytes, &mut self.out);
        self.out.push(b'"');
    }

    fn quoted(&mut self, text: &[u8]) {
        self.out.push(b'"');
        self.escaping(text);
        self.out.push(b'"');
    }

    /// What stands between the quotes.
    fn escaping(&mut self, text: &[u8]) {
        let mut rest = text;
        loop {
            let (plain, from_escape) = rest.split_at(plain_len(rest));
            self.out.extend_from_slice(plain);
            let Some((byte, behind)) = from_escape.split_first() else { break };
            self.escaped(*byte);
            rest = behind;
        }
    }

    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
            b'\n' => self.out.extend_from_slice(b"\\n"),
            b'\r' => self.out.extend_from_slice(b"\\r"),
            b'\t' => self.out.extend_from_slice(b"\\t"),
            _ => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
}

/// How many bytes at the front can stand in a string as they are. Most text has nothing to escape: it is looked at by long
/// blocks first, then by short ones, then byte by byte.
fn plain_len(text: &[u8]) -> usize {
    let long = plain_blocks_len::<64>(text);
    let short = long + plain_blocks_len::<16>(&text[long..]);
    short + text[short..].iter().position(|byte| is_special(*byte)).unwrap_or(text.len() - short)
}

/// Bytes of the blocks at the front that have nothing to escape; without a branch in a block, this becomes vector code.
fn plain_blocks_len<const BLOCK_BYTES: usize>(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<BLOCK_BYTES>();
    let is_plain = |block: &&[u8; BLOCK_BYTES]| !block.iter().fold(false, |found, byte| found | is_special(*byte));
    blocks.iter().take_while(is_plain).count() * BLOCK_BYTES
}

#[expect(clippy::needless_bitwise_bool, reason = "without a branch the loops over it become vector code")]
fn is_special(byte: u8) -> bool {
    (byte < b' ') | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use super::Writer;
    use crate::json::Reader;

    #[test]
    fn escapes_are_made_wherever_they_fall_and_read_back() {
        for length in (1..=40).chain([64, 65, 80, 100, 144]) {
            for at in 0..length {
                for special in ["\"", "\\", "\n", "\r", "\t", "\0", "\u{1f}"] {
                    let text: String = ["x".repeat(at), special.to_owned(), "y".repeat(length - at - 1)].concat();
                    let body = Writer::answer(|writer| writer.name("text").string(&text));
                    assert!(body.iter().all(|byte| *byte >= b' '), "{text:?}");
                    let mut read = None;
                    let outcome = Reader::body(&body, |reader, _| {
                        read = Some(reader.string()?.into_owned());
                        Ok(())
                    });
                    assert_eq!((outcome, read.as_deref()), (Ok(()), Some(text.as_str())), "{body:?}");
                }
            }
        }
    }
}
