//! Streams: the words for what they show of a table's changes.
//!
//! What must stay true: facts without behaviour, like the definitions of tables.

/// A stream's number: given once, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What a record shows of an item beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamView {
    /// Nothing.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamView {
    /// All of them, in the order in which the service lists their names.
    pub const ALL: [StreamView; 4] = [StreamView::NewImage, StreamView::OldImage, StreamView::NewAndOldImages, StreamView::KeysOnly];

    /// The name on the wire and in stored definitions.
    pub fn name(self) -> &'static str {
        match self {
            StreamView::KeysOnly => "KEYS_ONLY",
            StreamView::NewImage => "NEW_IMAGE",
            StreamView::OldImage => "OLD_IMAGE",
            StreamView::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }

    /// The view of a name.
    pub fn from_name(name: &str) -> Option<StreamView> {
        StreamView::ALL.into_iter().find(|view| view.name() == name)
    }

    /// Whether records carry the item after the change.
    pub fn has_new(self) -> bool {
        matches!(self, StreamView::NewImage | StreamView::NewAndOldImages)
    }

    /// Whether records carry the item before the change.
    pub fn has_old(self) -> bool {
        matches!(self, StreamView::OldImage | StreamView::NewAndOldImages)
    }
}

/// What a record tells happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// There was no item.
    Insert,
    /// The item was another.
    Modify,
    /// The item is gone.
    Remove,
}

impl ChangeKind {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Insert => "INSERT",
            ChangeKind::Modify => "MODIFY",
            ChangeKind::Remove => "REMOVE",
        }
    }
}
