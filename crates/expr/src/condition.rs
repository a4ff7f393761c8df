//! A condition bound to its names and values: a short program over one truth value.
//!
//! Logic is compiled to jumps, so that evaluation is one loop without recursion, whatever the expression's shape:
//!
//! ```text
//!   a AND NOT b OR c      0 test a   1 skip to 4 if false   2 test b   3 not   4 skip to 6 if true   5 test c
//! ```
//!
//! What must stay true: a skip only leads forward, so that every condition ends; tests never fail, they are true or false.

use std::collections::HashSet;

use stator_model::{MapRef, Path, ValueType};

use crate::eval;
use crate::literal::Literal;

/// A condition or filter, ready to be asked of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The truth value becomes that of the test.
    Test(Test),
    /// The truth value becomes the other one.
    Not,
    /// Goes on at `to` when the truth value is `when`.
    Skip { when: bool, to: usize },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    Compare { comparator: Comparator, left: Operand, right: Operand },
    Between { operand: Operand, lower: Operand, upper: Operand },
    In { operand: Operand, list: Vec<Operand> },
    Exists(Path),
    NotExists(Path),
    TypeIs(Path, ValueType),
    BeginsWith { operand: Operand, prefix: Operand },
    Contains { operand: Operand, part: Operand },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    Path(Path),
    Literal(Literal),
    /// `size` of a path. The size of a literal is a literal.
    Size(Path),
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparator::Equal => "=",
            Comparator::NotEqual => "<>",
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
        }
    }

    /// The operator that says the same with its operands exchanged.
    #[must_use]
    pub fn mirrored(self) -> Comparator {
        match self {
            Comparator::Equal | Comparator::NotEqual => self,
            Comparator::Less => Comparator::Greater,
            Comparator::LessOrEqual => Comparator::GreaterOrEqual,
            Comparator::Greater => Comparator::Less,
            Comparator::GreaterOrEqual => Comparator::LessOrEqual,
        }
    }

    /// Whether it asks for an order, which only strings, numbers and binaries have.
    pub fn is_ordering(self) -> bool {
        !matches!(self, Comparator::Equal | Comparator::NotEqual)
    }
}

impl Condition {
    /// Whether an item fulfils the condition; for a missing item ask with [`Condition::matches_nothing`] or an empty map.
    pub fn matches(&self, item: MapRef<'_>) -> bool {
        eval::condition::run(&self.steps, item)
    }

    /// Whether the condition holds when there is no item.
    pub fn matches_nothing(&self) -> bool {
        self.matches(stator_model::Item::empty().map())
    }

    /// Names of the top-level attributes that the condition reads, each once, in order of appearance.
    pub fn attributes(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let names = self.paths().into_iter().map(|path| path.attribute.as_str());
        names.filter(|name| seen.insert(*name)).collect()
    }

    /// The document paths that the condition reads, in order of appearance.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        for step in &self.steps {
            if let Step::Test(test) = step {
                test.paths(&mut paths);
            }
        }
        paths
    }
}

impl Test {
    fn paths<'t>(&'t self, paths: &mut Vec<&'t Path>) {
        let mut operand = |operand: &'t Operand| match operand {
            Operand::Path(path) | Operand::Size(path) => paths.push(path),
            Operand::Literal(_) => {}
        };
        match self {
            Test::Compare { left, right, .. } => [left, right].into_iter().for_each(operand),
            Test::Between { operand: tested, lower, upper } => [tested, lower, upper].into_iter().for_each(operand),
            Test::In { operand: tested, list } => {
                operand(tested);
                list.iter().for_each(operand);
            }
            Test::BeginsWith { operand: tested, prefix: other } | Test::Contains { operand: tested, part: other } => {
                [tested, other].into_iter().for_each(operand);
            }
            Test::Exists(path) | Test::NotExists(path) | Test::TypeIs(path, _) => paths.push(path),
        }
    }
}
