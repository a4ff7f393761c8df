//! What was asked of one item.
//!
//! What must stay true: an intent is complete. Nothing that decides its outcome, but the rows and the catalog, lies outside.

use stator_expr::{Condition, Update};
use stator_model::Item;

/// A change of one item under a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// The change.
    pub action: Action,
    /// What has to hold for the item as it is; a missing item has no attribute.
    pub condition: Option<Condition>,
}

/// The change asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Replaces the item whole.
    Put(Item),
    /// Changes attributes of the item with this key, making it if need be.
    Update {
        /// The key, exactly.
        key: Item,
        /// The change.
        update: Update,
    },
    /// Removes the item with this key, if there is one.
    Delete {
        /// The key, exactly.
        key: Item,
    },
    /// Removes the item with this key if its time has come.
    Expire {
        /// The key, exactly.
        key: Item,
    },
    /// Changes nothing: the condition is all there is. Part of transactions only.
    Check {
        /// The key, exactly.
        key: Item,
    },
}

impl Action {
    /// The item that has the key attributes.
    pub fn key_source(&self) -> &Item {
        match self {
            Action::Put(item) => item,
            Action::Update { key, .. } | Action::Delete { key } | Action::Expire { key } | Action::Check { key } => key,
        }
    }
}
