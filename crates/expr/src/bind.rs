//! Gives the names and values of a request to the trees of its expressions.
//!
//! What must stay true: one binder serves all expressions of a request, so that what none of them uses is known in the
//! end; a substitution counts as used when a bound text mentions it.
//!
//! When several things are wrong with a text, the service reports in this order (documented nowhere; from observed
//! answers): redundant parentheses, unknown functions, functions in the wrong place, reserved words, undefined names and
//! values, operands, repeated operands; for updates then overlapping and conflicting paths.

mod condition;
mod function;
mod key_condition;
mod search_condition;
mod update;

use std::borrow::Cow;

use stator_model::item::map_of;
use stator_model::limits::{ATTRIBUTE_NAME_BYTES_MAX, EXPRESSION_NAME_BYTES_MAX};
use stator_model::{Item, Path, PathStep};

use crate::ast::{self, ConditionText, Name, ProjectionText, Step, UpdateText};
use crate::condition::Condition;
use crate::error::{ExprError, Substitution};
use crate::key_condition::KeyCondition;
use crate::lex::is_name_byte;
use crate::literal::Literal;
use crate::projection::Projection;
use crate::reserved::is_reserved;
use crate::update::Update;

/// ExpressionAttributeNames: `#name` and the attribute name that it stands for.
pub type Names<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The substitutions of one request, and which of them its expressions have used.
#[derive(Debug)]
pub struct Binder<'a> {
    /// In the order given, which is that of reports.
    names: Vec<NameSlot<'a>>,
    /// Positions in `names`, ascending by placeholder.
    names_sorted: Vec<usize>,
    /// Ascending by placeholder, as the map is.
    values: Vec<ValueSlot>,
}

#[derive(Debug)]
struct NameSlot<'a> {
    placeholder: Cow<'a, str>,
    name: Cow<'a, str>,
    is_used: bool,
}

#[derive(Debug)]
struct ValueSlot {
    placeholder: String,
    literal: Literal,
    is_used: bool,
}

impl<'a> Binder<'a> {
    /// Takes ExpressionAttributeNames (`#name` and attribute name, in the order given; of a name given twice the last holds, as
    /// in any JSON object) and ExpressionAttributeValues (one encoded map of `:value` to value); `None` for a parameter that
    /// is absent.
    pub fn new(names: Option<Names<'a>>, values: Option<Item>) -> Result<Binder<'a>, ExprError> {
        if names.as_ref().is_some_and(Vec::is_empty) {
            return Err(ExprError::NoSubstitutions(Substitution::Names));
        }
        let names = names.unwrap_or_default().into_iter().map(name_slot).collect::<Result<Vec<_>, _>>()?;
        if values.as_ref().is_some_and(|values| values.map().is_empty()) {
            return Err(ExprError::NoSubstitutions(Substitution::Values));
        }
        let values = values.map(value_slots).transpose()?.unwrap_or_default();
        let mut binder = Binder { names_sorted: (0..names.len()).collect(), names, values };
        binder.sort_names();
        Ok(binder)
    }

    /// A binder for requests without substitutions.
    pub fn empty() -> Binder<'a> {
        Binder { names: Vec::new(), names_sorted: Vec::new(), values: Vec::new() }
    }

    fn sort_names(&mut self) {
        let names = &mut self.names;
        // The last of equal placeholders comes first and is kept.
        self.names_sorted.sort_by(|left, right| names[*left].placeholder.cmp(&names[*right].placeholder).then(right.cmp(left)));
        self.names_sorted.dedup_by(|later, kept| {
            let is_repeated = names[*later].placeholder == names[*kept].placeholder;
            names[*later].is_used |= is_repeated;
            is_repeated
        });
    }

    /// Reports substitutions that no expression has used: names first.
    pub fn finish(&self) -> Result<(), ExprError> {
        let names: Vec<String> = self.names.iter().filter(|slot| !slot.is_used).map(|slot| slot.placeholder.to_string()).collect();
        if !names.is_empty() {
            return Err(ExprError::Unused { map: Substitution::Names, keys: names });
        }
        let values: Vec<String> = self.values.iter().filter(|slot| !slot.is_used).map(|slot| slot.placeholder.clone()).collect();
        if values.is_empty() { Ok(()) } else { Err(ExprError::Unused { map: Substitution::Values, keys: values }) }
    }

    /// Binds a condition or filter.
    pub fn condition(&mut self, text: &ConditionText) -> Result<Condition, ExprError> {
        condition::bind(self, &text.0)
    }

    /// Binds a projection.
    pub fn projection(&mut self, text: &ProjectionText) -> Result<Projection, ExprError> {
        text.0.iter().try_for_each(refuse_reserved)?;
        let paths = text.0.iter().map(|path| self.path(path)).collect::<Result<Vec<Path>, _>>()?;
        Projection::new(&paths)
    }

    /// Binds an update.
    pub fn update(&mut self, text: &UpdateText) -> Result<Update, ExprError> {
        update::bind(self, text)
    }

    /// Binds a key condition.
    pub fn key_condition(&mut self, text: &ConditionText) -> Result<KeyCondition, ExprError> {
        let condition = condition::bind(self, &text.0)?;
        key_condition::bind(&text.0, condition)
    }

    /// Binds the condition of a vector search: attributes, and what each has to equal.
    pub fn search_condition(&mut self, text: &ConditionText) -> Result<Vec<(String, Literal)>, ExprError> {
        let condition = condition::bind(self, &text.0)?;
        search_condition::bind(&text.0, condition)
    }

    pub(crate) fn path(&mut self, path: &ast::Path) -> Result<Path, ExprError> {
        let attribute = self.name(&path.root)?;
        let steps = path.steps.iter().map(|step| {
            Ok(match step {
                Step::Name(name) => PathStep::Name(self.name(name)?),
                Step::Index(index) => PathStep::Index(*index),
            })
        });
        Ok(Path { attribute, steps: steps.collect::<Result<_, ExprError>>()? })
    }

    fn name(&mut self, name: &Name) -> Result<String, ExprError> {
        match name {
            Name::Plain(name) => Ok(name.clone()),
            Name::Placeholder(placeholder) => {
                let names = &self.names;
                let found = self.names_sorted.binary_search_by(|at| (*names[*at].placeholder).cmp(placeholder));
                let found = found.map_err(|_| ExprError::UndefinedName { name: placeholder.clone() })?;
                let slot = &mut self.names[self.names_sorted[found]];
                slot.is_used = true;
                Ok(slot.name.to_string())
            }
        }
    }

    fn value(&mut self, placeholder: &str) -> Result<Literal, ExprError> {
        let found = self.values.binary_search_by(|slot| (*slot.placeholder).cmp(placeholder));
        let found = found.map_err(|_| ExprError::UndefinedValue { value: placeholder.to_owned() })?;
        let slot = &mut self.values[found];
        slot.is_used = true;
        Ok(slot.literal.clone())
    }
}

fn name_slot<'a>((placeholder, name): (Cow<'a, str>, Cow<'a, str>)) -> Result<NameSlot<'a>, ExprError> {
    check_placeholder(Substitution::Names, &placeholder)?;
    if name.is_empty() || name.len() > ATTRIBUTE_NAME_BYTES_MAX {
        return Err(ExprError::InvalidName { key: placeholder.into_owned(), bytes: name.len() });
    }
    Ok(NameSlot { placeholder, name, is_used: false })
}

fn value_slots(values: Item) -> Result<Vec<ValueSlot>, ExprError> {
    let bytes = values.into_bytes();
    let slot = |(key, value): (&[u8], _)| {
        let placeholder = String::from_utf8_lossy(key).into_owned();
        check_placeholder(Substitution::Values, &placeholder)?;
        Ok(ValueSlot { placeholder, literal: Literal::within(&bytes, value), is_used: false })
    };
    map_of(&bytes).iter().map(slot).collect()
}

fn check_placeholder(map: Substitution, key: &str) -> Result<(), ExprError> {
    let sign = match map {
        Substitution::Names => '#',
        Substitution::Values => ':',
    };
    // Length comes before form, as in the service.
    if key.len() > EXPRESSION_NAME_BYTES_MAX {
        return Err(ExprError::SubstitutionTooLong { map, key: key.to_owned() });
    }
    let is_valid = key.strip_prefix(sign).is_some_and(|name| !name.is_empty() && name.bytes().all(is_name_byte));
    if is_valid { Ok(()) } else { Err(ExprError::InvalidSubstitution { map, key: key.to_owned() }) }
}

fn refuse_reserved(path: &ast::Path) -> Result<(), ExprError> {
    let steps = path.steps.iter().filter_map(|step| if let Step::Name(name) = step { Some(name) } else { None });
    for name in std::iter::once(&path.root).chain(steps) {
        if let Name::Plain(word) = name
            && is_reserved(word)
        {
            return Err(ExprError::ReservedWord { word: word.clone() });
        }
    }
    Ok(())
}
