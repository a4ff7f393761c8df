//! Which attributes make a key, and of what type.
//!
//! What must stay true: a table has one partition attribute and at most one sort attribute; a global secondary index has
//! one to four of each; a vector index has at most one partition attribute. Whether a definition is allowed is the engine's
//! decision; this module only holds it.

use crate::encoded::ValueType;

/// The types that a key attribute may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// String, ordered by UTF-8 bytes.
    S,
    /// Number, ordered by value.
    N,
    /// Binary, ordered by unsigned bytes.
    B,
}

impl ScalarType {
    /// The attribute type that values of this key attribute have.
    pub fn value_type(self) -> ValueType {
        match self {
            ScalarType::S => ValueType::S,
            ScalarType::N => ValueType::N,
            ScalarType::B => ValueType::B,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        self.value_type().name()
    }
}

/// One attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAttribute {
    /// Name of the top-level attribute.
    pub name: String,
    /// Its declared type.
    pub scalar: ScalarType,
}

/// The key of a table or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySchema {
    /// Partition attributes, in order; at least one, but for vector indexes.
    pub partition: Vec<KeyAttribute>,
    /// Sort attributes, in order; may be empty.
    pub sort: Vec<KeyAttribute>,
}

impl KeySchema {
    /// All attributes, partition first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.partition.iter().chain(&self.sort)
    }

    /// Whether an attribute is part of the key.
    pub fn contains(&self, name: &str) -> bool {
        self.attributes().any(|attribute| attribute.name == name)
    }
}
