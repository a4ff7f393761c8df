//! What the service says about vector indexes, vectors and searches.
//!
//! A wording without a remark is one that a public record quotes from an answer of the service, with its own punctuation;
//! `assumed` stands above every other.

use stator_engine::index::VectorFault;
use stator_engine::vector::SearchError;
use stator_model::ValueType;
use stator_model::key::KeyAttribute;
use stator_model::limits::{SEARCH_RESULTS_MAX, VECTOR_DIMENSIONS_MAX, VECTOR_FILTERS_MAX, VECTOR_INDEXES_MAX};

use super::table::invalid;
use super::{item, read};
use crate::fault::Fault;

/// One vector index too many, for UpdateTable.
pub const TOO_MANY_ON_UPDATE: &str = "Subscriber limit exceeded: Number of vector secondary indexes exceeds per-table limit of 5";

/// A vector index of a provisioned table.
pub fn provisioned() -> Fault {
    invalid("Vector indexes are only supported for PAY_PER_REQUEST tables")
}

/// More vector indexes than a new table may have.
pub fn too_many() -> Fault {
    invalid(format!("VectorIndex count exceeds the per-table limit of {VECTOR_INDEXES_MAX}"))
}

/// More dimensions than a vector may have.
pub fn dimensions() -> Fault {
    invalid(format!("Number of dimensions must be between 1 and {VECTOR_DIMENSIONS_MAX} inclusive."))
}

/// Two indexes on one attribute, with different dimensions.
pub fn dimensions_differ(attribute: &str) -> Fault {
    invalid(format!(
        "Conflicting attribute definition for '{attribute}'. All VectorIndexes on the same vector attribute must use the same dimensions."
    ))
}

/// The attribute of the vectors is declared, as only key attributes and filters are.
pub fn attribute_declared(attribute: &str) -> Fault {
    invalid(format!(
        "Conflicting attribute definition for '{attribute}'. An attribute cannot be defined in AttributeDefinitions when used as a VectorAttribute."
    ))
}

/// The attribute of the vectors is a key attribute of the table.
pub fn in_key(attribute: &KeyAttribute, is_partition: bool, dimensions: usize) -> Fault {
    let (name, scalar, role) = (&attribute.name, attribute.scalar.name(), if is_partition { "HASH" } else { "RANGE" });
    invalid(format!(
        "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. Existing schema: \
         Schema:[SchemaElement: key{{{name}:{scalar}:{role}}}] New schema: VectorIndexSchema:[VectorAttribute: key{{{name}:L:{dimensions}}}]"
    ))
}

/// An attribute of the search schema has no type.
pub fn undeclared() -> Fault {
    invalid("One element in SearchSchema is not defined in attribute definitions")
}

/// assumed
pub fn several_partitions() -> Fault {
    invalid("SearchSchema can have at most one HASH element")
}

/// assumed
pub fn too_many_filters() -> Fault {
    invalid(format!("Number of INLINE_FILTER elements in SearchSchema exceeds the limit of {VECTOR_FILTERS_MAX}"))
}

/// assumed
pub fn repeated_element(attribute: &str) -> Fault {
    invalid(format!("Duplicate attribute name in SearchSchema: {attribute}"))
}

/// assumed
pub fn too_many_projected(limit: usize) -> Fault {
    invalid(format!(
        "The total number of projected non-key attributes, the vector attribute and INLINE_FILTER attributes exceeds the limit of {limit}"
    ))
}

/// assumed
pub fn no_change() -> Fault {
    invalid("One of VectorIndexUpdate must not be null")
}

/// An item that does not fit a vector index.
pub(super) fn unfit(index: &str, fault: &VectorFault) -> Fault {
    let reason = match fault {
        VectorFault::NotList { attribute } => {
            format!("Invalid type for parameter {attribute}, Expected: 32-bit floating point number list IndexName: {index}")
        }
        VectorFault::Dimensions { attribute, expected, actual } => {
            format!("Invalid size for parameter {attribute}, Expected: {expected}, Actual: {actual} IndexName: {index}")
        }
        VectorFault::Element { attribute, position, actual } => format!(
            "Invalid type for parameter {attribute}[{position}], Expected: 32-bit floating point number, Actual: {}. IndexName: {index}",
            actual.name()
        ),
        VectorFault::Range { attribute, position, value } => format!(
            "Invalid value for parameter {attribute}[{position}], Value: {value} is outside valid range [-3.4028235E38, 3.4028235E38]. IndexName: {index}"
        ),
        VectorFault::SearchAttribute { attribute, expected, actual } => {
            format!("Attribute '{attribute}' type mismatch. Expected: {}, Actual: {}. IndexName: {index}", expected.name(), actual.name())
        }
    };
    Fault::validation(format!("One or more parameter values were invalid. {reason}"))
}

/// TopK beyond what a search answers.
pub fn results(asked: i64) -> Fault {
    Fault::validation(format!(
        "Provided TopK value '{asked}' is out of valid range. The value must be between 1 and {SEARCH_RESULTS_MAX} inclusive"
    ))
}

/// A search vector with something else than numbers that an f32 can be.
pub fn search_vector() -> Fault {
    Fault::validation(
        "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number attribute",
    )
}

/// The index is being made.
pub fn backfilling(index: &str) -> Fault {
    Fault::validation(format!("Cannot search backfilling vector index: {index}"))
}

/// Why nothing was searched.
pub fn refuse_search(error: SearchError, index: &str) -> Fault {
    Fault::validation(match error {
        SearchError::NotVectors => return read::no_index(index),
        SearchError::Dimensions { expected, actual } => {
            format!("Input search vector dimension {actual} does not match vector index dimension {expected}")
        }
        SearchError::Stranger { attribute } => {
            format!("SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid attribute: {attribute}")
        }
        SearchError::NoPartition => "SearchConditionExpression must be provided when SearchSchema has a HASH key".to_owned(),
        SearchError::Type { attribute, expected, actual } => format!(
            "Type of '{attribute}' attribute in SearchConditionExpression ({}) does not match type in search schema ({})",
            actual.name(),
            expected.name()
        ),
        SearchError::Empty { attribute, value_type } => {
            let kind = if value_type == ValueType::B { "binary" } else { "string" };
            format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {attribute}"
            )
        }
        SearchError::Store(error) => return item::store(&error),
    })
}
