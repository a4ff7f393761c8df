//! Writes the part of an item that a projection names.
//!
//! What must stay true: nested paths are merged under their parents, list elements keep their order and close ranks, and a
//! parent of which nothing is found is not written at all.

use stator_model::{Encoder, ListRef, MapRef, RawValue, ValueRef};

use crate::projection::Part;

/// Writes the M value that holds what `parts` names of a map. Recursion is bounded by the depth of paths (32).
pub(crate) fn write_map(parts: &[(String, Part)], map: MapRef<'_>, out: &mut Encoder) {
    out.begin_map();
    for (name, part, value) in named(parts, map) {
        if finds(part, value) {
            out.name_bytes(name);
            write(part, value, out);
        }
    }
    out.end();
}

/// The entries that are named, with what is wanted of them: one pass over both, since both ascend.
fn named<'p, 'v>(parts: &'p [(String, Part)], map: MapRef<'v>) -> impl Iterator<Item = (&'v [u8], &'p Part, RawValue<'v>)> {
    let mut parts = parts.iter().peekable();
    let mut entries = map.iter();
    std::iter::from_fn(move || {
        loop {
            parts.peek()?;
            let (name, value) = entries.next()?;
            while parts.next_if(|(wanted, _)| wanted.as_bytes() < name).is_some() {}
            if let Some((_, part)) = parts.next_if(|(wanted, _)| wanted.as_bytes() == name) {
                return Some((name, part, value));
            }
        }
    })
}

fn write(part: &Part, value: RawValue<'_>, out: &mut Encoder) {
    match (part, value.view()) {
        (Part::Names(parts), ValueRef::M(map)) => write_map(parts, map, out),
        (Part::Indexes(parts), ValueRef::L(list)) => {
            out.begin_list();
            for (part, element) in matching(parts, list) {
                if finds(part, element) {
                    write(part, element, out);
                }
            }
            out.end();
        }
        _ => out.raw(value),
    }
}

/// Whether a value has anything of what is wanted of it.
fn finds(part: &Part, value: RawValue<'_>) -> bool {
    match (part, value.view()) {
        (Part::Whole, _) => true,
        (Part::Names(parts), ValueRef::M(map)) => named(parts, map).any(|(_, part, value)| finds(part, value)),
        (Part::Indexes(parts), ValueRef::L(list)) => matching(parts, list).any(|(part, element)| finds(part, element)),
        _ => false,
    }
}

fn matching<'p, 'v>(parts: &'p [(usize, Part)], list: ListRef<'v>) -> impl Iterator<Item = (&'p Part, RawValue<'v>)> {
    let mut parts = parts.iter().peekable();
    list.iter()
        .enumerate()
        .filter_map(move |(index, element)| parts.next_if(|(wanted, _)| *wanted == index).map(|(_, part)| (part, element)))
}
