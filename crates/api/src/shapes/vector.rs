//! Vector indexes as CreateTable and UpdateTable take them, and as descriptions show them.
//!
//! What must stay true: what leaves here is a definition that the engine can hold: every attribute of the search schema has
//! its type, and limits of one index are kept. Limits of a table are kept where the table is known.

use std::borrow::Cow;
use std::collections::BTreeSet;

use stator_engine::catalog::Index;
use stator_model::key::{KeyAttribute, KeySchema};
use stator_model::limits::{PROJECTED_NAMES_MAX, VECTOR_DIMENSIONS_MAX, VECTOR_FILTERS_MAX};
use stator_model::table::{Distance, IndexKind, IndexSpec, OnDemandLimits, Projection, VectorSpec};

use super::table::{Definitions, NameAndWord, ProjectionInput, constrain_name};
use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::{JsonFault, Reader, Writer};
use crate::messages::vector;

/// The words of DistanceFunction.
const DISTANCES: [(Distance, &str); 3] =
    [(Distance::Cosine, "COSINE"), (Distance::DotProduct, "DOT_PRODUCT"), (Distance::Euclidean, "EUCLIDEAN")];

/// A vector index as given.
#[derive(Debug, Clone, Default)]
pub(crate) struct VectorIndexInput<'a> {
    name: Option<Cow<'a, str>>,
    /// VectorAttribute, and AttributeName within it.
    attribute: Option<Option<Cow<'a, str>>>,
    schema: Option<Vec<NameAndWord<'a>>>,
    projection: Option<ProjectionInput<'a>>,
    dimensions: Option<i64>,
    distance: Option<Cow<'a, str>>,
}

impl<'a> VectorIndexInput<'a> {
    /// Reads VectorIndex, CreateVectorIndexAction or DeleteVectorIndexAction.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<VectorIndexInput<'a>, JsonFault> {
        let mut index = VectorIndexInput::default();
        reader.object(|reader, member| {
            match member {
                "IndexName" => index.name = Some(reader.string()?),
                "VectorAttribute" => index.attribute = Some(NameAndWord::read(reader)?.into_name()),
                "SearchSchema" => index.schema = Some(reader.list(NameAndWord::read)?),
                "Projection" => index.projection = Some(ProjectionInput::read(reader)?),
                "Dimensions" => index.dimensions = Some(reader.integer("Long")?),
                "DistanceFunction" => index.distance = Some(reader.string()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(index)
    }

    /// IndexName as given.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The constraint of the name alone.
    pub(crate) fn constrain_name(&self, constraints: &mut Constraints, path: &str) {
        constrain_name(constraints, path, self.name.as_deref());
    }

    /// The constraints of a new index.
    pub(crate) fn constrain(&self, constraints: &mut Constraints, path: &str) {
        self.constrain_name(constraints, path);
        constraints.required(format!("{path}.VectorAttribute"), self.attribute.as_ref());
        if let Some(name) = &self.attribute {
            let path = format!("{path}.VectorAttribute.AttributeName");
            constraints.required(&path, name.as_ref());
            constraints.length(&path, name.as_deref(), 1, 255);
        }
        if let Some(schema) = &self.schema {
            let path = format!("{path}.SearchSchema");
            constraints.count(&path, "[]", schema.len(), 1, usize::MAX);
            for (at, element) in schema.iter().enumerate() {
                element.constrain_search(constraints, &format!("{path}.{}.member", at + 1));
            }
        }
        ProjectionInput::constrain(self.projection.as_ref(), constraints, &format!("{path}.Projection"));
        let dimensions = format!("{path}.Dimensions");
        constraints.required(&dimensions, self.dimensions.as_ref());
        constraints.range(&dimensions, self.dimensions, 1, i64::MAX);
        let distance = format!("{path}.DistanceFunction");
        constraints.required(&distance, self.distance.as_ref());
        constraints.one_of(&distance, self.distance.as_deref(), &DISTANCES.map(|(_, word)| word));
    }

    /// The definition of a new index; `declared` are the attribute definitions of the same request.
    pub(crate) fn spec(&self, declared: &Definitions) -> Result<IndexSpec, Fault> {
        let (partition, filters) = self.schema(declared)?;
        let dimensions = self.dimensions.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
        if dimensions > VECTOR_DIMENSIONS_MAX {
            return Err(vector::dimensions());
        }
        let attribute = self.attribute.clone().flatten().unwrap_or_default().into_owned();
        let projection = self.projection.as_ref().map_or_else(|| ProjectionInput::default().projection(), ProjectionInput::projection)?;
        if let Projection::Include(names) = &projection {
            let filtered = filters.iter().map(|filter| filter.name.as_str());
            let projected: BTreeSet<&str> = names.iter().map(String::as_str).chain(filtered).chain([attribute.as_str()]).collect();
            if projected.len() > PROJECTED_NAMES_MAX {
                return Err(vector::too_many_projected(PROJECTED_NAMES_MAX));
            }
        }
        let distance = DISTANCES.iter().find(|(_, word)| Some(*word) == self.distance.as_deref());
        Ok(IndexSpec {
            name: self.name().to_owned(),
            kind: IndexKind::Vector,
            key: KeySchema { partition, sort: Vec::new() },
            vector: Some(VectorSpec {
                attribute,
                dimensions,
                distance: distance.map_or(Distance::Cosine, |(distance, _)| *distance),
                filters,
            }),
            projection,
            throughput: None,
            on_demand: OnDemandLimits::default(),
            warm: None,
        })
    }

    /// The search schema: the HASH element, and the INLINE_FILTER elements.
    fn schema(&self, declared: &Definitions) -> Result<(Vec<KeyAttribute>, Vec<KeyAttribute>), Fault> {
        let elements = self.schema.as_deref().unwrap_or_default();
        let (mut partition, mut filters): (Vec<KeyAttribute>, Vec<KeyAttribute>) = (Vec::new(), Vec::new());
        for element in elements {
            let attribute = declared.find(element.name()).ok_or_else(vector::undeclared)?;
            if partition.iter().chain(&filters).any(|known| known.name == attribute.name) {
                return Err(vector::repeated_element(&attribute.name));
            }
            if element.is_partition() { partition.push(attribute.clone()) } else { filters.push(attribute.clone()) }
        }
        match (partition.len(), filters.len()) {
            (2.., _) => Err(vector::several_partitions()),
            (_, filters) if filters > VECTOR_FILTERS_MAX => Err(vector::too_many_filters()),
            _ => Ok((partition, filters)),
        }
    }
}

/// Refuses vectors of different dimensions in one attribute.
pub(crate) fn check_dimensions<'s>(vectors: &(impl Iterator<Item = &'s VectorSpec> + Clone)) -> Result<(), Fault> {
    let clashes = |one: &VectorSpec| vectors.clone().any(|other| other.attribute == one.attribute && other.dimensions != one.dimensions);
    match vectors.clone().find(|one| clashes(one)) {
        Some(one) => Err(vector::dimensions_differ(&one.attribute)),
        None => Ok(()),
    }
}

/// Writes the members that only vector indexes have.
pub(crate) fn write_members(writer: &mut Writer, index: &Index, spec: &VectorSpec) {
    writer.name("VectorAttribute").object(|writer| writer.name("AttributeName").string(&spec.attribute));
    let partition = index.key.partition.iter().map(|attribute| (attribute, "HASH"));
    let elements: Vec<_> = partition.chain(spec.filters.iter().map(|attribute| (attribute, "INLINE_FILTER"))).collect();
    if !elements.is_empty() {
        writer.name("SearchSchema").array(elements, |writer, (attribute, role)| {
            writer.object(|writer| {
                writer.name("AttributeName").string(&attribute.name);
                writer.name("SearchSchemaElementType").string(role);
            });
        });
    }
    writer.name("Dimensions").integer(spec.dimensions);
    let word = DISTANCES.iter().find(|(distance, _)| *distance == spec.distance).map_or("", |(_, word)| word);
    writer.name("DistanceFunction").string(word);
}
