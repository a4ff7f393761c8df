//! Items that are kept until all of them are known, in one buffer.
//!
//! What must stay true: the bytes are those of the encoder, so an item is read in place as a stored one is.

use stator_model::{Encoder, RawValue};

/// Encoded items, one after the other in one buffer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Items {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Items {
    /// What an encoder has written, and where each item of it ends.
    pub(crate) fn new(out: Encoder, ends: Vec<usize>) -> Items {
        Items { bytes: out.finish(), ends }
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = RawValue<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| RawValue::new(&self.bytes[start..*end]))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}
