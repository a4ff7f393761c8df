//! The stored form of a table's definition: an item, so that members can be added without breaking what is there.
//!
//! What must stay true: `decode` after `encode` is the identity; a member that an older version did not write has a
//! default here; a member of unknown name is an error only where leaving it out would change what the table means.

use std::collections::BTreeMap;
use std::sync::Arc;

use stator_model::arn::Scope;
use stator_model::key::KeySchema;
use stator_model::stream::StreamId;
use stator_model::table::{
    BillingMode, Distance, IndexId, IndexKind, IndexStatus, OnDemandLimits, Projection, TableClass, TableId, Throughput, VectorSpec,
    WarmThroughput,
};
use stator_model::{Item, MapRef, Value};

use super::members::{Members, decode_key, encode_key, flag, item_of, members_of, number, put_number, put_text, text};
use super::stream::Stream;
use super::table::{Index, Table, ThroughputHistory};
use crate::ttl::Ttl;

/// The stored definition cannot be read; names the member at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefinitionUnreadable(pub &'static str);

/// The stored form of a table.
pub fn encode(table: &Table) -> Item {
    let mut members = Members::new();
    put_text(&mut members, "account", &table.scope.account);
    put_text(&mut members, "region", &table.scope.region);
    put_text(&mut members, "name", &table.name);
    put_text(&mut members, "uuid", &table.uuid);
    put_number(&mut members, "created_at_ms", Some(table.created_at_ms));
    members.insert("key".into(), encode_key(&table.key));
    members.insert("indexes".into(), Value::L(table.indexes.iter().map(encode_index).collect()));
    put_number(&mut members, "next_index_id", Some(u64::from(table.next_index_id)));
    members.insert("on_demand_billing".into(), Value::Bool(table.billing == BillingMode::PayPerRequest));
    members.insert("billing_named".into(), Value::Bool(table.billing_named));
    put_number(&mut members, "on_demand_since_ms", table.on_demand_since_ms);
    put_capacity(&mut members, table.throughput, table.history, table.on_demand, table.warm);
    if let Some((class, changed_at_ms)) = table.class {
        members.insert("infrequent_access".into(), Value::Bool(class == TableClass::StandardInfrequentAccess));
        put_number(&mut members, "class_changed_at_ms", changed_at_ms);
    }
    members.insert("deletion_protection".into(), Value::Bool(table.deletion_protection));
    put_number(&mut members, "creating_until_ms", Some(table.creating_until_ms));
    put_number(&mut members, "updating_until_ms", Some(table.updating_until_ms));
    put_number(&mut members, "deleting_until_ms", table.deleting_until_ms);
    put_number(&mut members, "stream_id", table.stream.as_ref().map(|stream| stream.id.0));
    if let Some(ttl) = &table.ttl {
        put_text(&mut members, "ttl_attribute", &ttl.attribute);
        members.insert("ttl_enabling".into(), Value::Bool(ttl.is_enabling));
    }
    put_number(&mut members, "ttl_epochs", Some(u64::from(table.ttl_epochs)));
    members.insert("counts_collections".into(), Value::Bool(table.counts_collections));
    let tags = table.tags.iter().map(|(key, value)| (key.clone(), Value::S(value.clone())));
    members.insert("tags".into(), Value::M(tags.collect()));
    item_of(&members)
}

/// The table of a stored form. A stream that is gone is no stream.
pub fn decode(id: TableId, stored: MapRef<'_>, stream: &dyn Fn(StreamId) -> Option<Arc<Stream>>) -> Result<Table, DefinitionUnreadable> {
    let members = members_of(stored);
    let key = decode_key(&members, "key")?;
    let indexes = match members.get("indexes") {
        Some(Value::L(indexes)) => indexes.iter().map(|index| decode_index(index, &key)).collect::<Result<_, _>>()?,
        _ => return Err(DefinitionUnreadable("indexes")),
    };
    let is_on_demand = flag(&members, "on_demand_billing");
    let class = members.get("infrequent_access").map(|value| {
        let class = if *value == Value::Bool(true) { TableClass::StandardInfrequentAccess } else { TableClass::Standard };
        (class, number(&members, "class_changed_at_ms"))
    });
    let ttl_epochs = number(&members, "ttl_epochs").and_then(|epochs| u32::try_from(epochs).ok()).unwrap_or(0);
    Ok(Table {
        id,
        scope: Scope { account: text(&members, "account")?, region: text(&members, "region")? },
        name: text(&members, "name")?,
        uuid: text(&members, "uuid")?,
        created_at_ms: number(&members, "created_at_ms").ok_or(DefinitionUnreadable("created_at_ms"))?,
        key,
        indexes,
        next_index_id: number(&members, "next_index_id")
            .and_then(|id| u32::try_from(id).ok())
            .ok_or(DefinitionUnreadable("next_index_id"))?,
        billing: if is_on_demand { BillingMode::PayPerRequest } else { BillingMode::Provisioned },
        billing_named: flag(&members, "billing_named"),
        on_demand_since_ms: number(&members, "on_demand_since_ms"),
        throughput: throughput(&members),
        history: history(&members),
        on_demand: on_demand(&members),
        warm: warm(&members),
        class,
        deletion_protection: flag(&members, "deletion_protection"),
        creating_until_ms: number(&members, "creating_until_ms").unwrap_or(0),
        updating_until_ms: number(&members, "updating_until_ms").unwrap_or(0),
        deleting_until_ms: number(&members, "deleting_until_ms"),
        stream: number(&members, "stream_id").and_then(|id| stream(StreamId(id))),
        ttl: text(&members, "ttl_attribute").ok().map(|attribute| Ttl {
            attribute,
            epoch: ttl_epochs,
            is_enabling: flag(&members, "ttl_enabling"),
        }),
        ttl_epochs,
        counts_collections: flag(&members, "counts_collections"),
        tags: decode_tags(&members),
    })
}

fn decode_tags(members: &Members) -> BTreeMap<String, String> {
    let Some(Value::M(tags)) = members.get("tags") else { return BTreeMap::new() };
    let text = |value: &Value| if let Value::S(text) = value { Some(text.clone()) } else { None };
    tags.iter().filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect()
}

fn encode_index(index: &Index) -> Value {
    let mut members = Members::new();
    put_number(&mut members, "id", Some(u64::from(index.id.0)));
    put_text(&mut members, "name", &index.name);
    members.insert("local".into(), Value::Bool(index.kind == IndexKind::Local));
    members.insert("key".into(), encode_key(&index.key));
    if let Some(vector) = &index.vector {
        members.insert("vector".into(), encode_vector(vector));
    }
    let projection = match &index.projection {
        Projection::All => Value::S("ALL".into()),
        Projection::KeysOnly => Value::S("KEYS_ONLY".into()),
        Projection::Include(names) => Value::L(names.iter().cloned().map(Value::S).collect()),
    };
    members.insert("projection".into(), projection);
    let status = match index.status {
        IndexStatus::Creating { backfilling: true } => "BACKFILLING",
        IndexStatus::Creating { backfilling: false } => "CREATING",
        IndexStatus::Active => "ACTIVE",
        IndexStatus::Updating => "UPDATING",
        IndexStatus::Deleting => "DELETING",
    };
    put_text(&mut members, "status", status);
    put_capacity(&mut members, index.throughput, index.history, index.on_demand, index.warm);
    put_number(&mut members, "skipped_items", Some(index.skipped_items));
    Value::M(members)
}

/// The stored words for distances.
const DISTANCES: [(Distance, &str); 3] =
    [(Distance::Cosine, "COSINE"), (Distance::DotProduct, "DOT_PRODUCT"), (Distance::Euclidean, "EUCLIDEAN")];

fn encode_vector(vector: &VectorSpec) -> Value {
    let mut members = Members::new();
    put_text(&mut members, "attribute", &vector.attribute);
    put_number(&mut members, "dimensions", u64::try_from(vector.dimensions).ok());
    let word = DISTANCES.iter().find(|(distance, _)| *distance == vector.distance).map_or("", |(_, word)| word);
    put_text(&mut members, "distance", word);
    members.insert("filters".into(), encode_key(&KeySchema { partition: vector.filters.clone(), sort: Vec::new() }));
    Value::M(members)
}

fn decode_vector(stored: &Value) -> Result<VectorSpec, DefinitionUnreadable> {
    let Value::M(members) = stored else { return Err(DefinitionUnreadable("vector")) };
    let word = text(members, "distance")?;
    Ok(VectorSpec {
        attribute: text(members, "attribute")?,
        dimensions: number(members, "dimensions")
            .and_then(|count| usize::try_from(count).ok())
            .ok_or(DefinitionUnreadable("dimensions"))?,
        distance: DISTANCES
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(distance, _)| *distance)
            .ok_or(DefinitionUnreadable("distance"))?,
        filters: decode_key(members, "filters")?.partition,
    })
}

fn decode_index(stored: &Value, table_key: &KeySchema) -> Result<Index, DefinitionUnreadable> {
    let Value::M(members) = stored else { return Err(DefinitionUnreadable("indexes")) };
    let key = decode_key(members, "key")?;
    let vector = members.get("vector").map(decode_vector).transpose()?;
    let kind = match &vector {
        Some(_) => IndexKind::Vector,
        None if flag(members, "local") => IndexKind::Local,
        None => IndexKind::Global,
    };
    let projection = match members.get("projection") {
        Some(Value::S(kind)) if kind == "ALL" => Projection::All,
        Some(Value::S(kind)) if kind == "KEYS_ONLY" => Projection::KeysOnly,
        Some(Value::L(names)) => {
            Projection::Include(names.iter().filter_map(|name| if let Value::S(name) = name { Some(name.clone()) } else { None }).collect())
        }
        _ => return Err(DefinitionUnreadable("projection")),
    };
    let status = match text(members, "status")?.as_str() {
        "BACKFILLING" => IndexStatus::Creating { backfilling: true },
        "CREATING" => IndexStatus::Creating { backfilling: false },
        "ACTIVE" => IndexStatus::Active,
        "UPDATING" => IndexStatus::Updating,
        "DELETING" => IndexStatus::Deleting,
        _ => return Err(DefinitionUnreadable("status")),
    };
    Ok(Index {
        id: number(members, "id").and_then(|id| u32::try_from(id).ok()).map(IndexId).ok_or(DefinitionUnreadable("id"))?,
        name: text(members, "name")?,
        kind,
        projected: Index::projected_names(&projection, table_key, key.attributes().chain(vector.iter().flat_map(|vector| &vector.filters))),
        key,
        vector,
        projection,
        status,
        throughput: throughput(members),
        history: history(members),
        on_demand: on_demand(members),
        warm: warm(members),
        skipped_items: number(members, "skipped_items").unwrap_or(0),
    })
}

fn put_capacity(
    members: &mut Members,
    throughput: Throughput,
    history: ThroughputHistory,
    on_demand: OnDemandLimits,
    warm: Option<WarmThroughput>,
) {
    put_number(members, "read_units", Some(throughput.read_units));
    put_number(members, "write_units", Some(throughput.write_units));
    put_number(members, "increased_at_ms", history.increased_at_ms);
    put_number(members, "decreased_at_ms", history.decreased_at_ms);
    put_number(members, "decreases_on_day", Some(history.decreases_on_day));
    put_number(members, "read_units_max", on_demand.read_units_max);
    put_number(members, "write_units_max", on_demand.write_units_max);
    put_number(members, "warm_read_units", warm.map(|warm| warm.read_units));
    put_number(members, "warm_write_units", warm.map(|warm| warm.write_units));
}

fn throughput(members: &Members) -> Throughput {
    Throughput { read_units: number(members, "read_units").unwrap_or(0), write_units: number(members, "write_units").unwrap_or(0) }
}

fn history(members: &Members) -> ThroughputHistory {
    ThroughputHistory {
        increased_at_ms: number(members, "increased_at_ms"),
        decreased_at_ms: number(members, "decreased_at_ms"),
        decreases_on_day: number(members, "decreases_on_day").unwrap_or(0),
    }
}

fn on_demand(members: &Members) -> OnDemandLimits {
    OnDemandLimits { read_units_max: number(members, "read_units_max"), write_units_max: number(members, "write_units_max") }
}

fn warm(members: &Members) -> Option<WarmThroughput> {
    let (read_units, write_units) = (number(members, "warm_read_units")?, number(members, "warm_write_units")?);
    Some(WarmThroughput { read_units, write_units })
}
