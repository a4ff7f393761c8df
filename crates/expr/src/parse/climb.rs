//! Operators by precedence: one table, one loop, and a stack of what is still open.
//!
//! ```text
//!   text    a = :x AND NOT ( b < :y OR c ...
//!   open    And(a = :x)  Not  Group  Or(b < :y)      what waits for what follows
//! ```
//!
//! Every round reads one operand and then climbs: what is open and binds at least as tightly as the next operator is
//! closed around the operand. Conditions and operands share the loop; each open thing says which of the two it takes, and
//! a token after which the wrong one would stand is the one the service reports.
//!
//! What must stay true: no recursion; the loop ends because every round takes at least one token.

use super::Parser;
use crate::ast::{Node, NodeId, Tree};
use crate::condition::Comparator;
use crate::error::ExprError;
use crate::lex::TokenKind;

/// How tightly an operator binds, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precedence {
    Or,
    And,
    Not,
    Comparison,
    Sum,
}

/// An operator that stands between operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Infix {
    Or,
    And,
    Compare(Comparator),
    Between,
    In,
    Plus,
    Minus,
}

/// The table: how an infix operator is written and how tightly it binds.
const INFIXES: [(&str, Infix, Precedence); 12] = [
    ("OR", Infix::Or, Precedence::Or),
    ("AND", Infix::And, Precedence::And),
    ("=", Infix::Compare(Comparator::Equal), Precedence::Comparison),
    ("<>", Infix::Compare(Comparator::NotEqual), Precedence::Comparison),
    ("<", Infix::Compare(Comparator::Less), Precedence::Comparison),
    ("<=", Infix::Compare(Comparator::LessOrEqual), Precedence::Comparison),
    (">", Infix::Compare(Comparator::Greater), Precedence::Comparison),
    (">=", Infix::Compare(Comparator::GreaterOrEqual), Precedence::Comparison),
    ("BETWEEN", Infix::Between, Precedence::Comparison),
    ("IN", Infix::In, Precedence::Comparison),
    ("+", Infix::Plus, Precedence::Sum),
    ("-", Infix::Minus, Precedence::Sum),
];

/// What a finished piece can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// A path or a value.
    Operand,
    /// A comparison, or conditions combined.
    Condition,
    /// A call: which of the two depends on the function, which the grammar does not know.
    Call,
    /// A sum or difference.
    Sum,
}

/// A finished piece.
#[derive(Debug, Clone, Copy)]
struct Piece {
    node: NodeId,
    sort: Sort,
    is_group: bool,
}

/// What waits for pieces to come.
enum Open {
    Group {
        takes: Takes,
    },
    Call {
        function: String,
        arguments: Vec<NodeId>,
    },
    List {
        operand: NodeId,
        list: Vec<NodeId>,
    },
    Not,
    Infix {
        infix: Infix,
        left: NodeId,
    },
    /// The upper bound is still to come.
    Bounds {
        operand: NodeId,
        lower: NodeId,
    },
}

/// What may stand in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Conditions,
    Operands,
    /// An operand, or a sum of two.
    Sums,
}

impl Open {
    fn takes(&self) -> Takes {
        match self {
            Open::Group { takes } => *takes,
            Open::Not | Open::Infix { infix: Infix::Or | Infix::And, .. } => Takes::Conditions,
            Open::Call { .. } | Open::List { .. } | Open::Infix { .. } | Open::Bounds { .. } => Takes::Operands,
        }
    }

    /// How tightly it holds on to the piece behind it; `None` if only its closing mark ends it.
    fn precedence(&self) -> Option<Precedence> {
        match self {
            Open::Group { .. } | Open::Call { .. } | Open::List { .. } => None,
            Open::Not => Some(Precedence::Not),
            Open::Bounds { .. } => Some(Precedence::Comparison),
            Open::Infix { infix, .. } => INFIXES.iter().find(|(_, candidate, _)| candidate == infix).map(|(_, _, precedence)| *precedence),
        }
    }
}

/// Parses to the end of the text.
pub(super) fn condition(parser: &mut Parser<'_>) -> Result<Tree, ExprError> {
    let mut climber = Climber { tree: Tree::default(), open: Vec::new(), outermost: Takes::Conditions };
    let piece = climber.run(parser)?;
    let is_complete = parser.kind() == TokenKind::End && piece.sort != Sort::Operand;
    if is_complete { Ok(climber.tree) } else { Err(parser.unexpected()) }
}

/// Parses one value of SET; whatever cannot belong to it is left.
pub(super) fn set_value(parser: &mut Parser<'_>) -> Result<Tree, ExprError> {
    let mut climber = Climber { tree: Tree::default(), open: Vec::new(), outermost: Takes::Sums };
    climber.run(parser)?;
    Ok(climber.tree)
}

struct Climber {
    tree: Tree,
    open: Vec<Open>,
    outermost: Takes,
}

impl Climber {
    fn takes(&self) -> Takes {
        self.open.last().map_or(self.outermost, Open::takes)
    }

    fn run(&mut self, parser: &mut Parser<'_>) -> Result<Piece, ExprError> {
        loop {
            let Some(piece) = self.operand(parser)? else { continue };
            if let Some(whole) = self.climb(parser, piece)? {
                return Ok(whole);
            }
        }
    }

    /// Reads an operand, or opens what stands before one.
    fn operand(&mut self, parser: &mut Parser<'_>) -> Result<Option<Piece>, ExprError> {
        let takes = self.takes();
        if parser.takes("(") {
            self.open.push(Open::Group { takes });
            return Ok(None);
        }
        if parser.is_keyword("NOT") && takes == Takes::Conditions {
            parser.advance();
            self.open.push(Open::Not);
            return Ok(None);
        }
        let is_operator =
            self.outermost == Takes::Conditions && ["NOT", "AND", "OR", "IN", "BETWEEN"].iter().any(|word| parser.is_keyword(word));
        if is_operator {
            return Err(parser.unexpected());
        }
        if parser.is_call() {
            let function = parser.text().to_owned();
            parser.advance();
            parser.advance();
            self.open.push(Open::Call { function, arguments: Vec::new() });
            return Ok(None);
        }
        let node = match parser.kind() {
            TokenKind::ValuePlaceholder => Node::Value(parser.value()?),
            _ => Node::Path(parser.path()?),
        };
        Ok(Some(Piece { node: self.tree.push(node), sort: Sort::Operand, is_group: false }))
    }

    /// Closes what the piece completes until an operator opens something again (`None`) or nothing is open (the whole).
    fn climb(&mut self, parser: &mut Parser<'_>, mut piece: Piece) -> Result<Option<Piece>, ExprError> {
        loop {
            if let Some((infix, precedence)) = self.infix(parser) {
                if infix == Infix::And && self.open_bounds(piece) {
                    parser.advance();
                    return Ok(None);
                }
                while self.open.last().and_then(Open::precedence).is_some_and(|open| open >= precedence) {
                    piece = self.close_operator(parser, piece)?;
                }
                self.open_infix(parser, infix, piece)?;
                return Ok(None);
            }
            match self.open.last() {
                None => return Ok(Some(piece)),
                Some(open) if open.precedence().is_some() => {
                    let is_bounds = matches!(open, Open::Infix { infix: Infix::Between, .. });
                    if is_bounds {
                        return Err(parser.unexpected());
                    }
                    piece = self.close_operator(parser, piece)?;
                }
                Some(_) => match self.close_bracket(parser, piece)? {
                    Some(closed) => piece = closed,
                    None => return Ok(None),
                },
            }
        }
    }

    /// The infix operator that is next, if it can mean one here.
    fn infix(&self, parser: &Parser<'_>) -> Option<(Infix, Precedence)> {
        if !matches!(parser.kind(), TokenKind::Word | TokenKind::Symbol) {
            return None;
        }
        let found = INFIXES.iter().find(|(text, _, _)| parser.text().eq_ignore_ascii_case(text));
        let (_, infix, precedence) = found?;
        let is_sum = *precedence == Precedence::Sum;
        (is_sum == (self.outermost == Takes::Sums)).then_some((*infix, *precedence))
    }

    /// Makes a node of the innermost operator and the piece behind it.
    fn close_operator(&mut self, parser: &Parser<'_>, piece: Piece) -> Result<Piece, ExprError> {
        let open = self.open.pop().expect("an open operator was seen");
        let fits = match open.takes() {
            Takes::Conditions => matches!(piece.sort, Sort::Condition | Sort::Call),
            Takes::Operands | Takes::Sums => matches!(piece.sort, Sort::Operand | Sort::Call),
        };
        if !fits {
            return Err(parser.unexpected());
        }
        let (node, sort) = match open {
            Open::Not => (Node::Not(piece.node), Sort::Condition),
            Open::Bounds { operand, lower } => (Node::Between { operand, lower, upper: piece.node }, Sort::Condition),
            Open::Infix { infix, left } => match infix {
                Infix::Or => (Node::Or(left, piece.node), Sort::Condition),
                Infix::And => (Node::And(left, piece.node), Sort::Condition),
                Infix::Compare(comparator) => (Node::Compare { comparator, left, right: piece.node }, Sort::Condition),
                Infix::Plus => (Node::Plus(left, piece.node), Sort::Sum),
                Infix::Minus => (Node::Minus(left, piece.node), Sort::Sum),
                Infix::Between | Infix::In => return Err(parser.unexpected()),
            },
            Open::Group { .. } | Open::Call { .. } | Open::List { .. } => unreachable!("brackets have no precedence"),
        };
        Ok(Piece { node: self.tree.push(node), sort, is_group: false })
    }

    /// Gives BETWEEN its lower bound: the AND behind that belongs to it, not to conditions.
    fn open_bounds(&mut self, piece: Piece) -> bool {
        let Some(Open::Infix { infix: Infix::Between, left }) = self.open.last() else { return false };
        let bounds = Open::Bounds { operand: *left, lower: piece.node };
        self.open.pop();
        self.open.push(bounds);
        true
    }

    /// Takes the operator that is next and lets it wait for what stands behind it.
    fn open_infix(&mut self, parser: &mut Parser<'_>, infix: Infix, piece: Piece) -> Result<(), ExprError> {
        let fits = match infix {
            Infix::Or | Infix::And => self.takes() == Takes::Conditions && piece.sort != Sort::Operand,
            Infix::Compare(_) | Infix::Between | Infix::In => self.takes() == Takes::Conditions && piece.sort != Sort::Condition,
            Infix::Plus | Infix::Minus => self.takes() == Takes::Sums && piece.sort != Sort::Sum,
        };
        if !fits {
            return Err(parser.unexpected());
        }
        parser.advance();
        if infix == Infix::In {
            parser.expect("(")?;
            self.open.push(Open::List { operand: piece.node, list: Vec::new() });
        } else {
            self.open.push(Open::Infix { infix, left: piece.node });
        }
        Ok(())
    }

    /// Ends a bracket, or (`None`) goes on to its next element.
    fn close_bracket(&mut self, parser: &mut Parser<'_>, piece: Piece) -> Result<Option<Piece>, ExprError> {
        let is_element = !matches!(self.open.last(), Some(Open::Group { .. }));
        if is_element && matches!(piece.sort, Sort::Condition | Sort::Sum) {
            return Err(parser.unexpected());
        }
        let has_next = is_element && parser.takes(",");
        if !has_next {
            parser.expect(")")?;
        }
        match self.open.last_mut().expect("an open bracket was seen") {
            Open::Call { arguments, .. } => arguments.push(piece.node),
            Open::List { list, .. } => list.push(piece.node),
            _ => {}
        }
        if has_next {
            return Ok(None);
        }
        let (node, sort) = match self.open.pop().expect("an open bracket was seen") {
            Open::Call { function, arguments } => (Node::Call { function, arguments }, Sort::Call),
            Open::List { operand, list } => (Node::In { operand, list }, Sort::Condition),
            _ => {
                self.tree.has_redundant_parentheses |= piece.is_group;
                return Ok(Some(Piece { is_group: true, ..piece }));
            }
        };
        Ok(Some(Piece { node: self.tree.push(node), sort, is_group: false }))
    }
}
