//! An update bound to its names and values.
//!
//! What must stay true: no path of an update is inside another (refused when it is made), so that the order of its actions
//! does not matter; every operand is read from the item as it was before.

use stator_model::{Item, MapRef, Path, PathStep};

use crate::error::UpdateError;
use crate::eval;
use crate::literal::Literal;
use crate::projection::Projection;

/// Changes to make to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    pub(crate) actions: Vec<Action>,
    pub(crate) origin: Origin,
}

/// Where the update came from; the two ways differ in what they do to missing items and in their errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Expression,
    Legacy,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) path: Path,
    pub(crate) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Set(SetValue),
    Remove,
    Add(Literal),
    Delete(Literal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetValue {
    Operand(SetOperand),
    Sum(SetOperand, SetOperand),
    Difference(SetOperand, SetOperand),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SetOperand {
    Path(Path),
    Literal(Literal),
    IfNotExists { path: Path, default: Box<SetOperand> },
    ListAppend(Box<SetOperand>, Box<SetOperand>),
}

impl Update {
    /// An update that changes nothing, as UpdateItem without expression asks for.
    pub fn nothing() -> Update {
        Update { actions: Vec::new(), origin: Origin::Expression }
    }

    /// Makes the new item out of the existing one, or out of the key alone when there is none.
    ///
    /// `None` when there is no item and the update creates none: legacy updates that only delete.
    pub fn apply(&self, existing: Option<MapRef<'_>>, key: MapRef<'_>) -> Result<Option<Item>, UpdateError> {
        if existing.is_none() && !self.creates_item() {
            return Ok(None);
        }
        eval::update::apply(self, existing, key).map(Some)
    }

    /// The touched leaves of the item as it was, for UPDATED_OLD; empty when none of them was there.
    pub fn touched_old(&self, old: MapRef<'_>) -> Item {
        Projection::of_disjoint(self.paths()).project_item(old)
    }

    /// The touched leaves of the item as it is now, for UPDATED_NEW; empty when the update left none.
    ///
    /// What was removed has no new value, and elements appended to a list by a position beyond its end are not reported
    /// either (both observed). Elements that moved because others of their list were removed are found where they are now
    /// (assumed).
    pub fn touched_new(&self, old: Option<MapRef<'_>>, new: MapRef<'_>) -> Item {
        let removed: Vec<&Path> = self.actions.iter().filter(|action| action.change == Change::Remove).map(|action| &action.path).collect();
        let is_left = |action: &&Action| {
            let is_element = matches!(action.path.steps.last(), Some(PathStep::Index(_)));
            let was_there = || old.is_some_and(|old| eval::find(old, &action.path).is_some());
            action.change != Change::Remove && (!is_element || was_there())
        };
        let paths: Vec<Path> = self.actions.iter().filter(is_left).map(|action| moved(&action.path, &removed)).collect();
        Projection::of_disjoint(paths.iter()).project_item(new)
    }

    /// Names of the top-level attributes that the update changes, in the order of the text; repeated when several parts of
    /// one change.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.paths().map(|path| path.attribute.as_str())
    }

    /// The paths that the update changes, in the order of the text.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.actions.iter().map(|action| &action.path)
    }

    fn creates_item(&self) -> bool {
        let is_deletion = |action: &Action| matches!(action.change, Change::Remove | Change::Delete(_));
        self.origin == Origin::Expression || self.actions.is_empty() || !self.actions.iter().all(is_deletion)
    }
}

/// Where a path leads once elements before it have left its lists.
fn moved(path: &Path, removed: &[&Path]) -> Path {
    let mut moved = path.clone();
    for (depth, step) in moved.steps.iter_mut().enumerate() {
        let PathStep::Index(index) = step else { continue };
        let is_before = |other: &&&Path| {
            let is_sibling =
                other.attribute == path.attribute && other.steps.len() == depth + 1 && other.steps[..depth] == path.steps[..depth];
            is_sibling && matches!(other.steps[depth], PathStep::Index(position) if position < *index)
        };
        *index -= removed.iter().filter(is_before).count();
    }
    moved
}
