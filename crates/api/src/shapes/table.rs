//! Definitions of tables and indexes as CreateTable and UpdateTable take them.
//!
//! What must stay true: what leaves here is a definition that the engine can hold: every key attribute has its type, keys
//! have the parts they may have, and names are distinct.

use std::borrow::Cow;

use stator_model::key::{KeyAttribute, KeySchema, ScalarType};
use stator_model::limits::{
    ATTRIBUTE_NAME_BYTES_MAX, GLOBAL_INDEXES_MAX, INDEX_KEY_ATTRIBUTES_MAX, KEY_ATTRIBUTE_NAME_BYTES_MAX, LOCAL_INDEXES_MAX,
    PROJECTED_NAMES_MAX, PROJECTED_NAMES_PER_TABLE_MAX, VECTOR_INDEXES_MAX,
};
use stator_model::table::{BillingMode, IndexKind, IndexSpec, OnDemandLimits, Projection, Throughput, VectorSpec, WarmThroughput};

use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::{JsonFault, Reader};
use crate::messages::table::{
    index_throughput_missing, index_throughput_on_demand, invalid, on_demand_out_of_range, on_demand_when_provisioned,
    partly_undefined_key, redefined, undefined_key,
};
use crate::messages::vector;

type Result<T> = std::result::Result<T, JsonFault>;
type Text<'a> = Option<Cow<'a, str>>;

/// AttributeDefinition, KeySchemaElement or SearchSchemaElement: a name and a word.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameAndWord<'a> {
    name: Text<'a>,
    word: Text<'a>,
}

/// ProvisionedThroughput, OnDemandThroughput or WarmThroughput: a number for reads and one for writes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadWrite {
    read: Option<i64>,
    write: Option<i64>,
}

/// A secondary index as given.
#[derive(Debug, Clone, Default)]
pub(crate) struct IndexInput<'a> {
    /// IndexName
    pub name: Text<'a>,
    key: Option<Vec<NameAndWord<'a>>>,
    projection: Option<ProjectionInput<'a>>,
    /// ProvisionedThroughput
    pub throughput: Option<ReadWrite>,
    /// OnDemandThroughput
    pub on_demand: Option<ReadWrite>,
    /// WarmThroughput
    pub warm: Option<ReadWrite>,
}

/// Projection as given.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProjectionInput<'a> {
    kind: Text<'a>,
    names: Option<Vec<Cow<'a, str>>>,
}

impl<'a> NameAndWord<'a> {
    /// Reads any of the three structures.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<NameAndWord<'a>> {
        let mut pair = NameAndWord::default();
        reader.object(|reader, member| {
            match member {
                "AttributeName" => pair.name = Some(reader.string()?),
                "AttributeType" | "KeyType" | "SearchSchemaElementType" => pair.word = Some(reader.string()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(pair)
    }

    /// The constraints of a SearchSchemaElement.
    pub(crate) fn constrain_search(&self, constraints: &mut Constraints, path: &str) {
        let (name, word) = (format!("{path}.AttributeName"), format!("{path}.SearchSchemaElementType"));
        constraints.required(&name, self.name.as_ref());
        constraints.length(&name, self.name.as_deref(), 0, ATTRIBUTE_NAME_BYTES_MAX);
        constraints.required(&word, self.word.as_ref());
        constraints.one_of(&word, self.word.as_deref(), &["HASH", "INLINE_FILTER"]);
    }

    /// The name as given.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The name alone.
    pub(crate) fn into_name(self) -> Text<'a> {
        self.name
    }

    /// Whether the word is HASH.
    pub(crate) fn is_partition(&self) -> bool {
        self.word.as_deref() == Some("HASH")
    }
}

impl ReadWrite {
    /// Reads any of the three structures.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<ReadWrite> {
        let mut pair = ReadWrite::default();
        reader.object(|reader, member| {
            match member {
                "ReadCapacityUnits" | "MaxReadRequestUnits" | "ReadUnitsPerSecond" => pair.read = Some(reader.integer("Long")?),
                "WriteCapacityUnits" | "MaxWriteRequestUnits" | "WriteUnitsPerSecond" => pair.write = Some(reader.integer("Long")?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(pair)
    }

    /// The constraints of ProvisionedThroughput.
    pub(crate) fn constrain(given: Option<&ReadWrite>, constraints: &mut Constraints, path: &str) {
        let Some(given) = given else { return };
        for (member, value) in [("WriteCapacityUnits", given.write), ("ReadCapacityUnits", given.read)] {
            let path = format!("{path}.{member}");
            constraints.required(&path, value.as_ref());
            constraints.range(&path, value, 1, i64::MAX);
        }
    }

    /// Refuses provisioned capacity beyond what any quota could be.
    pub(crate) fn check_bounds(self) -> std::result::Result<(), Fault> {
        const UNITS_MAX: i64 = 1_000_000_000_000;
        let members = [("ReadCapacityUnits", self.read), ("WriteCapacityUnits", self.write)];
        match members.into_iter().find_map(|(member, value)| value.filter(|value| *value > UNITS_MAX).map(|value| (member, value))) {
            Some((member, value)) => Err(crate::messages::table::out_of_bounds(member, value)),
            None => Ok(()),
        }
    }

    /// As provisioned capacity.
    pub(crate) fn throughput(self) -> Throughput {
        Throughput { read_units: units(self.read).unwrap_or(0), write_units: units(self.write).unwrap_or(0) }
    }

    /// Refuses on-demand bounds where they have no meaning. Only an update may take one away, by -1.
    pub(crate) fn check_on_demand(self, billing: BillingMode, is_update: bool) -> std::result::Result<(), Fault> {
        let members = [("MaxReadRequestUnits", self.read), ("MaxWriteRequestUnits", self.write)];
        let mut given = members.into_iter().filter_map(|(member, units)| units.map(|units| (member, units)));
        match given.clone().next() {
            Some((member, _)) if billing == BillingMode::Provisioned => return Err(on_demand_when_provisioned(member, is_update)),
            _ => {}
        }
        let is_out_of_range = |units: i64| units < 1 && !(is_update && units == -1);
        match given.find(|(_, units)| is_out_of_range(*units)) {
            Some((member, _)) => Err(on_demand_out_of_range(member)),
            None => Ok(()),
        }
    }

    /// Whether it says anything.
    pub(crate) fn is_empty(self) -> bool {
        self.read.is_none() && self.write.is_none()
    }

    /// As on-demand bounds; -1 takes a bound away.
    pub(crate) fn on_demand(self) -> OnDemandLimits {
        let bound = |value: Option<i64>| value.map(|value| u64::try_from(value).unwrap_or(u64::MAX));
        OnDemandLimits { read_units_max: bound(self.read), write_units_max: bound(self.write) }
    }

    /// As warm throughput; both numbers have to be given.
    pub(crate) fn warm(self) -> std::result::Result<WarmThroughput, Fault> {
        match (units(self.read), units(self.write)) {
            (Some(read_units), Some(write_units)) => Ok(WarmThroughput { read_units, write_units }),
            // assumed
            _ => Err(invalid("WarmThroughput must have ReadUnitsPerSecond and WriteUnitsPerSecond of at least 1")),
        }
    }
}

fn units(value: Option<i64>) -> Option<u64> {
    value.and_then(|value| u64::try_from(value).ok()).filter(|units| *units > 0)
}

impl<'a> IndexInput<'a> {
    /// Reads an index in any of its forms.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<IndexInput<'a>> {
        let mut index = IndexInput::default();
        reader.object(|reader, member| {
            match member {
                "IndexName" => index.name = Some(reader.string()?),
                "KeySchema" => index.key = Some(reader.list(NameAndWord::read)?),
                "Projection" => index.projection = Some(ProjectionInput::read(reader)?),
                "ProvisionedThroughput" => index.throughput = Some(ReadWrite::read(reader)?),
                "OnDemandThroughput" => index.on_demand = Some(ReadWrite::read(reader)?),
                "WarmThroughput" => index.warm = Some(ReadWrite::read(reader)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(index)
    }

    /// The constraint of the name alone.
    pub(crate) fn constrain_name(&self, constraints: &mut Constraints, path: &str) {
        constrain_name(constraints, path, self.name.as_deref());
    }

    /// The constraints of a new index.
    pub(crate) fn constrain(&self, constraints: &mut Constraints, path: &str, kind: IndexKind) {
        self.constrain_name(constraints, path);
        let key_path = format!("{path}.KeySchema");
        constraints.required(&key_path, self.key.as_ref());
        let max = if kind == IndexKind::Global { 2 * INDEX_KEY_ATTRIBUTES_MAX } else { 2 };
        constrain_key(constraints, &key_path, self.key.as_deref(), max);
        ProjectionInput::constrain(self.projection.as_ref(), constraints, &format!("{path}.Projection"));
        ReadWrite::constrain(self.throughput.as_ref(), constraints, &format!("{path}.ProvisionedThroughput"));
    }

    /// IndexName as given.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The definition of a new index of a table.
    pub(crate) fn spec(&self, kind: IndexKind, definitions: &Definitions, billing: BillingMode) -> std::result::Result<IndexSpec, Fault> {
        let key = self.key.as_deref().unwrap_or_default();
        let key = definitions.key(key, if kind == IndexKind::Global { INDEX_KEY_ATTRIBUTES_MAX } else { 1 })?;
        match (kind, billing, self.throughput.is_some()) {
            (IndexKind::Global, BillingMode::PayPerRequest, true) => return Err(index_throughput_on_demand(self.name())),
            (IndexKind::Global, BillingMode::Provisioned, false) => return Err(index_throughput_missing(self.name())),
            _ => {}
        }
        Ok(IndexSpec {
            name: self.name().to_owned(),
            kind,
            key,
            vector: None,
            projection: self.projection.as_ref().map_or(Err(invalid("Unknown ProjectionType: null")), ProjectionInput::projection)?,
            throughput: self.throughput.map(ReadWrite::throughput),
            on_demand: self.on_demand.map(ReadWrite::on_demand).unwrap_or_default(),
            warm: self.warm.map(ReadWrite::warm).transpose()?,
        })
    }
}

/// The constraints of an IndexName.
pub(crate) fn constrain_name(constraints: &mut Constraints, path: &str, name: Option<&str>) {
    let path = format!("{path}.IndexName");
    constraints.required(&path, name.as_ref());
    constraints.name_pattern(&path, name);
    constraints.length(&path, name, 3, 255);
}

impl<'a> ProjectionInput<'a> {
    /// The constraints of a Projection, which has to be there.
    pub(crate) fn constrain(given: Option<&ProjectionInput<'_>>, constraints: &mut Constraints, path: &str) {
        constraints.required(path, given);
        let Some(projection) = given else { return };
        constraints.one_of(format!("{path}.ProjectionType"), projection.kind.as_deref(), &["ALL", "INCLUDE", "KEYS_ONLY"]);
        if let Some(names) = &projection.names {
            let shown = format!("[{}]", names.join(", "));
            let path = format!("{path}.NonKeyAttributes");
            constraints.count(&path, &shown, names.len(), 1, PROJECTED_NAMES_MAX);
            constraints.lengths(&path, names, 1, KEY_ATTRIBUTE_NAME_BYTES_MAX);
        }
    }

    /// Reads a Projection.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<ProjectionInput<'a>> {
        let mut projection = ProjectionInput::default();
        reader.object(|reader, member| {
            match member {
                "ProjectionType" => projection.kind = Some(reader.string()?),
                "NonKeyAttributes" => projection.names = Some(reader.list(Reader::string)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(projection)
    }

    /// What it means.
    pub(crate) fn projection(&self) -> std::result::Result<Projection, Fault> {
        match (self.kind.as_deref(), &self.names) {
            (None, _) => Err(invalid("Unknown ProjectionType: null")),
            (Some("INCLUDE"), None) => Err(invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")),
            (Some("INCLUDE"), Some(names)) => {
                let mut names: Vec<String> = names.iter().map(|name| name.clone().into_owned()).collect();
                let given = names.len();
                names.sort();
                names.dedup();
                if names.len() < given {
                    // assumed
                    return Err(invalid("Duplicate attribute name in NonKeyAttributes"));
                }
                Ok(Projection::Include(names))
            }
            (Some(kind), Some(_)) => Err(invalid(format!("ProjectionType is {kind}, but NonKeyAttributes is specified"))),
            (Some("KEYS_ONLY"), None) => Ok(Projection::KeysOnly),
            (Some(_), None) => Ok(Projection::All),
        }
    }
}

/// The constraints of AttributeDefinitions.
pub(crate) fn constrain_definitions(constraints: &mut Constraints, definitions: Option<&[NameAndWord<'_>]>) {
    for (at, definition) in definitions.unwrap_or_default().iter().enumerate() {
        let path = |member: &str| format!("AttributeDefinitions.{}.member.{member}", at + 1);
        constraints.required(path("AttributeName"), definition.name.as_ref());
        constraints.length(path("AttributeName"), definition.name.as_deref(), 1, 255);
        constraints.required(path("AttributeType"), definition.word.as_ref());
        constraints.one_of(path("AttributeType"), definition.word.as_deref(), &["B", "N", "S"]);
    }
}

/// The constraints of a KeySchema.
pub(crate) fn constrain_key(constraints: &mut Constraints, path: &str, key: Option<&[NameAndWord<'_>]>, max: usize) {
    let Some(key) = key else { return };
    let element = |element: &NameAndWord<'_>| {
        let word = element.word.as_deref().unwrap_or("null");
        format!("KeySchemaElement(attributeName={}, keyType={word})", element.name())
    };
    let shown: Vec<String> = key.iter().map(element).collect();
    constraints.count(path, &format!("[{}]", shown.join(", ")), key.len(), 1, max);
    for (at, element) in key.iter().enumerate() {
        let path = |member: &str| format!("{path}.{}.member.{member}", at + 1);
        constraints.required(path("AttributeName"), element.name.as_ref());
        constraints.length(path("AttributeName"), element.name.as_deref(), 1, 255);
        constraints.required(path("KeyType"), element.word.as_ref());
        constraints.one_of(path("KeyType"), element.word.as_deref(), &["HASH", "RANGE"]);
    }
}

/// AttributeDefinitions with their types.
#[derive(Debug, Clone)]
pub(crate) struct Definitions(Vec<KeyAttribute>);

impl Definitions {
    /// Takes definitions that have passed their constraints.
    pub(crate) fn new(given: &[NameAndWord<'_>]) -> std::result::Result<Definitions, Fault> {
        let mut definitions: Vec<KeyAttribute> = Vec::with_capacity(given.len());
        for definition in given {
            if definitions.iter().any(|known| known.name == definition.name()) {
                return Err(Fault::validation(format!("Attribute Name is duplicated: {}", definition.name())));
            }
            let scalar = match definition.word.as_deref() {
                Some("N") => ScalarType::N,
                Some("B") => ScalarType::B,
                _ => ScalarType::S,
            };
            definitions.push(KeyAttribute { name: definition.name().to_owned(), scalar });
        }
        Ok(Definitions(definitions))
    }

    /// Refuses definitions that contradict those a table has already.
    pub(crate) fn check_agree<'k>(&self, mut known: impl Iterator<Item = &'k KeyAttribute>) -> std::result::Result<(), Fault> {
        let contradicts = |known: &KeyAttribute| self.find(&known.name).is_some_and(|given| given.scalar != known.scalar);
        if known.any(contradicts) { Err(redefined()) } else { Ok(()) }
    }

    /// A key of at most `max` partition and `max` sort attributes.
    pub(crate) fn key(&self, given: &[NameAndWord<'_>], max: usize) -> std::result::Result<KeySchema, Fault> {
        self.check_defined(given)?;
        let partition_len = given.iter().take_while(|element| element.is_partition()).count();
        let (partition, sort) = given.split_at(partition_len);
        if partition.is_empty() {
            return Err(Fault::validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type"));
        }
        if let Some((first, second)) = repeated(given) {
            let both =
                if first.is_partition() == second.is_partition() { "Two elements" } else { "Both the Hash Key and the Range Key element" };
            return Err(Fault::validation(format!("{both} in the KeySchema have the same name")));
        }
        if partition.len() > max || sort.iter().any(NameAndWord::is_partition) {
            return Err(Fault::validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"));
        }
        if sort.len() > max {
            return Err(Fault::validation(format!("Too many KeySchemaElement; expected at most {}", 2 * max)));
        }
        let attributes = |elements: &[NameAndWord<'_>]| elements.iter().filter_map(|element| self.find(element.name()).cloned()).collect();
        Ok(KeySchema { partition: attributes(partition), sort: attributes(sort) })
    }

    /// Refuses keys with attributes that have no definition.
    fn check_defined(&self, key: &[NameAndWord<'_>]) -> std::result::Result<(), Fault> {
        let names: Vec<&str> = key.iter().map(NameAndWord::name).collect();
        let defined: Vec<&str> = self.0.iter().map(|attribute| attribute.name.as_str()).collect();
        match names.iter().filter(|name| defined.contains(name)).count() {
            count if count == names.len() => Ok(()),
            0 => Err(undefined_key(&names, &defined)),
            _ => Err(partly_undefined_key()),
        }
    }

    /// The definition of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&KeyAttribute> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// Refuses definitions of attributes that hold vectors.
    pub(crate) fn check_vectors<'s>(&self, mut vectors: impl Iterator<Item = &'s VectorSpec>) -> std::result::Result<(), Fault> {
        match vectors.find(|vector| self.find(&vector.attribute).is_some()) {
            Some(vector) => Err(vector::attribute_declared(&vector.attribute)),
            None => Ok(()),
        }
    }

    /// Refuses definitions that neither the table's key nor any index uses; `None` where there is no index.
    pub(crate) fn check_used(&self, key: &KeySchema, indexed: Option<&[&KeyAttribute]>) -> std::result::Result<(), Fault> {
        let attributes = || key.attributes().chain(indexed.unwrap_or_default().iter().copied());
        if self.0.iter().all(|attribute| attributes().any(|used| used.name == attribute.name)) {
            return Ok(());
        }
        if indexed.is_none() {
            return Err(invalid(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            ));
        }
        let mut used: Vec<&str> = attributes().map(|attribute| attribute.name.as_str()).collect();
        used.sort_unstable();
        used.dedup();
        let defined: Vec<&str> = self.0.iter().map(|attribute| attribute.name.as_str()).collect();
        Err(invalid(format!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            defined.join(", "),
            used.join(", ")
        )))
    }
}

fn repeated<'e, 'a>(elements: &'e [NameAndWord<'a>]) -> Option<(&'e NameAndWord<'a>, &'e NameAndWord<'a>)> {
    elements.iter().enumerate().find_map(|(at, first)| {
        let second = elements[at + 1..].iter().find(|second| second.name() == first.name())?;
        Some((first, second))
    })
}

/// The rules that tie indexes to their table and to one another.
pub(crate) fn check_indexes(key: &KeySchema, indexes: &[IndexSpec]) -> std::result::Result<(), Fault> {
    for (at, index) in indexes.iter().enumerate() {
        if index.kind == IndexKind::Local {
            check_local(key, index)?;
        }
        if indexes[..at].iter().any(|other| other.name == index.name) {
            return Err(invalid(format!("Duplicate index name: {}", index.name)));
        }
    }
    let count = |kind| indexes.iter().filter(|index| index.kind == kind).count();
    if count(IndexKind::Local) > LOCAL_INDEXES_MAX {
        return Err(invalid(format!("Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX}")));
    }
    if count(IndexKind::Vector) > VECTOR_INDEXES_MAX {
        return Err(vector::too_many());
    }
    if count(IndexKind::Global) > GLOBAL_INDEXES_MAX {
        return Err(invalid(format!("GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}")));
    }
    let secondary = indexes.iter().filter(|index| index.kind != IndexKind::Vector);
    let names = secondary.map(|index| if let Projection::Include(names) = &index.projection { names.len() } else { 0 });
    if names.sum::<usize>() > PROJECTED_NAMES_PER_TABLE_MAX {
        return Err(invalid(format!(
            "The total number of attributes in NonKeyAttributes of all indexes exceeds the limit of {PROJECTED_NAMES_PER_TABLE_MAX}"
        )));
    }
    Ok(())
}

fn check_local(key: &KeySchema, index: &IndexSpec) -> std::result::Result<(), Fault> {
    if key.sort.is_empty() {
        return Err(invalid("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex"));
    }
    if index.key.sort.is_empty() {
        return Err(invalid(format!("Index KeySchema does not have a range key for index: {}", index.name)));
    }
    if index.key.partition != key.partition {
        return Err(invalid(format!(
            "Index KeySchema does not have the same leading hash key as table KeySchema for index: {}. index hash key: {}, table hash key: {}",
            index.name, index.key.partition[0].name, key.partition[0].name
        )));
    }
    Ok(())
}
