//! A projection bound to its names: the tree of wanted parts, merged from its paths.
//!
//! What must stay true: names and positions of each level are sorted and distinct, so that one pass over an item's sorted
//! attributes finds them; no path is inside another (that is refused when the projection is made).

use stator_model::{Encoder, Item, MapRef, Path, PathStep};

use crate::error::{ExprError, PathClash};
use crate::eval;

/// The attributes and parts of attributes that an answer shall have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection {
    pub(crate) parts: Vec<(String, Part)>,
}

/// What is wanted of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Names(Vec<(String, Part)>),
    Indexes(Vec<(usize, Part)>),
}

impl Projection {
    /// A projection on whole top-level attributes; repeated names are one.
    pub fn of_attributes<'n>(names: impl IntoIterator<Item = &'n str>) -> Projection {
        let names: std::collections::BTreeSet<&str> = names.into_iter().collect();
        Projection { parts: names.into_iter().map(|name| (name.to_owned(), Part::Whole)).collect() }
    }

    /// The projection on paths of which none is part of another. A path inside another adds nothing to it.
    fn of_paths<'p>(paths: impl Iterator<Item = (&'p str, &'p [PathStep])>) -> Projection {
        let mut projection = Projection { parts: Vec::new() };
        for (attribute, steps) in paths {
            add_name(&mut projection.parts, attribute, steps);
        }
        projection
    }

    /// Refuses clashing paths, else merges them.
    pub(crate) fn new(paths: &[Path]) -> Result<Projection, ExprError> {
        refuse_clashes(paths)?;
        Ok(Projection::of_disjoint(paths.iter()))
    }

    pub(crate) fn of_disjoint<'p>(paths: impl Iterator<Item = &'p Path>) -> Projection {
        Projection::of_paths(paths.map(|path| (path.attribute.as_str(), path.steps.as_slice())))
    }

    /// Appends the M value with the wanted parts of an item.
    pub fn project(&self, item: MapRef<'_>, out: &mut Encoder) {
        eval::project::write_map(&self.parts, item, out);
    }

    /// The wanted parts as an item of their own.
    pub fn project_item(&self, item: MapRef<'_>) -> Item {
        let mut encoder = Encoder::new();
        self.project(item, &mut encoder);
        Item::from_encoded(encoder.finish())
    }

    /// Names of the top-level attributes, ascending, each once.
    pub fn top_level_names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(name, _)| name.as_str())
    }
}

fn add(part: &mut Part, steps: &[PathStep]) {
    match (steps.split_first(), part) {
        (None, part) => *part = Part::Whole,
        (Some((PathStep::Name(name), rest)), Part::Names(parts)) => add_name(parts, name, rest),
        (Some((PathStep::Index(index), rest)), Part::Indexes(parts)) => match parts.binary_search_by_key(index, |(index, _)| *index) {
            Ok(found) => add(&mut parts[found].1, rest),
            Err(at) => parts.insert(at, (*index, part_of(rest))),
        },
        // The path lies within a whole, or clashes, which was refused before.
        (Some(_), _) => {}
    }
}

fn add_name(parts: &mut Vec<(String, Part)>, name: &str, rest: &[PathStep]) {
    match parts.binary_search_by(|(candidate, _)| candidate.as_str().cmp(name)) {
        Ok(found) => add(&mut parts[found].1, rest),
        Err(at) => parts.insert(at, (name.to_owned(), part_of(rest))),
    }
}

fn part_of(steps: &[PathStep]) -> Part {
    steps.iter().rev().fold(Part::Whole, |inner, step| match step {
        PathStep::Name(name) => Part::Names(vec![(name.clone(), inner)]),
        PathStep::Index(index) => Part::Indexes(vec![(*index, inner)]),
    })
}

/// Finds the first two paths, in the order of the text, of which one lies within the other or that disagree about what a
/// container is.
///
/// Whether the first k paths clash can only change once as k grows, so the path that brings the first clash is found by
/// bisection; a text of two thousand paths must not cost two million comparisons.
pub(crate) fn refuse_clashes(paths: &[Path]) -> Result<(), ExprError> {
    if !has_clash(paths) {
        return Ok(());
    }
    let (mut peaceful, mut clashing) = (0, paths.len());
    while clashing - peaceful > 1 {
        let middle = peaceful.midpoint(clashing);
        if has_clash(&paths[..middle]) {
            clashing = middle;
        } else {
            peaceful = middle;
        }
    }
    let second = &paths[clashing - 1];
    let found = paths.iter().find_map(|first| clash(first, second).map(|clash| (clash, first)));
    let (clash, first) = found.expect("the path brought a clash");
    Err(ExprError::Paths { clash, first: first.clone(), second: second.clone() })
}

/// Whether any two paths clash. In order, all that lies within a path follows it at once, and steps by name and by position
/// into one container meet where the one kind ends and the other begins: so neighbours tell.
fn has_clash(paths: &[Path]) -> bool {
    let mut ordered: Vec<&Path> = paths.iter().collect();
    ordered.sort_unstable();
    ordered.windows(2).any(|pair| clash(pair[0], pair[1]).is_some())
}

fn clash(first: &Path, second: &Path) -> Option<PathClash> {
    if first.attribute != second.attribute {
        return None;
    }
    for (left, right) in first.steps.iter().zip(&second.steps) {
        match (left, right) {
            _ if left == right => {}
            (PathStep::Name(_), PathStep::Name(_)) | (PathStep::Index(_), PathStep::Index(_)) => return None,
            _ => return Some(PathClash::Conflict),
        }
    }
    Some(PathClash::Overlap)
}
