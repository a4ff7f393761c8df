//! What a statement says.
//!
//! What must stay true: conditions and updates are trees whose names and values are placeholders of this statement.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stator_model::{Item, MapRef, Path, PathStep, RawValue, Value};

use crate::ast::{ProjectionText, Tree, UpdateText};
use crate::bind::Binder;
use crate::error::ExprError;
use crate::eval;

/// A statement with everything that it mentions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it does.
    pub body: Body,
    /// What the placeholders stand for.
    pub(super) names: Vec<String>,
    pub(super) values: Vec<Value>,
}

/// The kinds of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// `SELECT`
    Select {
        /// `FROM`
        source: Source,
        /// `None` for `*`.
        projection: Option<ProjectionText>,
        /// `WHERE`
        condition: Option<Tree>,
        /// `ORDER BY`: attributes, and whether each descends.
        order: Vec<(String, bool)>,
    },
    /// `EXISTS(SELECT …)`
    Exists {
        /// `FROM`
        source: Source,
        /// `WHERE`
        condition: Tree,
    },
    /// `INSERT INTO … VALUE …`
    Insert {
        /// The table.
        table: String,
        /// The new item.
        item: Item,
    },
    /// `UPDATE`
    Update {
        /// The table.
        table: String,
        /// `SET`, `REMOVE`
        update: UpdateText,
        /// `WHERE`
        condition: Tree,
        /// `RETURNING`
        returning: Option<Returning>,
    },
    /// `DELETE FROM`
    Delete {
        /// The table.
        table: String,
        /// `WHERE`
        condition: Tree,
        /// `RETURNING ALL OLD *` is the only form.
        returns_old: bool,
    },
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The table's name or ARN.
    pub table: String,
    /// The index.
    pub index: Option<String>,
}

/// The four forms of `RETURNING`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returning {
    /// `ALL OLD *`
    AllOld,
    /// `MODIFIED OLD *`
    ModifiedOld,
    /// `ALL NEW *`
    AllNew,
    /// `MODIFIED NEW *`
    ModifiedNew,
}

impl Statement {
    /// The table's name or ARN as given.
    pub fn table(&self) -> &str {
        match &self.body {
            Body::Select { source, .. } | Body::Exists { source, .. } => &source.table,
            Body::Insert { table, .. } | Body::Update { table, .. } | Body::Delete { table, .. } => table,
        }
    }

    /// Whether it changes nothing and answers items.
    pub fn is_read(&self) -> bool {
        matches!(self.body, Body::Select { .. })
    }

    /// A binder of the statement's placeholders.
    pub fn binder(&self) -> Result<Binder<'_>, ExprError> {
        let names = self.names.iter().enumerate().map(|(at, name)| (Cow::Owned(format!("#{at}")), Cow::Borrowed(name.as_str())));
        let values: BTreeMap<String, &Value> = self.values.iter().enumerate().map(|(at, value)| (format!(":{at}"), value)).collect();
        let item: Item = values.iter().map(|(name, value)| (name.as_str(), (*value).clone())).collect();
        Binder::new((!self.names.is_empty()).then(|| names.collect()), (!self.values.is_empty()).then_some(item))
    }
}

/// The columns of a SELECT that names its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<(String, Path)>);

impl Columns {
    /// Binds the paths. A column is called like the last name of its path (assumed, also where a position follows it).
    pub fn bind(binder: &mut Binder<'_>, projection: &ProjectionText) -> Result<Columns, ExprError> {
        let column = |path: &crate::ast::Path| {
            let path = binder.path(path)?;
            let last = path.steps.iter().rev().find_map(|step| if let PathStep::Name(name) = step { Some(name.clone()) } else { None });
            Ok((last.unwrap_or_else(|| path.attribute.clone()), path))
        };
        projection.0.iter().map(column).collect::<Result<Vec<_>, _>>().map(Columns)
    }

    /// Names of the top-level attributes that are read.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(_, path)| path.attribute.as_str())
    }

    /// The columns that an item has.
    pub fn pick(&self, item: MapRef<'_>) -> Item {
        let found: BTreeMap<&str, RawValue<'_>> =
            self.0.iter().filter_map(|(name, path)| Some((name.as_str(), eval::find(item, path)?))).collect();
        Item::build(|encoder| {
            for (name, value) in found {
                encoder.name(name);
                encoder.raw(value);
            }
        })
    }
}
