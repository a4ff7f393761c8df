//! Pure functions from an item's encoded bytes to an answer.
//!
//! What must stay true: nothing here reads a clock, a table or a text; conditions and projections build no tree, and only
//! updates decode anything, namely the top-level attributes that they touch.

pub(crate) mod condition;
pub(crate) mod project;
pub(crate) mod update;

use stator_model::{MapRef, Path, PathStep, RawValue, ValueRef};

/// The value at the end of a path, if every step leads somewhere.
pub(crate) fn find<'i>(item: MapRef<'i>, path: &Path) -> Option<RawValue<'i>> {
    let mut value = item.get(&path.attribute)?;
    for step in &path.steps {
        value = match (step, value.view()) {
            (PathStep::Name(name), ValueRef::M(map)) => map.get(name)?,
            (PathStep::Index(index), ValueRef::L(list)) => list.get(*index)?,
            _ => return None,
        };
    }
    Some(value)
}
