//! Writes canonical values front to back, whatever order the wire brings them in.
//!
//! What must stay true: what `finish` returns is canonical. Maps whose names already ascend are written once; others are
//! rearranged when they end, and of entries with one name the last wins, as JSON objects are read by the service.

use super::{
    CONTAINER_HEADER_BYTES, RawValue, TAG_B, TAG_BS, TAG_FALSE, TAG_L, TAG_M, TAG_N, TAG_NS, TAG_NULL, TAG_S, TAG_SS, TAG_TRUE, ValueType,
    split_bytes,
};
use crate::number::Number;

/// Encodes one value after another into one buffer.
///
/// Containers are opened and closed in pairs; inside a map every value is preceded by [`Encoder::name`].
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    /// Where each entry of the open maps begins; a frame owns the tail from its `first_entry`.
    entries: Vec<usize>,
}

#[derive(Debug)]
struct Frame {
    header_at: usize,
    count: u32,
    /// Index into `entries`; `None` for a list.
    first_entry: Option<usize>,
}

impl Encoder {
    /// An empty encoder.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// An empty encoder with room for a value of so many bytes, and for a map of some names.
    pub fn with_capacity(bytes: usize) -> Encoder {
        Encoder { bytes: Vec::with_capacity(bytes), frames: Vec::with_capacity(4), entries: Vec::with_capacity(16) }
    }

    /// An encoder that writes into a buffer handed in, which is emptied first.
    pub fn reusing(mut buffer: Vec<u8>) -> Encoder {
        buffer.clear();
        Encoder { bytes: buffer, ..Encoder::default() }
    }

    /// Number of containers open now.
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// `NULL`
    pub fn null(&mut self) {
        self.begin_value(TAG_NULL);
    }

    /// `BOOL`
    pub fn bool(&mut self, value: bool) {
        self.begin_value(if value { TAG_TRUE } else { TAG_FALSE });
    }

    /// `S`
    pub fn string(&mut self, text: &str) {
        self.begin_value(TAG_S);
        put_bytes(&mut self.bytes, text.as_bytes());
    }

    /// `N`
    pub fn number(&mut self, number: &Number) {
        self.begin_value(TAG_N);
        let encoded = number.as_bytes();
        self.bytes.push(u8::try_from(encoded.len()).expect("an encoded number is short"));
        self.bytes.extend_from_slice(encoded);
    }

    /// `B`
    pub fn binary(&mut self, bytes: &[u8]) {
        self.begin_value(TAG_B);
        put_bytes(&mut self.bytes, bytes);
    }

    /// `SS`, `NS` (elements are encoded numbers) or `BS`. Sorts the elements in place; equal ones are written once.
    pub fn set<E: AsRef<[u8]> + Ord>(&mut self, kind: ValueType, elements: &mut [E]) {
        self.begin_value(match kind {
            ValueType::SS => TAG_SS,
            ValueType::NS => TAG_NS,
            ValueType::BS => TAG_BS,
            _ => unreachable!("only set types are sets"),
        });
        elements.sort_unstable_by(|left, right| left.as_ref().cmp(right.as_ref()));
        let header_at = self.begin_header();
        let mut count = 0;
        let mut previous: Option<&[u8]> = None;
        for element in elements.iter() {
            if previous != Some(element.as_ref()) {
                put_bytes(&mut self.bytes, element.as_ref());
                count += 1;
            }
            previous = Some(element.as_ref());
        }
        self.end_header(header_at, count);
    }

    /// Copies a value that is already encoded.
    pub fn raw(&mut self, value: RawValue<'_>) {
        self.count_value();
        self.bytes.extend_from_slice(value.bytes());
    }

    /// Opens an `L`.
    pub fn begin_list(&mut self) {
        self.begin_value(TAG_L);
        let header_at = self.begin_header();
        self.frames.push(Frame { header_at, count: 0, first_entry: None });
    }

    /// Opens an `M`.
    pub fn begin_map(&mut self) {
        self.begin_value(TAG_M);
        let header_at = self.begin_header();
        self.frames.push(Frame { header_at, count: 0, first_entry: Some(self.entries.len()) });
    }

    /// Names the next value of the innermost map.
    pub fn name(&mut self, name: &str) {
        self.name_bytes(name.as_bytes());
    }

    /// [`Encoder::name`] for a name taken from another encoded map.
    pub fn name_bytes(&mut self, name: &[u8]) {
        self.entries.push(self.bytes.len());
        put_bytes(&mut self.bytes, name);
    }

    /// Closes the innermost container.
    pub fn end(&mut self) {
        let frame = self.frames.pop().expect("every end has its begin");
        let count = match frame.first_entry {
            None => frame.count,
            Some(first_entry) => self.settle_map(frame.header_at + CONTAINER_HEADER_BYTES, first_entry),
        };
        self.end_header(frame.header_at, count);
    }

    /// The bytes of what was encoded.
    pub fn finish(self) -> Vec<u8> {
        assert!(self.frames.is_empty(), "every begin has its end");
        self.bytes
    }

    /// The bytes so far, for reading a value back while others follow.
    pub fn written(&self) -> &[u8] {
        &self.bytes
    }

    fn begin_value(&mut self, tag: u8) {
        self.count_value();
        self.bytes.push(tag);
    }

    fn count_value(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.count += 1;
        }
    }

    fn begin_header(&mut self) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; CONTAINER_HEADER_BYTES]);
        at
    }

    fn end_header(&mut self, at: usize, count: u32) {
        let len = u32::try_from(self.bytes.len() - at - CONTAINER_HEADER_BYTES).expect("request bodies are far below 4 GiB");
        self.bytes[at..at + 4].copy_from_slice(&len.to_le_bytes());
        self.bytes[at + 4..at + 8].copy_from_slice(&count.to_le_bytes());
    }

    /// Brings the entries of the map that ends now into order; answers how many are left.
    fn settle_map(&mut self, body_at: usize, first_entry: usize) -> u32 {
        let starts = &self.entries[first_entry..];
        let name_at = |at: usize| split_bytes(&self.bytes[at..]).0;
        let count = starts.len();
        if starts.is_sorted_by(|left, right| name_at(*left) < name_at(*right)) {
            self.entries.truncate(first_entry);
            return u32::try_from(count).expect("a body holds fewer entries");
        }
        let mut ranges: Vec<(usize, usize)> =
            starts.iter().enumerate().map(|(index, start)| (*start, starts.get(index + 1).copied().unwrap_or(self.bytes.len()))).collect();
        // Stable, so that the last of equal names stays last and is the one kept.
        ranges.sort_by(|left, right| name_at(left.0).cmp(name_at(right.0)));
        let mut body = Vec::with_capacity(self.bytes.len() - body_at);
        let mut kept = 0;
        for (index, (start, end)) in ranges.iter().enumerate() {
            let is_last_of_name = ranges.get(index + 1).is_none_or(|next| name_at(next.0) != name_at(*start));
            if is_last_of_name {
                body.extend_from_slice(&self.bytes[*start..*end]);
                kept += 1;
            }
        }
        self.bytes.truncate(body_at);
        self.bytes.extend_from_slice(&body);
        self.entries.truncate(first_entry);
        kept
    }
}

#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time is what is wanted")]
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoded::ValueRef;

    #[test]
    fn maps_are_ordered_by_name_and_the_last_of_equal_names_wins() {
        let mut encoder = Encoder::new();
        encoder.begin_map();
        for (name, text) in [("b", "1"), ("a", "2"), ("b", "3")] {
            encoder.name(name);
            encoder.string(text);
        }
        encoder.name("A");
        encoder.begin_list();
        encoder.null();
        encoder.begin_map();
        encoder.name("z");
        encoder.bool(true);
        encoder.name("y");
        encoder.number(&Number::from(7));
        encoder.end();
        encoder.end();
        encoder.end();
        let bytes = encoder.finish();
        let value = RawValue::new(&bytes);
        value.validate().unwrap();
        let ValueRef::M(map) = value.view() else { panic!("a map was encoded") };
        let names: Vec<&[u8]> = map.iter().map(|(name, _)| name).collect();
        assert_eq!(names, [b"A", b"a", b"b"]);
        let ValueRef::S(text) = map.get("b").unwrap().view() else { panic!("b is a string") };
        assert_eq!(text, b"3");
        assert!(map.get("c").is_none());
    }

    #[test]
    fn sets_are_sorted_and_distinct() {
        let mut encoder = Encoder::new();
        encoder.set(ValueType::SS, &mut ["b", "a", "b"]);
        let bytes = encoder.finish();
        let ValueRef::SS(set) = RawValue::new(&bytes).view() else { panic!("a set was encoded") };
        assert_eq!(set.iter().collect::<Vec<_>>(), [b"a", b"b"]);
    }

    #[test]
    fn long_strings_have_long_lengths() {
        let text = "x".repeat(70_000);
        let mut encoder = Encoder::new();
        encoder.string(&text);
        let bytes = encoder.finish();
        RawValue::new(&bytes).validate().unwrap();
        assert_eq!(RawValue::new(&bytes).size_bytes(), 70_000);
    }
}
