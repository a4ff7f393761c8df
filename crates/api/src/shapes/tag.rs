//! Tags on the wire, and the ARNs that name what is tagged.
//!
//! What must stay true: the same rules hold for a table's first tags as for later ones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stator_model::arn::{Scope, TableArn};
use stator_model::limits::{TAG_KEY_CHARACTERS_MAX, TAG_VALUE_CHARACTERS_MAX, TAGS_MAX};

use crate::constraint::Constraints;
use crate::fault::Fault;
use crate::json::{JsonFault, Reader};
use crate::messages::tag;
use crate::operation::Context;

/// A tag as given.
#[derive(Debug, Default)]
pub(crate) struct TagInput<'a> {
    key: Option<Cow<'a, str>>,
    value: Option<Cow<'a, str>>,
}

impl<'a> TagInput<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<TagInput<'a>, JsonFault> {
        let mut tag = TagInput::default();
        reader.object(|reader, member| {
            match member {
                "Key" => tag.key = Some(reader.string()?),
                "Value" => tag.value = Some(reader.string()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(tag)
    }
}

/// Checks the shape of tags.
pub(crate) fn constrain(constraints: &mut Constraints, tags: &[TagInput<'_>]) {
    for (at, tag) in tags.iter().enumerate() {
        let path = |member: &str| format!("Tags.{}.member.{member}", at + 1);
        constraints.required(path("Key"), tag.key.as_ref());
        constraints.length(path("Key"), tag.key.as_deref(), 1, TAG_KEY_CHARACTERS_MAX);
        constraints.required(path("Value"), tag.value.as_ref());
        constraints.length(path("Value"), tag.value.as_deref(), 0, TAG_VALUE_CHARACTERS_MAX);
    }
}

/// The tags by key.
pub(crate) fn tags_of(tags: &[TagInput<'_>]) -> Result<BTreeMap<String, String>, Fault> {
    let mut known = BTreeMap::new();
    for tag in tags {
        let (key, value) = (tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default());
        if key.starts_with("aws:") {
            return Err(tag::reserved_key());
        }
        if known.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(tag::duplicate_key(key));
        }
    }
    if known.len() > TAGS_MAX { Err(tag::too_many(known.len())) } else { Ok(known) }
}

/// The table of an ARN that an operation on tags was given.
pub(crate) fn table_of(arn: &str, operation: &str, context: &Context) -> Result<(Scope, String), Fault> {
    if arn.split(':').count() < 6 {
        return Err(tag::no_arn(arn));
    }
    match TableArn::parse(arn) {
        Ok(parsed) if parsed.scope == context.scope => match parsed.index {
            None => Ok((parsed.scope, parsed.table)),
            Some(_) => Err(tag::not_found(arn)),
        },
        _ => Err(tag::not_authorized(arn, operation, &context.scope.account)),
    }
}
