//! Searching vector indexes.
//!
//! ```text
//!   conditions ── partition? ──► range of rows ──► equal to all conditions? ──► score ──► the best k ──► Items
//!                                                  (stored bytes, read in place)
//! ```
//!
//! A search is exact: `scan` offers every entry of the index, or of one partition of it, to [`Best`]. That is the seam for
//! an approximate index: another way of choosing candidates takes the place of `scan` and offers fewer of them; scores,
//! conditions, order and answer stay as they are. What must stay true: an entry is offered at most once, and memory is
//! bounded by the entries kept, whatever the size of the index.

mod best;
mod distance;
mod scan;

use std::sync::Arc;

use stator_expr::{Literal, Projection};
use stator_kv::StoreError;
use stator_model::limits::SEARCH_ANSWER_BYTES_MAX;
use stator_model::table::VectorSpec;
use stator_model::{Encoder, Item, RawValue, ValueRef, ValueType};

pub use best::{Best, Candidate};
pub use distance::Query;

use crate::Engine;
use crate::catalog::{Index, Table};
use crate::index;
use crate::keyspace::vector_entry;
use crate::read::Items;

/// What is searched for.
#[derive(Debug, Clone)]
pub struct SearchRequest<'r> {
    /// The index.
    pub index: &'r Index,
    /// The vector to be near to.
    pub vector: &'r [f32],
    /// Attributes of the search schema, and what each has to equal.
    pub conditions: &'r [(String, Literal)],
    /// How many entries are answered at most.
    pub limit: usize,
    /// What of them is answered; `None` for everything but the vector.
    pub projection: Option<&'r Projection>,
}

/// The nearest entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// The entries, the nearest first.
    pub items: Items,
    /// The score of each.
    pub scores: Vec<f64>,
    /// What the search is charged, in bytes.
    pub bytes: u64,
}

/// Why nothing was searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchError {
    /// The index is none of vectors.
    NotVectors,
    /// The vector is shorter or longer than those of the index.
    Dimensions {
        /// Those of the index.
        expected: usize,
        /// Those given.
        actual: usize,
    },
    /// A condition is about an attribute that the search schema does not have.
    Stranger {
        /// The attribute.
        attribute: String,
    },
    /// The index is partitioned, and no condition names the partition.
    NoPartition,
    /// A condition's value is of another type than declared.
    Type {
        /// The attribute.
        attribute: String,
        /// The declared type.
        expected: ValueType,
        /// The type found.
        actual: ValueType,
    },
    /// The partition is named by an empty value.
    Empty {
        /// The attribute.
        attribute: String,
        /// Its type.
        value_type: ValueType,
    },
    /// The store failed.
    Store(StoreError),
}

impl Engine {
    /// Finds the entries of a vector index that are nearest to a vector.
    pub async fn search(&self, table: &Arc<Table>, request: &SearchRequest<'_>) -> Result<Search, SearchError> {
        let spec = request.index.vector.as_ref().ok_or(SearchError::NotVectors)?;
        check(request, spec)?;
        let query = Query::new(spec.distance, request.vector);
        let mut best = Best::new(request.limit);
        let examined_bytes = scan::offer_all(self, table, request, spec, &query, &mut best).await.map_err(SearchError::Store)?;
        Ok(answer(request, spec, best.into_nearest(), index::charged_bytes(examined_bytes)))
    }
}

fn check(request: &SearchRequest<'_>, spec: &VectorSpec) -> Result<(), SearchError> {
    if request.vector.len() != spec.dimensions {
        return Err(SearchError::Dimensions { expected: spec.dimensions, actual: request.vector.len() });
    }
    for (attribute, _) in request.conditions {
        if !request.index.attributes().any(|declared| declared.name == *attribute) {
            return Err(SearchError::Stranger { attribute: attribute.clone() });
        }
    }
    let partition = request.index.key.partition.first();
    if partition.is_some_and(|declared| request.conditions.iter().all(|(attribute, _)| *attribute != declared.name)) {
        return Err(SearchError::NoPartition);
    }
    for (attribute, literal) in request.conditions {
        let declared = request.index.attributes().find(|declared| declared.name == *attribute);
        let (expected, actual) = (declared.map(|declared| declared.scalar.value_type()), literal.value_type());
        if let Some(expected) = expected.filter(|expected| *expected != actual) {
            return Err(SearchError::Type { attribute: attribute.clone(), expected, actual });
        }
        let is_empty = matches!(literal.raw().view(), ValueRef::S([]) | ValueRef::B([]));
        if is_empty && partition.is_some_and(|declared| declared.name == *attribute) {
            return Err(SearchError::Empty { attribute: attribute.clone(), value_type: actual });
        }
    }
    Ok(())
}

/// Writes what was found. An answer that would be above 16 MB ends early (assumed).
fn answer(request: &SearchRequest<'_>, spec: &VectorSpec, nearest: Vec<Candidate>, bytes: u64) -> Search {
    let (mut out, mut ends, mut scores) = (Encoder::new(), Vec::new(), Vec::new());
    for candidate in nearest {
        let Some((vector, attributes)) = vector_entry::split(&candidate.row, spec.dimensions) else { continue };
        match request.projection {
            None => out.raw(RawValue::new(attributes)),
            Some(projection) if projection.top_level_names().any(|name| name == spec.attribute) => {
                projection.project(with_vector(spec, vector, attributes).map(), &mut out);
            }
            Some(projection) => projection.project(stator_model::item::map_of(attributes), &mut out),
        }
        if out.written().len() > SEARCH_ANSWER_BYTES_MAX {
            break;
        }
        ends.push(out.written().len());
        scores.push(candidate.score);
    }
    Search { items: Items::new(out, ends), scores, bytes }
}

/// The projected attributes together with the vector as the index has it.
fn with_vector(spec: &VectorSpec, vector: &[u8], attributes: &[u8]) -> Item {
    Item::build(|encoder| {
        for (name, value) in stator_model::item::map_of(attributes).iter() {
            encoder.name_bytes(name);
            encoder.raw(value);
        }
        encoder.name(&spec.attribute);
        index::write_list(vector, encoder);
    })
}
