//! Plain definitions for tests of the engine: who asks, a key, a table, an index. What a test is about, it sets itself.
//!
//! What must stay true: nothing optional is on, so a definition grows by what its test names and by nothing else.

use std::collections::BTreeMap;

use stator_model::arn::Scope;
use stator_model::key::{KeyAttribute, KeySchema, ScalarType};
use stator_model::table::{BillingMode, IndexKind, IndexSpec, OnDemandLimits, Projection, TableSpec};

/// The account and region that tests work in.
pub fn scope() -> Scope {
    Scope { account: "000000000000".to_owned(), region: "us-east-1".to_owned() }
}

/// A key attribute.
pub fn attribute(name: &str, scalar: ScalarType) -> KeyAttribute {
    KeyAttribute { name: name.to_owned(), scalar }
}

/// A key of a partition attribute alone, or with a sort attribute.
pub fn key(partition: (&str, ScalarType), sort: Option<(&str, ScalarType)>) -> KeySchema {
    let of = |(name, scalar): (&str, ScalarType)| attribute(name, scalar);
    KeySchema { partition: vec![of(partition)], sort: sort.map(of).into_iter().collect() }
}

/// A table that is paid by request.
pub fn table(name: &str, key: KeySchema) -> TableSpec {
    TableSpec {
        name: name.to_owned(),
        key,
        indexes: Vec::new(),
        billing: BillingMode::PayPerRequest,
        throughput: None,
        on_demand: OnDemandLimits::default(),
        warm: None,
        class: None,
        deletion_protection: false,
        stream: None,
        tags: BTreeMap::new(),
    }
}

/// An index that projects everything.
pub fn index(name: &str, kind: IndexKind, key: KeySchema) -> IndexSpec {
    IndexSpec {
        name: name.to_owned(),
        kind,
        key,
        vector: None,
        projection: Projection::All,
        throughput: None,
        on_demand: OnDemandLimits::default(),
        warm: None,
    }
}
