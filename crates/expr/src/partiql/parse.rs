//! From tokens to a statement. One function per rule of the grammar.
//!
//! ```text
//!   SELECT * | path, …  FROM table[.index]  [WHERE condition]  [ORDER BY name [ASC|DESC], …]
//!   INSERT INTO table VALUE {…}
//!   UPDATE table  (SET path = value, … | REMOVE path)…  WHERE condition  [RETURNING (ALL|MODIFIED) (OLD|NEW) *]
//!   DELETE FROM table  WHERE condition  [RETURNING ALL OLD *]
//!   EXISTS (SELECT …)
//! ```
//!
//! Source: developer guide, "PartiQL for DynamoDB reference". The service reads statements with the parser of the PartiQL
//! reference implementation, so complaints are told apart as that one tells them apart. What must stay true: trees are made
//! children first.

use stator_model::{Item, Value};

use super::keyword::is_keyword;
use super::lex::{Token, tokenize};
use super::statement::{Body, Returning, Source, Statement};
use super::{DEPTH_MAX, Misfit, StatementError};
use crate::ast::{Clause, Name, Node, NodeId, Path, ProjectionText, Step, Tree, UpdateText};
use crate::condition::Comparator;

type Parsed<T> = Result<T, StatementError>;

pub(super) struct Parser<'p> {
    tokens: Vec<Token>,
    at: usize,
    parameters: &'p [Value],
    parameters_used: usize,
    names: Vec<String>,
    values: Vec<Value>,
}

/// Reads a statement; each `?` stands for the next parameter.
pub fn parse(text: &str, parameters: &[Value]) -> Parsed<Statement> {
    let tokens = tokenize(text)?;
    let mut parser = Parser { tokens, at: 0, parameters, parameters_used: 0, names: Vec::new(), values: Vec::new() };
    let body = parser.statement()?;
    parser.accept(";");
    if *parser.peek() != Token::End {
        return Err(StatementError::Trailing);
    }
    if parser.parameters_used != parameters.len() {
        return Err(StatementError::ParameterCount { wanted: parser.parameters_used, given: parameters.len() });
    }
    Ok(Statement { body, names: parser.names, values: parser.values })
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(super) fn skip(&mut self) {
        self.at += 1;
    }

    pub(super) fn accept(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn require(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.accept(symbol) { Ok(()) } else { Err(StatementError::Token(symbol)) }
    }

    /// What stands where an operand had to stand.
    pub(super) fn misfit(&self) -> StatementError {
        StatementError::Operand(match self.peek() {
            Token::Word(word) if is_keyword(word) => Misfit::Keyword,
            Token::Symbol("=" | "<" | ">" | "<=" | ">=" | "<>" | "!=" | "+" | "-" | "/" | "%" | "||" | "@") => Misfit::Operator,
            Token::Word(_) | Token::Quoted(_) | Token::Text(_) | Token::Number(_) | Token::Symbol(_) | Token::End => Misfit::Other,
        })
    }

    /// The next parameter; a missing one is noticed in the end, when all have been counted.
    pub(super) fn parameter(&mut self) -> Value {
        let value = self.parameters.get(self.parameters_used).cloned().unwrap_or(Value::Null);
        self.parameters_used += 1;
        value
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    fn require_keyword(&mut self, keyword: &'static str) -> Parsed<()> {
        if self.keyword(keyword) { Ok(()) } else { Err(StatementError::Keyword(keyword)) }
    }

    fn statement(&mut self) -> Parsed<Body> {
        if self.keyword("SELECT") {
            return self.select();
        }
        if self.keyword("INSERT") {
            return self.insert();
        }
        if self.keyword("UPDATE") {
            return self.update();
        }
        if self.keyword("DELETE") {
            return self.delete();
        }
        if self.is_call("EXISTS") {
            self.skip();
            self.require("(")?;
            self.require_keyword("SELECT")?;
            let Body::Select { source, condition, .. } = self.select()? else { return Err(StatementError::NoOperation) };
            let condition = condition.ok_or(StatementError::NoCondition)?;
            self.require(")")?;
            return Ok(Body::Exists { source, condition });
        }
        // What begins otherwise is an expression to the reference implementation, and runs into FROM or its end.
        Err(if self.is_name() { StatementError::NoOperation } else { self.misfit() })
    }

    fn select(&mut self) -> Parsed<Body> {
        if self.keyword("DISTINCT") {
            return Err(StatementError::Clause("DISTINCT"));
        }
        if self.is_keyword("FROM") {
            return Err(StatementError::NoOperation);
        }
        let projection = if self.accept("*") { None } else { Some(ProjectionText(self.separated(Parser::column)?)) };
        if !self.keyword("FROM") {
            return Err(if self.is_alias() { StatementError::Alias } else { StatementError::From("SELECT list") });
        }
        let table = self.name()?;
        let index = if self.accept(".") { Some(self.name_behind_dot()?) } else { None };
        self.refuse_alias()?;
        let condition = if self.keyword("WHERE") { Some(self.condition()?) } else { None };
        if let Some(clause) = ["GROUP", "HAVING", "LIMIT", "JOIN", "LET", "UNION"].into_iter().find(|clause| self.is_keyword(clause)) {
            return Err(StatementError::Clause(clause));
        }
        let order = self.order()?;
        if self.is_keyword("LIMIT") {
            return Err(StatementError::Clause("LIMIT"));
        }
        Ok(Body::Select { source: Source { table, index }, projection, condition, order })
    }

    fn column(&mut self) -> Parsed<Path> {
        if let Token::Word(word) = self.peek().clone()
            && self.is_call(&word)
        {
            return Err(StatementError::Function(word));
        }
        self.path()
    }

    fn order(&mut self) -> Parsed<Vec<(String, bool)>> {
        if !self.keyword("ORDER") {
            return Ok(Vec::new());
        }
        self.require_keyword("BY")?;
        self.separated(|parser| {
            let name = parser.name()?;
            let descends = parser.keyword("DESC");
            if !descends {
                parser.keyword("ASC");
            }
            Ok((name, descends))
        })
    }

    fn insert(&mut self) -> Parsed<Body> {
        // "INSERT INTO" is one keyword, and half of it is none that begins anything.
        if !self.keyword("INTO") {
            return Err(StatementError::Operand(Misfit::Keyword));
        }
        let table = self.target_name()?;
        if !self.keyword("VALUE") {
            return Err(self.without_value());
        }
        match self.literal(0)? {
            Some(Value::M(members)) => {
                let item: Item = members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                Ok(Body::Insert { table, item })
            }
            Some(_) => Err(StatementError::NoTuple),
            None => Err(self.misfit()),
        }
    }

    /// Why `INSERT INTO table` without `VALUE` is refused: what follows is read as an expression, and does not end there.
    fn without_value(&mut self) -> StatementError {
        if self.accept("(") && self.is_name() { StatementError::Trailing } else { self.misfit() }
    }

    fn update(&mut self) -> Parsed<Body> {
        let table = self.target_name()?;
        self.refuse_alias()?;
        let mut clauses = Vec::new();
        loop {
            if self.keyword("SET") {
                clauses.extend(self.separated(Parser::set_clause)?);
            } else if self.keyword("REMOVE") {
                clauses.extend(self.separated(Parser::target)?.into_iter().map(Clause::Remove));
            } else {
                break;
            }
        }
        if clauses.is_empty() {
            return Err(StatementError::NoOperation);
        }
        let condition = self.condition_of_write()?;
        let returning = self.returning()?;
        Ok(Body::Update { table, update: UpdateText { clauses, repeated_section: None }, condition, returning })
    }

    fn delete(&mut self) -> Parsed<Body> {
        if !self.keyword("FROM") {
            return Err(StatementError::From("DELETE"));
        }
        let table = self.target_name()?;
        self.refuse_alias()?;
        let condition = self.condition_of_write()?;
        match self.returning()? {
            None => Ok(Body::Delete { table, condition, returns_old: false }),
            Some(Returning::AllOld) => Ok(Body::Delete { table, condition, returns_old: true }),
            Some(_) => Err(StatementError::Clause("RETURNING")),
        }
    }

    fn condition_of_write(&mut self) -> Parsed<Tree> {
        if self.keyword("WHERE") {
            return self.condition();
        }
        Err(if *self.peek() == Token::End { StatementError::NoCondition } else { StatementError::Trailing })
    }

    fn returning(&mut self) -> Parsed<Option<Returning>> {
        if !self.keyword("RETURNING") {
            return Ok(None);
        }
        let is_all = self.keyword("ALL");
        if !is_all {
            self.require_keyword("MODIFIED")?;
        }
        let is_old = self.keyword("OLD");
        if !is_old {
            self.require_keyword("NEW")?;
        }
        self.require("*")?;
        Ok(Some(match (is_all, is_old) {
            (true, true) => Returning::AllOld,
            (true, false) => Returning::AllNew,
            (false, true) => Returning::ModifiedOld,
            (false, false) => Returning::ModifiedNew,
        }))
    }

    /// `path = operand [+|- operand]`; `set_add` and `set_delete` are the sections ADD and DELETE of an update.
    fn set_clause(&mut self) -> Parsed<Clause> {
        let path = self.target()?;
        if !self.accept("=") {
            return Err(StatementError::Assignment);
        }
        let (adds, deletes) = (self.is_call("set_add"), self.is_call("set_delete"));
        if adds || deletes {
            self.skip();
            self.require("(")?;
            if self.path()? != path {
                return Err(StatementError::SetPath);
            }
            self.require(",")?;
            let value = self.literal(1)?.ok_or_else(|| self.misfit())?;
            if !matches!(value, Value::SS(_) | Value::NS(_) | Value::BS(_)) {
                return Err(StatementError::SetOperand);
            }
            self.require(")")?;
            let placeholder = self.value(value);
            return Ok(if adds { Clause::Add(path, placeholder) } else { Clause::Delete(path, placeholder) });
        }
        let mut tree = Tree::default();
        let left = self.set_operand(&mut tree, 0)?;
        if self.accept("+") {
            let right = self.set_operand(&mut tree, 0)?;
            tree.push(Node::Plus(left, right));
        } else if self.accept("-") {
            let right = self.set_operand(&mut tree, 0)?;
            tree.push(Node::Minus(left, right));
        }
        Ok(Clause::Set(path, tree))
    }

    fn set_operand(&mut self, tree: &mut Tree, depth: usize) -> Parsed<NodeId> {
        if depth > DEPTH_MAX {
            return Err(StatementError::TooDeep);
        }
        let function = ["list_append", "if_not_exists"].into_iter().find(|name| self.is_call(name));
        let Some(function) = function else { return self.leaf(tree) };
        self.skip();
        self.require("(")?;
        let first = self.set_operand(tree, depth + 1)?;
        self.require(",")?;
        let second = self.set_operand(tree, depth + 1)?;
        self.require(")")?;
        Ok(tree.push(Node::Call { function: function.to_owned(), arguments: vec![first, second] }))
    }

    fn condition(&mut self) -> Parsed<Tree> {
        let mut tree = Tree::default();
        self.or(&mut tree, 0)?;
        Ok(tree)
    }

    fn or(&mut self, tree: &mut Tree, depth: usize) -> Parsed<NodeId> {
        let mut left = self.and(tree, depth)?;
        while self.keyword("OR") {
            self.require_right_side()?;
            let right = self.and(tree, depth)?;
            left = tree.push(Node::Or(left, right));
        }
        Ok(left)
    }

    fn and(&mut self, tree: &mut Tree, depth: usize) -> Parsed<NodeId> {
        let mut left = self.not(tree, depth)?;
        while self.keyword("AND") {
            self.require_right_side()?;
            let right = self.not(tree, depth)?;
            left = tree.push(Node::And(left, right));
        }
        Ok(left)
    }

    fn not(&mut self, tree: &mut Tree, depth: usize) -> Parsed<NodeId> {
        if depth > DEPTH_MAX {
            return Err(StatementError::TooDeep);
        }
        if self.keyword("NOT") {
            let inner = self.not(tree, depth + 1)?;
            return Ok(tree.push(Node::Not(inner)));
        }
        if self.accept("(") {
            let inner = self.or(tree, depth + 1)?;
            self.require(")")?;
            return Ok(inner);
        }
        self.test(tree)
    }

    fn test(&mut self, tree: &mut Tree) -> Parsed<NodeId> {
        let condition = ["begins_with", "contains", "attribute_type"].into_iter().find(|name| self.is_call(name));
        if let Some(function) = condition {
            self.skip();
            self.require("(")?;
            let arguments = self.separated(|parser| parser.operand(tree))?;
            self.require(")")?;
            return Ok(tree.push(Node::Call { function: function.to_owned(), arguments }));
        }
        let operand = self.operand(tree)?;
        if self.keyword("IS") {
            return self.is_test(tree, operand);
        }
        let is_negated = self.keyword("NOT");
        let test = if self.keyword("BETWEEN") {
            self.require_right_side()?;
            let lower = self.operand(tree)?;
            self.require_keyword("AND")?;
            let upper = self.operand(tree)?;
            tree.push(Node::Between { operand, lower, upper })
        } else if self.keyword("IN") {
            self.require_right_side()?;
            let list = self.in_list(tree)?;
            tree.push(Node::In { operand, list })
        } else if self.is_keyword("LIKE") {
            return Err(StatementError::Clause("LIKE"));
        } else if is_negated {
            return Err(StatementError::Trailing);
        } else {
            let comparator = self.comparator()?;
            self.require_right_side()?;
            let right = self.operand(tree)?;
            tree.push(Node::Compare { comparator, left: operand, right })
        };
        Ok(if is_negated { tree.push(Node::Not(test)) } else { test })
    }

    fn require_right_side(&self) -> Parsed<()> {
        if *self.peek() == Token::End { Err(StatementError::RightSide) } else { Ok(()) }
    }

    /// `IS [NOT] MISSING` and `IS [NOT] NULL`.
    fn is_test(&mut self, tree: &mut Tree, operand: NodeId) -> Parsed<NodeId> {
        let is_negated = self.keyword("NOT");
        if self.keyword("MISSING") {
            let function = if is_negated { "attribute_exists" } else { "attribute_not_exists" };
            return Ok(tree.push(Node::Call { function: function.to_owned(), arguments: vec![operand] }));
        }
        if !self.keyword("NULL") {
            return Err(StatementError::TypeName);
        }
        let placeholder = self.value(Value::S("NULL".to_owned()));
        let kind = tree.push(Node::Value(placeholder));
        let test = tree.push(Node::Call { function: "attribute_type".to_owned(), arguments: vec![operand, kind] });
        Ok(if is_negated { tree.push(Node::Not(test)) } else { test })
    }

    /// In brackets or parentheses; a parameter may be the whole list.
    fn in_list(&mut self, tree: &mut Tree) -> Parsed<Vec<NodeId>> {
        if self.accept("(") {
            let list = self.separated(|parser| parser.operand(tree))?;
            self.require(")")?;
            return Ok(list);
        }
        let values = match self.literal(0)? {
            Some(Value::L(values)) if !values.is_empty() => values,
            Some(_) => return Err(StatementError::Trailing),
            None => return Err(self.misfit()),
        };
        Ok(values.into_iter().map(|value| Node::Value(self.value(value))).map(|node| tree.push(node)).collect())
    }

    fn comparator(&mut self) -> Parsed<Comparator> {
        let comparator = match self.peek() {
            Token::Symbol("=") => Comparator::Equal,
            Token::Symbol("<>" | "!=") => Comparator::NotEqual,
            Token::Symbol("<") => Comparator::Less,
            Token::Symbol("<=") => Comparator::LessOrEqual,
            Token::Symbol(">") => Comparator::Greater,
            Token::Symbol(">=") => Comparator::GreaterOrEqual,
            _ => return Err(StatementError::Trailing),
        };
        self.skip();
        Ok(comparator)
    }

    fn operand(&mut self, tree: &mut Tree) -> Parsed<NodeId> {
        if !self.is_call("size") {
            return self.leaf(tree);
        }
        self.skip();
        self.require("(")?;
        let path = self.leaf(tree)?;
        self.require(")")?;
        Ok(tree.push(Node::Call { function: "size".to_owned(), arguments: vec![path] }))
    }

    fn leaf(&mut self, tree: &mut Tree) -> Parsed<NodeId> {
        if let Token::Word(word) = self.peek().clone()
            && self.is_call(&word)
        {
            return Err(StatementError::Function(word));
        }
        let node = match self.literal(1)? {
            Some(value) => Node::Value(self.value(value)),
            None => Node::Path(self.path()?),
        };
        Ok(tree.push(node))
    }

    fn is_call(&self, name: &str) -> bool {
        let is_next = matches!(self.tokens.get(self.at + 1), Some(Token::Symbol("(")));
        is_next && self.is_keyword(name)
    }

    /// `name`, then `.name`, `[position]` or `['name']`.
    fn path(&mut self) -> Parsed<Path> {
        let root = self.name()?;
        self.steps(root)
    }

    /// The path of what is written to.
    fn target(&mut self) -> Parsed<Path> {
        let root = self.target_name()?;
        self.steps(root)
    }

    fn steps(&mut self, root: String) -> Parsed<Path> {
        let mut path = Path { root: self.placeholder(root), steps: Vec::new() };
        loop {
            if self.accept(".") {
                let name = self.name_behind_dot()?;
                path.steps.push(Step::Name(self.placeholder(name)));
            } else if self.accept("[") {
                let step = match self.peek().clone() {
                    Token::Number(text) => text.parse().map(Step::Index).map_err(|_| StatementError::PathStep)?,
                    Token::Text(name) => Step::Name(self.placeholder(name)),
                    Token::Word(_) | Token::Quoted(_) | Token::Symbol(_) | Token::End => return Err(StatementError::PathStep),
                };
                self.skip();
                self.require("]")?;
                path.steps.push(step);
            } else {
                return Ok(path);
            }
        }
    }

    fn name(&mut self) -> Parsed<String> {
        self.accept_name().ok_or_else(|| self.misfit())
    }

    fn name_behind_dot(&mut self) -> Parsed<String> {
        self.accept_name().ok_or(StatementError::PathStep)
    }

    fn target_name(&mut self) -> Parsed<String> {
        self.accept_name().ok_or(StatementError::Target)
    }

    fn is_name(&self) -> bool {
        matches!(self.peek(), Token::Quoted(_)) || matches!(self.peek(), Token::Word(word) if !is_keyword(word))
    }

    fn accept_name(&mut self) -> Option<String> {
        let (true, Token::Quoted(name) | Token::Word(name)) = (self.is_name(), self.peek().clone()) else { return None };
        self.skip();
        Some(name)
    }

    fn is_alias(&self) -> bool {
        self.is_name() || self.is_keyword("AS") || self.is_keyword("AT")
    }

    fn refuse_alias(&self) -> Parsed<()> {
        if self.is_alias() { Err(StatementError::Alias) } else { Ok(()) }
    }

    fn separated<T>(&mut self, mut element: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut elements = vec![element(self)?];
        while self.accept(",") {
            elements.push(element(self)?);
        }
        Ok(elements)
    }

    fn placeholder(&mut self, name: String) -> Name {
        let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        Name::Placeholder(format!("#{at}"))
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!(":{}", self.values.len() - 1)
    }
}
