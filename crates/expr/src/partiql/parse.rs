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
//! Source: developer guide, "PartiQL for DynamoDB reference". What must stay true: trees are made children first.

use stator_model::{Item, Value};

use super::lex::{Token, tokenize};
use super::statement::{Body, Returning, Source, Statement};
use super::{DEPTH_MAX, StatementError};
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
        return Err(parser.expected("the end of the statement"));
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
        if self.accept(symbol) { Ok(()) } else { Err(self.expected(symbol)) }
    }

    pub(super) fn expected(&self, wanted: &'static str) -> StatementError {
        let found = match self.peek() {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) | Token::Number(text) => text.clone(),
            Token::Symbol(symbol) => (*symbol).to_owned(),
            Token::End => String::new(),
        };
        StatementError::Expected { wanted, found }
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
        if self.keyword(keyword) { Ok(()) } else { Err(self.expected(keyword)) }
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
        if self.keyword("EXISTS") {
            self.require("(")?;
            self.require_keyword("SELECT")?;
            let Body::Select { source, condition, .. } = self.select()? else { return Err(StatementError::NoStatement) };
            let condition = condition.ok_or_else(|| self.expected("WHERE"))?;
            self.require(")")?;
            return Ok(Body::Exists { source, condition });
        }
        Err(StatementError::NoStatement)
    }

    fn select(&mut self) -> Parsed<Body> {
        let projection = if self.accept("*") { None } else { Some(ProjectionText(self.separated(Parser::path)?)) };
        self.require_keyword("FROM")?;
        let table = self.name("a table")?;
        let index = if self.accept(".") { Some(self.name("an index")?) } else { None };
        let condition = if self.keyword("WHERE") { Some(self.condition()?) } else { None };
        let mut order = Vec::new();
        if self.keyword("ORDER") {
            self.require_keyword("BY")?;
            order = self.separated(|parser| {
                let name = parser.name("an attribute")?;
                let descends = parser.keyword("DESC");
                if !descends {
                    parser.keyword("ASC");
                }
                Ok((name, descends))
            })?;
        }
        Ok(Body::Select { source: Source { table, index }, projection, condition, order })
    }

    fn insert(&mut self) -> Parsed<Body> {
        self.require_keyword("INTO")?;
        let table = self.name("a table")?;
        self.require_keyword("VALUE")?;
        match self.literal(0)? {
            Some(Value::M(members)) => {
                let item: Item = members.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
                Ok(Body::Insert { table, item })
            }
            _ => Err(self.expected("a tuple")),
        }
    }

    fn update(&mut self) -> Parsed<Body> {
        let table = self.name("a table")?;
        let mut clauses = Vec::new();
        loop {
            if self.keyword("SET") {
                clauses.extend(self.separated(Parser::set_clause)?);
            } else if self.keyword("REMOVE") {
                clauses.extend(self.separated(Parser::path)?.into_iter().map(Clause::Remove));
            } else {
                break;
            }
        }
        if clauses.is_empty() {
            return Err(self.expected("SET or REMOVE"));
        }
        self.require_keyword("WHERE")?;
        let condition = self.condition()?;
        let returning = self.returning()?;
        Ok(Body::Update { table, update: UpdateText { clauses, repeated_section: None }, condition, returning })
    }

    fn delete(&mut self) -> Parsed<Body> {
        self.require_keyword("FROM")?;
        let table = self.name("a table")?;
        self.require_keyword("WHERE")?;
        let condition = self.condition()?;
        match self.returning()? {
            None => Ok(Body::Delete { table, condition, returns_old: false }),
            Some(Returning::AllOld) => Ok(Body::Delete { table, condition, returns_old: true }),
            Some(_) => Err(StatementError::Expected { wanted: "RETURNING ALL OLD *", found: "another form".to_owned() }),
        }
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
        let path = self.path()?;
        self.require("=")?;
        let is_set = |name: &str| matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(name));
        let (adds, deletes) = (is_set("set_add"), is_set("set_delete"));
        if adds || deletes {
            self.skip();
            self.require("(")?;
            self.path()?;
            self.require(",")?;
            let value = self.literal(0)?.ok_or_else(|| self.expected("a set"))?;
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
            let right = self.and(tree, depth)?;
            left = tree.push(Node::Or(left, right));
        }
        Ok(left)
    }

    fn and(&mut self, tree: &mut Tree, depth: usize) -> Parsed<NodeId> {
        let mut left = self.not(tree, depth)?;
        while self.keyword("AND") {
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
            let lower = self.operand(tree)?;
            self.require_keyword("AND")?;
            let upper = self.operand(tree)?;
            tree.push(Node::Between { operand, lower, upper })
        } else if self.keyword("IN") {
            let list = self.in_list(tree)?;
            tree.push(Node::In { operand, list })
        } else if is_negated {
            return Err(self.expected("BETWEEN or IN"));
        } else {
            let comparator = self.comparator()?;
            let right = self.operand(tree)?;
            tree.push(Node::Compare { comparator, left: operand, right })
        };
        Ok(if is_negated { tree.push(Node::Not(test)) } else { test })
    }

    /// `IS [NOT] MISSING` and `IS [NOT] NULL`.
    fn is_test(&mut self, tree: &mut Tree, operand: NodeId) -> Parsed<NodeId> {
        let is_negated = self.keyword("NOT");
        if self.keyword("MISSING") {
            let function = if is_negated { "attribute_exists" } else { "attribute_not_exists" };
            return Ok(tree.push(Node::Call { function: function.to_owned(), arguments: vec![operand] }));
        }
        self.require_keyword("NULL")?;
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
            _ => return Err(self.expected("a list")),
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
            _ => return Err(self.expected("a comparison")),
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
        let node = match self.literal(0)? {
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
        let root = self.name("an attribute")?;
        let mut path = Path { root: self.placeholder(root), steps: Vec::new() };
        loop {
            if self.accept(".") {
                let name = self.name("an attribute")?;
                path.steps.push(Step::Name(self.placeholder(name)));
            } else if self.accept("[") {
                let step = match self.peek().clone() {
                    Token::Number(text) => text.parse().map(Step::Index).map_err(|_| StatementError::Number(text))?,
                    Token::Text(name) => Step::Name(self.placeholder(name)),
                    _ => return Err(self.expected("a position")),
                };
                self.skip();
                self.require("]")?;
                path.steps.push(step);
            } else {
                return Ok(path);
            }
        }
    }

    fn name(&mut self, wanted: &'static str) -> Parsed<String> {
        match self.peek().clone() {
            Token::Quoted(name) => {
                self.skip();
                Ok(name)
            }
            Token::Word(word) if !is_keyword(&word) => {
                self.skip();
                Ok(word)
            }
            _ => Err(self.expected(wanted)),
        }
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

/// Words that end what stands before them, and so cannot be names without quotes.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: [&str; 24] = [
        "SELECT",
        "FROM",
        "WHERE",
        "ORDER",
        "BY",
        "INSERT",
        "INTO",
        "VALUE",
        "UPDATE",
        "SET",
        "REMOVE",
        "DELETE",
        "RETURNING",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "IN",
        "IS",
        "MISSING",
        "NULL",
        "TRUE",
        "FALSE",
        "EXISTS",
    ];
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}
