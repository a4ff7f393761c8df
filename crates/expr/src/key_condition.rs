//! A condition on keys, and how it becomes a place in an index.
//!
//! What must stay true: a plan names exactly one partition and one contiguous run of sort keys: all partition attributes
//! by equality, then sort attributes from the left by equality, and at most one range on the attribute after those.

use stator_model::key::{KeyAttribute, KeySchema};
use stator_model::{ValueRef, ValueType};

use crate::condition::Comparator;
use crate::error::KeyConditionError;
use crate::literal::Literal;

/// Conditions on key attributes, at most one on each, not yet matched with a table's or an index's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCondition {
    pub(crate) terms: Vec<KeyTerm>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyTerm {
    pub(crate) attribute: String,
    pub(crate) test: KeyTest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyTest {
    Equal(Literal),
    Range(KeyRange),
}

/// The one place of an index that a query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlan {
    /// Values of all partition attributes, in the order of the schema.
    pub partition: Vec<Literal>,
    /// Values of the first sort attributes, in the order of the schema; may be empty.
    pub sort_equal: Vec<Literal>,
    /// A range of the sort attribute after those.
    pub sort_range: Option<KeyRange>,
}

/// A contiguous run of one sort attribute's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRange {
    /// `<`
    Less(Literal),
    /// `<=`
    LessOrEqual(Literal),
    /// `>`
    Greater(Literal),
    /// `>=`
    GreaterOrEqual(Literal),
    /// Both bounds included; the lower is not above the upper.
    Between(Literal, Literal),
    /// Strings or binaries that begin with this one.
    BeginsWith(Literal),
}

impl KeyTest {
    /// The test of a comparison; `None` for `<>`.
    pub(crate) fn compare(comparator: Comparator, value: Literal) -> Option<KeyTest> {
        Some(match comparator {
            Comparator::Equal => KeyTest::Equal(value),
            Comparator::NotEqual => return None,
            Comparator::Less => KeyTest::Range(KeyRange::Less(value)),
            Comparator::LessOrEqual => KeyTest::Range(KeyRange::LessOrEqual(value)),
            Comparator::Greater => KeyTest::Range(KeyRange::Greater(value)),
            Comparator::GreaterOrEqual => KeyTest::Range(KeyRange::GreaterOrEqual(value)),
        })
    }

    fn values(&self) -> impl Iterator<Item = &Literal> {
        let (first, second) = match self {
            KeyTest::Equal(value)
            | KeyTest::Range(
                KeyRange::Less(value)
                | KeyRange::LessOrEqual(value)
                | KeyRange::Greater(value)
                | KeyRange::GreaterOrEqual(value)
                | KeyRange::BeginsWith(value),
            ) => (value, None),
            KeyTest::Range(KeyRange::Between(lower, upper)) => (lower, Some(upper)),
        };
        std::iter::once(first).chain(second)
    }
}

impl KeyCondition {
    /// Names of the attributes that the condition is about, in the order of the text.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().map(|term| term.attribute.as_str())
    }

    /// Fits the condition to a key of one or more partition and any number of sort attributes.
    pub fn plan(&self, schema: &KeySchema) -> Result<KeyPlan, KeyConditionError> {
        let attributes = schema.partition.len() + schema.sort.len();
        // A simple key still admits two conditions; the second then misses its attribute (observed order of the service).
        if self.terms.is_empty() || self.terms.len() > attributes.max(2) {
            return Err(KeyConditionError::Count { given: self.terms.len(), attributes });
        }
        let mut partition = Vec::with_capacity(schema.partition.len());
        for attribute in &schema.partition {
            match self.test(attribute)? {
                KeyTest::Equal(value) => partition.push(value.clone()),
                KeyTest::Range(_) => return Err(KeyConditionError::NotSupported { attribute: attribute.name.clone() }),
            }
        }
        let (sort_equal, sort_range) = self.sort_plan(schema)?;
        Ok(KeyPlan { partition, sort_equal, sort_range })
    }

    fn sort_plan(&self, schema: &KeySchema) -> Result<(Vec<Literal>, Option<KeyRange>), KeyConditionError> {
        let wanted = self.terms.len() - schema.partition.len();
        let (mut equal, mut range) = (Vec::new(), None);
        if wanted > schema.sort.len() {
            let stranger = self.attributes().find(|name| !schema.contains(name)).unwrap_or_default();
            return Err(KeyConditionError::NotSupported { attribute: stranger.to_owned() });
        }
        // With as many conditions as places, a gap or a stranger shows as a missing attribute from the left.
        for (at, attribute) in schema.sort[..wanted].iter().enumerate() {
            match self.test(attribute)? {
                KeyTest::Equal(value) => equal.push(value.clone()),
                KeyTest::Range(_) if at + 1 < wanted => {
                    return Err(KeyConditionError::NotSupported { attribute: attribute.name.clone() });
                }
                KeyTest::Range(found) => range = Some(found.clone()),
            }
        }
        Ok((equal, range))
    }

    /// The attribute's test, its operands of the attribute's type and not empty.
    fn test(&self, attribute: &KeyAttribute) -> Result<&KeyTest, KeyConditionError> {
        let term = self.terms.iter().find(|term| term.attribute == attribute.name);
        let term = term.ok_or_else(|| KeyConditionError::Missing { attribute: attribute.name.clone() })?;
        for value in term.test.values() {
            if value.value_type() != attribute.scalar.value_type() {
                return Err(KeyConditionError::Type { attribute: attribute.name.clone() });
            }
            let is_empty = matches!(value.raw().view(), ValueRef::S([]) | ValueRef::B([]));
            if is_empty {
                return Err(KeyConditionError::EmptyValue { attribute: attribute.name.clone(), value_type: value.value_type() });
            }
        }
        let is_number_prefix =
            matches!(term.test, KeyTest::Range(KeyRange::BeginsWith(_))) && attribute.scalar.value_type() == ValueType::N;
        if is_number_prefix {
            return Err(KeyConditionError::NotSupported { attribute: attribute.name.clone() });
        }
        Ok(&term.test)
    }
}
