//! Literals of statements: strings, numbers, truth values, null, lists, maps and sets.
//!
//! What must stay true: a set has one type and distinct elements, as on the wire; binary values come as parameters only.

use std::collections::BTreeMap;

use stator_model::{Number, Value};

use super::lex::Token;
use super::parse::Parser;
use super::{DEPTH_MAX, StatementError};

impl Parser<'_> {
    /// A literal or a parameter, if one is next.
    pub(super) fn literal(&mut self, depth: usize) -> Result<Option<Value>, StatementError> {
        if depth > DEPTH_MAX {
            return Err(StatementError::TooDeep);
        }
        let value = match self.peek().clone() {
            Token::Text(text) => self.taken(Value::S(text)),
            Token::Number(text) => {
                self.skip();
                number(&text, false)?
            }
            Token::Symbol("-") => {
                self.skip();
                let Token::Number(text) = self.peek().clone() else { return Err(self.expected("a number")) };
                self.skip();
                number(&text, true)?
            }
            Token::Symbol("?") => {
                self.skip();
                self.parameter()
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
        if self.accept(end) {
            return Ok(elements);
        }
        loop {
            elements.push(self.literal(depth + 1)?.ok_or_else(|| self.expected("a value"))?);
            if self.accept(end) {
                return Ok(elements);
            }
            self.require(",")?;
        }
    }

    fn members(&mut self, depth: usize) -> Result<BTreeMap<String, Value>, StatementError> {
        let mut members = BTreeMap::new();
        if self.accept("}") {
            return Ok(members);
        }
        loop {
            let name = match self.peek().clone() {
                Token::Text(name) | Token::Quoted(name) => name,
                _ => return Err(self.expected("a name in quotes")),
            };
            self.skip();
            self.require(":")?;
            let value = self.literal(depth + 1)?.ok_or_else(|| self.expected("a value"))?;
            if members.insert(name.clone(), value).is_some() {
                return Err(StatementError::RepeatedName(name));
            }
            if self.accept("}") {
                return Ok(members);
            }
            self.require(",")?;
        }
    }

    fn taken(&mut self, value: Value) -> Value {
        self.skip();
        value
    }
}

fn number(text: &str, is_negative: bool) -> Result<Value, StatementError> {
    let text = if is_negative { format!("-{text}") } else { text.to_owned() };
    Number::parse(&text).map(Value::N).map_err(|_| StatementError::Number(text))
}

fn set(elements: Vec<Value>) -> Result<Value, StatementError> {
    let count = elements.len();
    let set = match elements.first() {
        Some(Value::S(_)) => {
            Value::SS(elements.into_iter().filter_map(|value| if let Value::S(text) = value { Some(text) } else { None }).collect())
        }
        Some(Value::N(_)) => {
            Value::NS(elements.into_iter().filter_map(|value| if let Value::N(number) = value { Some(number) } else { None }).collect())
        }
        Some(Value::B(_)) => {
            Value::BS(elements.into_iter().filter_map(|value| if let Value::B(bytes) = value { Some(bytes) } else { None }).collect())
        }
        _ => return Err(StatementError::Set),
    };
    let distinct = match &set {
        Value::SS(set) => set.len(),
        Value::NS(set) => set.len(),
        Value::BS(set) => set.len(),
        _ => 0,
    };
    if distinct == count { Ok(set) } else { Err(StatementError::Set) }
}
