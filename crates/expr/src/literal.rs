//! A value of the request inside an expression, kept as the encoded bytes it arrived in.
//!
//! What must stay true: a literal never copies the value. All literals of a request share the one buffer that the wire
//! decoder wrote, so that an expression can outlive the request's parts without borrowing them.

use bytes::Bytes;
use stator_model::{Encoder, RawValue, Value, ValueType};

/// One encoded value, shared.
#[derive(Clone)]
pub struct Literal(Bytes);

impl Literal {
    /// Takes the encoded bytes of exactly one value.
    pub fn from_encoded(bytes: Vec<u8>) -> Literal {
        Literal(bytes.into())
    }

    /// Shares a value that lies within a larger encoding.
    pub(crate) fn within(bytes: &Bytes, value: RawValue<'_>) -> Literal {
        Literal(bytes.slice_ref(value.bytes()))
    }

    /// The value.
    pub fn raw(&self) -> RawValue<'_> {
        RawValue::new(&self.0)
    }

    /// Its type.
    pub fn value_type(&self) -> ValueType {
        self.raw().value_type()
    }
}

impl From<&Value> for Literal {
    fn from(value: &Value) -> Literal {
        let mut encoder = Encoder::new();
        value.encode(&mut encoder);
        Literal::from_encoded(encoder.finish())
    }
}

impl PartialEq for Literal {
    fn eq(&self, other: &Literal) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for Literal {}

impl std::fmt::Debug for Literal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", Value::from(self.raw()))
    }
}
