//! PartiQL: what a statement means for a table. Reads become queries or scans, writes become intents.
//!
//! ```text
//!   SELECT  ── equality (or IN, OR) on the partition key ──► a query per partition
//!           └─ without ────────────────────────────────────► a scan
//!   INSERT  ──► put, if there is no such item       UPDATE ──► update, if there is one       DELETE ──► delete
//! ```
//!
//! What must stay true: nothing is executed here in a way of its own; pages come from `read`, writes go through `write`.

#![deny(clippy::wildcard_enum_match_arm)]

mod read;

use stator_expr::partiql::{Body, Columns, Returning, SplitError, Statement};
use stator_expr::{Condition, ExprError, KeyConditionError, KeyPlan};
use stator_model::Item;
use stator_model::key::KeySchema;
use stator_model::limits::STATEMENT_PARTITIONS_MAX;
use stator_model::table::{IndexId, IndexKind};

pub use read::{Cursor, StatementPage};

use crate::catalog::Table;
use crate::write::{Action, Intent};

/// What a statement comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// It reads.
    Read(ReadPlan),
    /// It writes, or checks that an item exists.
    Write(WritePlan),
}

/// A read.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadPlan {
    /// The index.
    pub index: Option<IndexId>,
    /// The partitions to query, in order; none to scan.
    pub partitions: Vec<KeyPlan>,
    /// Ascending.
    pub forward: bool,
    /// What items have to fulfil.
    pub filter: Option<Condition>,
    /// What is answered of them; `None` for everything.
    pub columns: Option<Columns>,
    /// The key, where the statement is about one item of the table.
    pub whole_key: Option<Item>,
}

/// A write.
#[derive(Debug, Clone, PartialEq)]
pub struct WritePlan {
    /// The intent.
    pub intent: Intent,
    /// What is answered.
    pub returning: Option<Returning>,
    /// Whether a failed condition means that the item exists already.
    pub is_insert: bool,
}

/// Why a statement has no meaning for a table.
#[derive(Debug, Clone, PartialEq)]
pub enum PlanError {
    /// A condition, path or change is refused.
    Expression(ExprError),
    /// What it says of the key does not fit.
    Key(KeyConditionError),
    /// There is no such index, or it cannot be read yet.
    NoIndex(String),
    /// The index is one of vectors, which are searched and not read.
    VectorIndex,
    /// A global index does not hold these attributes, which are asked for.
    NotProjected {
        /// Its name.
        index: String,
        /// What it lacks.
        attributes: Vec<String>,
    },
    /// It asks for more partitions than one statement may.
    TooManyPartitions(usize),
    /// A write has to name the whole key by equality.
    WholeKey,
    /// ORDER BY without WHERE.
    OrderWithoutCondition,
    /// ORDER BY without a partition to order.
    OrderWithoutPartition,
    /// ORDER BY names an attribute that is not one of the key.
    OrderOf(String),
}

impl From<ExprError> for PlanError {
    fn from(error: ExprError) -> PlanError {
        PlanError::Expression(error)
    }
}

impl From<SplitError> for PlanError {
    fn from(error: SplitError) -> PlanError {
        match error {
            SplitError::Condition(error) => PlanError::Expression(error),
            SplitError::Key(error) => PlanError::Key(error),
        }
    }
}

/// Works out what a statement means for a table.
pub fn plan(table: &Table, statement: &Statement) -> Result<Plan, PlanError> {
    let first = || table.key.partition[0].name.as_str();
    let write = |intent, returning, is_insert| Ok(Plan::Write(WritePlan { intent, returning, is_insert }));
    match &statement.body {
        Body::Select { .. } => plan_read(table, statement).map(Plan::Read),
        Body::Insert { item, .. } => {
            let condition = Some(Condition::on_existence(first(), false));
            write(Intent { action: Action::Put(item.clone()), condition }, None, true)
        }
        Body::Update { update, condition, returning, .. } => {
            let split = statement.split(condition, &table.key)?;
            let key = split.whole_key(&table.key).ok_or(PlanError::WholeKey)?;
            let update = statement.binder()?.update(update)?;
            let exists = Condition::on_existence(first(), true);
            let condition = split.rest.map_or_else(|| exists.clone(), |rest| Condition::and(exists.clone(), rest));
            write(Intent { action: Action::Update { key, update }, condition: Some(condition) }, *returning, false)
        }
        Body::Delete { condition, returns_old, .. } => {
            let split = statement.split(condition, &table.key)?;
            let key = split.whole_key(&table.key).ok_or(PlanError::WholeKey)?;
            let returning = returns_old.then_some(Returning::AllOld);
            write(Intent { action: Action::Delete { key }, condition: split.rest }, returning, false)
        }
        Body::Exists { condition, .. } => {
            let split = statement.split(condition, &table.key)?;
            let key = split.whole_key(&table.key).ok_or(PlanError::WholeKey)?;
            let exists = Condition::on_existence(first(), true);
            let condition = split.rest.map_or_else(|| exists.clone(), |rest| Condition::and(exists.clone(), rest));
            write(Intent { action: Action::Check { key }, condition: Some(condition) }, None, false)
        }
    }
}

fn plan_read(table: &Table, statement: &Statement) -> Result<ReadPlan, PlanError> {
    let Body::Select { source, projection, condition, order } = &statement.body else { return Err(PlanError::WholeKey) };
    let index = match source.index.as_deref() {
        None => None,
        Some(name) => {
            let index = table.index(name).filter(|index| index.is_readable());
            let index = index.ok_or_else(|| PlanError::NoIndex(name.to_owned()))?;
            if index.vector.is_some() {
                return Err(PlanError::VectorIndex);
            }
            Some(index)
        }
    };
    let key = index.map_or(&table.key, |index| &index.key);
    let split = condition.as_ref().map(|condition| statement.split(condition, key)).transpose()?;
    let whole_key = split.as_ref().filter(|_| index.is_none()).and_then(|split| split.whole_key(key));
    let (partitions, filter) = split.map_or((Vec::new(), None), |split| (split.partitions, split.rest));
    if partitions.len() > STATEMENT_PARTITIONS_MAX {
        return Err(PlanError::TooManyPartitions(partitions.len()));
    }
    let columns = projection.as_ref().map(|projection| Columns::bind(&mut statement.binder()?, projection)).transpose()?;
    if let Some(index) = index.filter(|index| index.kind == IndexKind::Global) {
        let lacking = columns.iter().flat_map(Columns::attributes).filter(|name| !index.projects(name));
        let attributes: Vec<String> = lacking.map(str::to_owned).collect();
        if !attributes.is_empty() {
            return Err(PlanError::NotProjected { index: index.name.clone(), attributes });
        }
    }
    if !order.is_empty() && condition.is_none() {
        return Err(PlanError::OrderWithoutCondition);
    }
    let forward = order_of(order, key, !partitions.is_empty())?;
    Ok(ReadPlan { index: index.map(|index| index.id), partitions, forward, filter, columns, whole_key })
}

/// Whether the sort key ascends.
fn order_of(order: &[(String, bool)], key: &KeySchema, has_partition: bool) -> Result<bool, PlanError> {
    if order.is_empty() {
        return Ok(true);
    }
    if let Some((name, _)) = order.iter().find(|(name, _)| !key.contains(name)) {
        return Err(PlanError::OrderOf(name.clone()));
    }
    if !has_partition {
        return Err(PlanError::OrderWithoutPartition);
    }
    let descends = order.iter().find(|(name, _)| key.sort.iter().any(|attribute| attribute.name == *name));
    Ok(!descends.is_some_and(|(_, descends)| *descends))
}
