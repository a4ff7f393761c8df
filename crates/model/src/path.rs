//! Document paths: `a.b[2].c` after its `#names` have been replaced.
//!
//! What must stay true: a path names an attribute first, then steps into maps by name and into lists by position.

use std::fmt;

/// One step from a container to an element of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathStep {
    /// An entry of a map.
    Name(String),
    /// An element of a list, from zero.
    Index(usize),
}

/// A top-level attribute and the steps into it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// Name of the top-level attribute.
    pub attribute: String,
    /// Steps below it; empty for the attribute itself.
    pub steps: Vec<PathStep>,
}

impl Path {
    /// The path of a whole top-level attribute.
    pub fn attribute(name: impl Into<String>) -> Path {
        Path { attribute: name.into(), steps: Vec::new() }
    }

    /// Number of names and positions, the attribute included.
    pub fn depth(&self) -> usize {
        1 + self.steps.len()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute)?;
        self.steps.iter().try_for_each(|step| match step {
            PathStep::Name(name) => write!(f, ".{name}"),
            PathStep::Index(index) => write!(f, "[{index}]"),
        })
    }
}
