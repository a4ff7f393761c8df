//! Checks bytes that did not come from the encoder, so that corruption is reported instead of met.
//!
//! What must stay true: it accepts exactly the canonical encodings, in time linear in the bytes and with bounded depth.

use super::{CONTAINER_HEADER_BYTES, TAG_B, TAG_BS, TAG_FALSE, TAG_L, TAG_M, TAG_N, TAG_NS, TAG_NULL, TAG_S, TAG_SS, TAG_TRUE, read_u32};
use crate::limits::DOCUMENT_DEPTH_MAX;
use crate::number::Number;

/// The bytes are not one canonical value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// An item is itself a map around its values.
const DEPTH_MAX: usize = DOCUMENT_DEPTH_MAX + 1;

pub(super) fn validate(bytes: &[u8]) -> Result<(), Malformed> {
    let rest = value(bytes, 0)?;
    if rest.is_empty() { Ok(()) } else { Err(Malformed) }
}

fn value(bytes: &[u8], depth: usize) -> Result<&[u8], Malformed> {
    let (&tag, rest) = bytes.split_first().ok_or(Malformed)?;
    match tag {
        TAG_NULL | TAG_FALSE | TAG_TRUE => Ok(rest),
        TAG_S => {
            let (text, rest) = byte_string(rest)?;
            std::str::from_utf8(text).map_err(|_| Malformed)?;
            Ok(rest)
        }
        TAG_B => Ok(byte_string(rest)?.1),
        TAG_N => {
            let (&len, rest) = rest.split_first().ok_or(Malformed)?;
            let (number, rest) = rest.split_at_checked(usize::from(len)).ok_or(Malformed)?;
            Number::from_bytes(number).ok_or(Malformed)?;
            Ok(rest)
        }
        TAG_SS | TAG_NS | TAG_BS | TAG_L | TAG_M => container(tag, rest, depth),
        _ => Err(Malformed),
    }
}

fn container(tag: u8, bytes: &[u8], depth: usize) -> Result<&[u8], Malformed> {
    if bytes.len() < CONTAINER_HEADER_BYTES || depth > DEPTH_MAX {
        return Err(Malformed);
    }
    let (len, count) = (read_u32(bytes) as usize, read_u32(&bytes[4..]));
    let (mut body, rest) = bytes[CONTAINER_HEADER_BYTES..].split_at_checked(len).ok_or(Malformed)?;
    let mut previous: Option<&[u8]> = None;
    for _ in 0..count {
        if tag != TAG_L {
            let (element, tail) = byte_string(body)?;
            element_is_valid(tag, element)?;
            if previous.is_some_and(|previous| previous >= element) {
                return Err(Malformed);
            }
            previous = Some(element);
            body = tail;
        }
        if matches!(tag, TAG_L | TAG_M) {
            body = value(body, depth + 1)?;
        }
    }
    if body.is_empty() { Ok(rest) } else { Err(Malformed) }
}

fn element_is_valid(tag: u8, element: &[u8]) -> Result<(), Malformed> {
    let is_valid = match tag {
        TAG_NS => Number::from_bytes(element).is_some(),
        TAG_BS => true,
        _ => std::str::from_utf8(element).is_ok(),
    };
    if is_valid { Ok(()) } else { Err(Malformed) }
}

fn byte_string(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let (mut len, mut shift) = (0usize, 0u32);
    for (at, byte) in bytes.iter().take(5).enumerate() {
        len |= usize::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            let is_shortest = *byte != 0 || at == 0;
            return if is_shortest { bytes[at + 1..].split_at_checked(len).ok_or(Malformed) } else { Err(Malformed) };
        }
        shift += 7;
    }
    Err(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_damage() {
        for bytes in [
            &[][..],
            &[11],
            &[TAG_NULL, 0],
            &[TAG_S, 2, b'a'],
            &[TAG_S, 0x81, 0x00, b'a'],
            &[TAG_S, 1, 0xFF],
            &[TAG_N, 1, 0x81],
            &[TAG_SS, 4, 0, 0, 0, 2, 0, 0, 0, 1, b'b', 1, b'a'],
            &[TAG_L, 0, 0, 0, 0, 1, 0, 0, 0],
        ] {
            assert_eq!(validate(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn refuses_bottomless_nesting() {
        let mut bytes = vec![TAG_NULL];
        for _ in 0..64 {
            let mut outer = vec![TAG_L];
            outer.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_le_bytes());
            outer.extend_from_slice(&1u32.to_le_bytes());
            outer.extend_from_slice(&bytes);
            bytes = outer;
        }
        assert_eq!(validate(&bytes), Err(Malformed));
    }
}
