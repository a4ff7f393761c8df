//! An update bound to its names and values.
//!
//! What must stay true: no path of an update is inside another (refused when it is made), so that the order of its actions
//! does not matter; every operand is read from the item as it was before.

use stator_model::{Item, MapRef, Path};

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

    /// The touched leaves of an item: of the old one for UPDATED_OLD, of the new one for UPDATED_NEW.
    pub fn touched(&self, item: MapRef<'_>) -> Item {
        Projection::of_disjoint(self.paths()).project_item(item)
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
