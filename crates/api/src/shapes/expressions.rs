//! ExpressionAttributeNames and ExpressionAttributeValues, and the expressions that use them.
//!
//! What must stay true: errors come in the service's order: expressions beside their forerunners, substitutions without
//! expression, faulty placeholders, faulty values, then each expression in turn, then what was left unused.

use std::borrow::Cow;

use stator_expr::{Binder, ExprError, ExpressionKind, Substitution};

use crate::constraint::detected;
use crate::fault::Fault;
use crate::json::{Attributes, JsonFault, Reader, ValueFault};
use crate::messages::{expression, value};

/// The substitutions of a request, as read.
#[derive(Debug, Default)]
pub(crate) struct Substitutions<'a> {
    names: Option<Vec<(Cow<'a, str>, Cow<'a, str>)>>,
    values: Option<Attributes>,
}

/// What becomes of the values of expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Items are compared with them: they may be nested more deeply than items are.
    Compared,
    /// They may become parts of an item.
    Stored,
}

/// Whether the newer validation words the errors of an operation's expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wording {
    /// With `1 validation error detected: ` in front.
    Detected,
    /// Bare.
    Bare,
}

impl Wording {
    /// A sentence in this wording.
    pub(crate) fn fault(self, sentence: &str) -> Fault {
        Fault::validation(match self {
            Wording::Detected => detected(sentence),
            Wording::Bare => sentence.to_owned(),
        })
    }

    /// The error of an expression.
    pub(crate) fn expression(self, error: &ExprError, kind: ExpressionKind) -> Fault {
        self.fault(&expression::render(error, kind))
    }
}

impl<'a> Substitutions<'a> {
    /// Reads the member, if it is one of the two.
    pub(crate) fn read(&mut self, reader: &mut Reader<'a>, member: &str) -> Result<(), JsonFault> {
        match member {
            "ExpressionAttributeNames" => {
                self.names = Some(reader.map(Reader::string)?.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect());
            }
            "ExpressionAttributeValues" => self.values = Some(Attributes::read(reader)?),
            _ => {}
        }
        Ok(())
    }

    /// Appends what distinguishes these substitutions from others.
    pub(crate) fn put_fingerprint(&self, out: &mut Vec<u8>) {
        let mut names: Vec<_> = self.names.iter().flatten().collect();
        names.sort_unstable();
        out.extend_from_slice(format!("{names:?}").as_bytes());
        out.extend_from_slice(self.values.as_ref().map_or(&[], |values| values.item.as_bytes()));
    }

    /// Names as given, for answers that repeat them.
    pub(crate) fn names(&self) -> Option<&[(Cow<'a, str>, Cow<'a, str>)]> {
        self.names.as_deref()
    }

    /// Refuses substitutions in a request without expressions.
    pub(crate) fn check_use(&self, has_expressions: bool) -> Result<(), Fault> {
        if has_expressions {
            return Ok(());
        }
        if self.names.is_some() {
            return Err(Wording::Detected.fault(&expression::without_expression(Substitution::Names)));
        }
        match self.values {
            Some(_) => Err(Wording::Detected.fault(&expression::without_expression(Substitution::Values))),
            None => Ok(()),
        }
    }

    /// Hands the substitutions to a binder.
    pub(crate) fn binder(&mut self, wording: Wording, used: Use) -> Result<Binder<'a>, Fault> {
        let (values, fault) = self.values.take().map_or((None, None), |values| (Some(values.item), values.fault));
        let names = self.names.clone();
        let binder = Binder::new(names, values).map_err(|error| wording.expression(&error, ExpressionKind::Condition))?;
        match fault.filter(|(_, fault)| used == Use::Stored || *fault != ValueFault::TooDeep) {
            Some((key, fault)) => Err(value::of_expression(&key, &fault, wording == Wording::Detected)),
            None => Ok(binder),
        }
    }
}

/// Refuses expressions beside their forerunners; each list is `(parameter, whether it is given)`.
pub(crate) fn check_kinds(legacy: &[(&str, bool)], expressions: &[(&str, bool)]) -> Result<(), Fault> {
    let (legacy, expressions) = (given(legacy), given(expressions));
    if legacy.is_empty() || expressions.is_empty() {
        return Ok(());
    }
    Err(Wording::Detected.fault(&expression::both_kinds(&legacy, &expressions)))
}

fn given<'p>(parameters: &[(&'p str, bool)]) -> Vec<&'p str> {
    parameters.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect()
}

/// Reports substitutions that no expression used.
pub(crate) fn finish(binder: &Binder<'_>, wording: Wording) -> Result<(), Fault> {
    binder.finish().map_err(|error| wording.expression(&error, ExpressionKind::Condition))
}
