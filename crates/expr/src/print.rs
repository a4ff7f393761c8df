//! Prints trees as expressions.
//!
//! What must stay true: parsing what is printed gives the same tree. Parentheses stand where precedence asks for them and
//! nowhere else, so that none is redundant.

use std::fmt::{Display, Formatter, Result};

use crate::ast::{Clause, ConditionText, Name, Node, NodeId, Path, ProjectionText, Section, Step, Tree, UpdateText};

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Name::Plain(name) | Name::Placeholder(name) => f.write_str(name),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", self.root)?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Name(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        })
    }
}

impl Display for ProjectionText {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        list(f, &self.0)
    }
}

impl Display for ConditionText {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.fmt(f)
    }
}

impl Display for UpdateText {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut section: Option<Section> = None;
        for clause in &self.clauses {
            match section {
                Some(current) if current == clause.section() => f.write_str(", ")?,
                None => write!(f, "{} ", clause.section().keyword())?,
                Some(_) => write!(f, " {} ", clause.section().keyword())?,
            }
            section = Some(clause.section());
            match clause {
                Clause::Set(path, tree) => write!(f, "{path} = {tree}")?,
                Clause::Remove(path) => write!(f, "{path}")?,
                Clause::Add(path, value) | Clause::Delete(path, value) => write!(f, "{path} {value}")?,
            }
        }
        Ok(())
    }
}

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.print(f, self.root(), LOOSEST)
    }
}

/// Precedences as printed: a node whose own is lower than what its place asks for stands in parentheses.
const LOOSEST: u8 = 0;
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const TEST: u8 = 4;

impl Tree {
    /// Recursion is bounded by the number of operators of an expression (300).
    fn print(&self, f: &mut Formatter<'_>, id: NodeId, place: u8) -> Result {
        let own = match self.node(id) {
            Node::Or(..) => OR,
            Node::And(..) => AND,
            Node::Not(_) => NOT,
            _ => TEST,
        };
        if own < place {
            f.write_str("(")?;
        }
        match self.node(id) {
            Node::Path(path) => write!(f, "{path}")?,
            Node::Value(placeholder) => f.write_str(placeholder)?,
            Node::Call { function, arguments } => {
                write!(f, "{function}(")?;
                list(f, arguments.iter().map(|argument| self.part(*argument)))?;
                f.write_str(")")?;
            }
            Node::Compare { comparator, left, right } => write!(f, "{} {} {}", self.part(*left), comparator.symbol(), self.part(*right))?,
            Node::Between { operand, lower, upper } => {
                write!(f, "{} BETWEEN {} AND {}", self.part(*operand), self.part(*lower), self.part(*upper))?;
            }
            Node::In { operand, list: operands } => {
                write!(f, "{} IN (", self.part(*operand))?;
                list(f, operands.iter().map(|operand| self.part(*operand)))?;
                f.write_str(")")?;
            }
            Node::Not(inner) => {
                f.write_str("NOT ")?;
                self.print(f, *inner, NOT)?;
            }
            Node::And(left, right) => self.print_pair(f, *left, " AND ", *right, AND)?,
            Node::Or(left, right) => self.print_pair(f, *left, " OR ", *right, OR)?,
            Node::Plus(left, right) => write!(f, "{} + {}", self.part(*left), self.part(*right))?,
            Node::Minus(left, right) => write!(f, "{} - {}", self.part(*left), self.part(*right))?,
        }
        if own < place { f.write_str(")") } else { Ok(()) }
    }

    /// Operators of equal precedence lean left: the right one needs parentheses.
    fn print_pair(&self, f: &mut Formatter<'_>, left: NodeId, between: &str, right: NodeId, own: u8) -> Result {
        self.print(f, left, own)?;
        f.write_str(between)?;
        self.print(f, right, own + 1)
    }

    fn part(&self, id: NodeId) -> Part<'_> {
        Part(self, id)
    }
}

/// An operand within its tree.
struct Part<'t>(&'t Tree, NodeId);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.0.print(f, self.1, LOOSEST)
    }
}

fn list<D: Display>(f: &mut Formatter<'_>, items: impl IntoIterator<Item = D>) -> Result {
    items.into_iter().enumerate().try_for_each(|(at, item)| if at == 0 { write!(f, "{item}") } else { write!(f, ", {item}") })
}
