//! Literals of statements: strings, numbers, truth values, null, lists, maps and sets.
//!
//! What must stay true: a set has one type and distinct elements, as on the wire; no literal nests deeper than an item may;
//! binary values come as parameters only.

use std::collections::{BTreeMap, BTreeSet};

use stator_model::limits::DOCUMENT_DEPTH_MAX;
use stator_model::{Number, Value, ValueType};

use super::StatementError;
use super::lex::Token;
use super::parse::Parser;

impl Parser<'_> {
    /// A literal or a parameter, if one is next; an item stands at depth 0, the values of attributes at depth 1.
    pub(super) fn literal(&mut self, depth: usize) -> Result<Option<Value>, StatementError> {
        let value = match self.peek().clone() {
            Token::Text(text) => self.taken(Value::S(text)),
            Token::Number(text) => {
                self.skip();
                number(&text, false)?
            }
            Token::Symbol("-") => {
                self.skip();
                let Token::Number(text) = self.peek().clone() else { return Err(self.misfit()) };
                self.skip();
                number(&text, true)?
            }
            Token::Symbol("?") => {
                self.skip();
                let value = self.parameter();
                if depth + levels(&value) > DOCUMENT_DEPTH_MAX {
                    return Err(StatementError::TooDeep);
                }
                value
            }
            Token::Symbol("[") => {
                self.skip();
                Value::L(self.elements("]", depth)?)
            }
            Token::Symbol("<<") => {
                self.skip();
                set(self.elements(">>", depth)?)?
            }
            Token::Symbol("{") => {
                self.skip();
                Value::M(self.members(depth)?)
            }
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "TRUE" => self.taken(Value::Bool(true)),
                "FALSE" => self.taken(Value::Bool(false)),
                "NULL" => self.taken(Value::Null),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    pub(super) fn elements(&mut self, end: &'static str, depth: usize) -> Result<Vec<Value>, StatementError> {
        let mut elements = Vec::new();
        check_depth(depth)?;
        if self.accept(end) {
            return Ok(elements);
        }
        loop {
            elements.push(self.literal(depth + 1)?.ok_or_else(|| self.misfit())?);
            if !self.accept(",") {
                self.require(end)?;
                return Ok(elements);
            }
        }
    }

    fn members(&mut self, depth: usize) -> Result<BTreeMap<String, Value>, StatementError> {
        let mut members = BTreeMap::new();
        check_depth(depth)?;
        if self.accept("}") {
            return Ok(members);
        }
        loop {
            let (Token::Text(name) | Token::Quoted(name)) = self.peek().clone() else { return Err(self.misfit()) };
            self.skip();
            self.require(":")?;
            let value = self.literal(depth + 1)?.ok_or_else(|| self.misfit())?;
            if members.insert(name.clone(), value).is_some() {
                return Err(StatementError::RepeatedName(name));
            }
            if !self.accept(",") {
                self.require("}")?;
                return Ok(members);
            }
        }
    }

    fn taken(&mut self, value: Value) -> Value {
        self.skip();
        value
    }
}

fn check_depth(depth: usize) -> Result<(), StatementError> {
    if depth < DOCUMENT_DEPTH_MAX { Ok(()) } else { Err(StatementError::TooDeep) }
}

/// How many lists and maps stand in each other; a parameter is bounded by what the wire takes.
fn levels(value: &Value) -> usize {
    match value {
        Value::L(elements) => 1 + elements.iter().map(levels).max().unwrap_or(0),
        Value::M(members) => 1 + members.values().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

fn number(text: &str, is_negative: bool) -> Result<Value, StatementError> {
    let text = if is_negative { format!("-{text}") } else { text.to_owned() };
    Number::parse(&text).map(Value::N).map_err(|error| StatementError::Number { error, text })
}

fn set(elements: Vec<Value>) -> Result<Value, StatementError> {
    let (count, shown) = (elements.len(), elements.iter().map(shown).collect::<Vec<_>>());
    let (kind, set, distinct) = match elements.first() {
        Some(Value::S(_)) => {
            let set: BTreeSet<_> = of_type(elements, |value| if let Value::S(text) = value { Some(text) } else { None })?;
            (ValueType::SS, Value::SS(set.clone()), set.len())
        }
        Some(Value::N(_)) => {
            let set: BTreeSet<_> = of_type(elements, |value| if let Value::N(number) = value { Some(number) } else { None })?;
            (ValueType::NS, Value::NS(set.clone()), set.len())
        }
        Some(Value::B(_)) => {
            let set: BTreeSet<_> = of_type(elements, |value| if let Value::B(bytes) = value { Some(bytes) } else { None })?;
            (ValueType::BS, Value::BS(set.clone()), set.len())
        }
        _ => return Err(StatementError::Set),
    };
    if distinct == count { Ok(set) } else { Err(StatementError::Duplicates(kind, shown)) }
}

fn of_type<T: Ord>(elements: Vec<Value>, cast: impl Fn(Value) -> Option<T>) -> Result<BTreeSet<T>, StatementError> {
    elements.into_iter().map(|value| cast(value).ok_or(StatementError::Set)).collect()
}

fn shown(element: &Value) -> String {
    match element {
        Value::S(text) => text.clone(),
        Value::N(number) => number.to_string(),
        _ => String::new(),
    }
}
