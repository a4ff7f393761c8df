//! TableName, which may be an ARN wherever it is asked for.
//!
//! What must stay true: answers name the table as the request did.

use std::borrow::Cow;
use std::sync::Arc;

use stator_engine::catalog::Table;
use stator_model::arn::{Scope, TableArn};
use stator_model::limits::{NAME_BYTES_MAX, NAME_BYTES_MIN};

use crate::constraint::{Constraints, Style};
use crate::fault::Fault;
use crate::messages::{item, table};
use crate::operation::Context;

/// A table's name or ARN as given.
#[derive(Debug, Clone, Default)]
pub(crate) struct TableName<'a>(pub Option<Cow<'a, str>>);

impl TableName<'_> {
    /// Required, 1 to 1024 characters, as the shape says, which is that of ARNs; what is no ARN obeys the rules of names.
    pub(crate) fn constrain(&self, constraints: &mut Constraints) {
        constraints.required("TableName", self.0.as_ref());
        constraints.length("TableName", self.0.as_deref(), 1, 1024);
        let name = self.0.as_deref().filter(|name| !name.is_empty() && name.len() <= 1024 && !name.starts_with("arn:"));
        constraints.name_pattern("TableName", name);
        constraints.length("TableName", name, NAME_BYTES_MIN, NAME_BYTES_MAX);
    }

    /// Reports a name that is none before anything else is looked at.
    pub(crate) fn check_alone(&self) -> Result<(), Fault> {
        let mut constraints = Constraints::new(Style::Current);
        if self.0.is_some() {
            self.constrain(&mut constraints);
        }
        constraints.finish()
    }

    /// CreateTable says of its own accord how long names are.
    pub(crate) fn constrain_new(&self, constraints: &mut Constraints) {
        constraints.required("TableName", self.0.as_ref());
        constraints.length("TableName", self.0.as_deref(), 1, 1024);
        constraints.name_pattern("TableName", self.0.as_deref().filter(|name| !name.starts_with("arn:")));
    }

    /// The rule that comes after the constraints: an ARN names a table.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        check_name(self.given())
    }

    /// As given.
    pub(crate) fn given(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// Scope and name, resolved within the scope of the request.
    pub(crate) fn resolve(&self, scope: &Scope) -> Option<(Scope, String)> {
        resolve(self.given(), scope)
    }

    /// The table, ready to be read and written.
    pub(crate) fn table(&self, context: &Context) -> Result<Arc<Table>, Fault> {
        find(self.given(), context)
    }
}

/// What a table's name or ARN may look like.
pub(crate) fn check_name(given: &str) -> Result<(), Fault> {
    let is_valid = if given.starts_with("arn:") { TableArn::parse(given).is_ok() } else { stator_model::name::is_valid(given) };
    if is_valid { Ok(()) } else { Err(table::invalid_name(given)) }
}

/// The table of a name or ARN as given.
pub(crate) fn find(given: &str, context: &Context) -> Result<Arc<Table>, Fault> {
    if !given.starts_with("arn:") {
        return context.engine.table(&context.scope, given).ok_or_else(item::table_not_found);
    }
    let resolved = resolve(given, &context.scope);
    resolved.and_then(|(scope, name)| context.engine.table(&scope, &name)).ok_or_else(item::table_not_found)
}

fn resolve(given: &str, scope: &Scope) -> Option<(Scope, String)> {
    if !given.starts_with("arn:") {
        return Some((scope.clone(), given.to_owned()));
    }
    let arn = TableArn::parse(given).ok()?;
    // Tables are reached through the endpoint of their region.
    (arn.scope == *scope).then_some((arn.scope, arn.table))
}
