//! `/_stator/table-states`: tables that stay CREATING, UPDATING or DELETING until they are let go.
//!
//! What must stay true: a table that was released has arrived when the call is answered, its indexes with it.

use serde::{Deserialize, Serialize};
use serde_json::json;
use stator_engine::catalog::InTransition;

use super::call::{Call, ok};
use super::problem::Problem;
use super::{Answer, Hooks, span};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    transition: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    table: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    table: String,
    region: String,
    status: String,
    /// Without, it waits to be released.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl Shown {
    fn of(table: &InTransition) -> Shown {
        Shown {
            table: table.table.name.clone(),
            region: table.table.scope.region.clone(),
            status: format!("{:?}", table.status).to_ascii_uppercase(),
            until: table.until_ms.map(span::print_moment),
        }
    }
}

pub(super) fn read(hooks: &Hooks, _: &Call<'_>) -> Result<Answer, Problem> {
    let transition = hooks.engine.table_transition().map_or_else(|| "held".to_owned(), span::print);
    let tables: Vec<Shown> = hooks.engine.tables_in_transition().iter().map(Shown::of).collect();
    ok(&json!({ "transition": transition, "tables": tables }))
}

pub(super) fn set(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let input: Set = call.input()?;
    let ms = if input.transition == "held" { None } else { Some(span::parse(&input.transition)?) };
    hooks.engine.set_table_transition(ms);
    read(hooks, call)
}

pub(super) async fn release(hooks: &Hooks, call: &Call<'_>) -> Result<Answer, Problem> {
    let input: Release = call.input()?;
    let released = hooks.engine.release_tables(input.table.as_deref()).await.map_err(|error| Problem::failed(&error))?;
    if let (Some(name), true) = (&input.table, released.is_empty()) {
        return Err(Problem::not_found(format!("no table {name:?} is changing"), "GET /_stator/table-states lists those that are"));
    }
    hooks.engine.settled().await.map_err(|error| Problem::failed(&error))?;
    ok(&json!({ "released": released.iter().map(Shown::of).collect::<Vec<_>>() }))
}
