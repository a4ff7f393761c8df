//! Binds a condition: checks it in the service's order, then compiles it to tests and jumps.
//!
//! What must stay true: everything that can be known without an item is refused here, before any item is read, also for
//! filters over nothing. Each check is one pass over the nodes in the order of the text; nothing recurses.

use stator_model::limits::IN_OPERANDS_MAX;
use stator_model::{Number, Value, ValueRef, ValueType};

use super::function::{Function, Place};
use super::{Binder, refuse_reserved};
use crate::ast::{Node, NodeId, Tree};
use crate::condition::{Condition, Operand, Step, Test};
use crate::error::{ExprError, OperandType};
use crate::eval::condition::{known_type, size};
use crate::literal::Literal;

pub(super) fn bind(binder: &mut Binder<'_>, tree: &Tree) -> Result<Condition, ExprError> {
    if tree.has_redundant_parentheses {
        return Err(ExprError::RedundantParentheses);
    }
    let functions = functions(tree)?;
    refuse_misplaced(tree, &functions)?;
    for node in &tree.nodes {
        if let Node::Path(path) = node {
            refuse_reserved(path)?;
        }
    }
    let mut operands = bind_leaves(binder, tree)?;
    for (at, node) in tree.nodes.iter().enumerate() {
        check_types(node, functions[at], &operands)?;
        if functions[at] == Some(Function::Size) {
            operands[at] = size_of(node, &operands);
        }
    }
    for (node, function) in tree.nodes.iter().zip(&functions) {
        check_distinct(node, *function, &operands)?;
    }
    Ok(Condition { steps: compile(tree, &functions, &mut operands) })
}

/// The function of each call.
fn functions(tree: &Tree) -> Result<Vec<Option<Function>>, ExprError> {
    let function = |node: &Node| match node {
        Node::Call { function: name, .. } => match Function::find(name) {
            Some(function) if function.place() != Place::Update => Ok(Some(function)),
            _ => Err(ExprError::UnknownFunction { function: name.clone() }),
        },
        _ => Ok(None),
    };
    tree.nodes.iter().map(function).collect()
}

/// Conditions may not be operands, nor `size` a condition.
fn refuse_misplaced(tree: &Tree, functions: &[Option<Function>]) -> Result<(), ExprError> {
    let check = |id: NodeId, place: Place| match functions[id.index()] {
        Some(function) if function.place() != place => Err(ExprError::MisplacedFunction { function: function.name() }),
        _ => Ok(()),
    };
    for node in &tree.nodes {
        match node {
            Node::Not(inner) => check(*inner, Place::Condition)?,
            Node::And(left, right) | Node::Or(left, right) => {
                check(*left, Place::Condition)?;
                check(*right, Place::Condition)?;
            }
            _ => children(node).try_for_each(|child| check(child, Place::Operand))?,
        }
    }
    check(tree.root(), Place::Condition)
}

/// The operands of a test, in the order of the text; nothing for logic and leaves.
fn children(node: &Node) -> impl Iterator<Item = NodeId> {
    let (first, rest): ([Option<NodeId>; 3], &[NodeId]) = match node {
        Node::Call { arguments, .. } => ([None; 3], arguments),
        Node::Compare { left, right, .. } => ([Some(*left), Some(*right), None], &[]),
        Node::Between { operand, lower, upper } => ([Some(*operand), Some(*lower), Some(*upper)], &[]),
        Node::In { operand, list } => ([Some(*operand), None, None], list),
        Node::Path(_) | Node::Value(_) | Node::Not(_) | Node::And(..) | Node::Or(..) | Node::Plus(..) | Node::Minus(..) => ([None; 3], &[]),
    };
    first.into_iter().flatten().chain(rest.iter().copied())
}

/// Looks up names and values, in the order of the text.
fn bind_leaves(binder: &mut Binder<'_>, tree: &Tree) -> Result<Vec<Option<Operand>>, ExprError> {
    let leaf = |node: &Node| {
        Ok(match node {
            Node::Path(path) => Some(Operand::Path(binder.path(path)?)),
            Node::Value(placeholder) => Some(Operand::Literal(binder.value(placeholder)?)),
            _ => None,
        })
    };
    tree.nodes.iter().map(leaf).collect()
}

/// A bound operand. Operands are bound before what they belong to.
fn bound(operands: &[Option<Operand>], id: NodeId) -> &Operand {
    operands[id.index()].as_ref().expect("operands stand before what they belong to")
}

fn check_types(node: &Node, function: Option<Function>, operands: &[Option<Operand>]) -> Result<(), ExprError> {
    match node {
        Node::Call { arguments, .. } => {
            let function = function.expect("calls have their function");
            if arguments.len() != function.operands() {
                return Err(ExprError::OperandCount { function: function.name(), count: arguments.len() });
            }
            let arguments: Vec<&Operand> = arguments.iter().map(|argument| bound(operands, *argument)).collect();
            check_call(function, &arguments)
        }
        Node::Compare { comparator, left, right } if comparator.is_ordering() => {
            check_ordered(comparator.symbol(), &[bound(operands, *left), bound(operands, *right)])
        }
        Node::Between { operand, lower, upper } => {
            let [operand, lower, upper] = [operand, lower, upper].map(|id| bound(operands, *id));
            check_ordered_types("BETWEEN", &[operand, lower, upper])?;
            check_bounds(lower, upper)
        }
        Node::In { list, .. } if list.len() > IN_OPERANDS_MAX => Err(ExprError::TooManyInOperands { count: list.len() }),
        _ => Ok(()),
    }
}

fn check_call(function: Function, arguments: &[&Operand]) -> Result<(), ExprError> {
    use ValueType::{B, BS, L, M, NS, S, SS};
    match function {
        Function::AttributeExists | Function::AttributeNotExists => require_path(function, arguments[0]),
        Function::AttributeType => {
            require_path(function, arguments[0])?;
            match arguments[1] {
                Operand::Literal(name) => type_named(name).map(drop),
                _ => Err(ExprError::FunctionOperandType { function: function.name(), operand: OperandType::AnyType }),
            }
        }
        Function::BeginsWith => {
            require_type(function, arguments[0], &[S, B])?;
            require_type(function, arguments[1], &[S, B])
        }
        Function::Contains => require_type(function, arguments[0], &[S, B, SS, NS, BS, L]),
        Function::Size => require_type(function, arguments[0], &[S, B, SS, NS, BS, L, M]),
        Function::IfNotExists | Function::ListAppend => Ok(()),
    }
}

fn require_path(function: Function, operand: &Operand) -> Result<(), ExprError> {
    match operand {
        Operand::Path(_) => Ok(()),
        _ => Err(ExprError::PathRequired { function: function.name() }),
    }
}

fn require_type(function: Function, operand: &Operand, allowed: &[ValueType]) -> Result<(), ExprError> {
    match known_type(operand) {
        Some(found) if !allowed.contains(&found) => {
            Err(ExprError::FunctionOperandType { function: function.name(), operand: OperandType::Known(found) })
        }
        _ => Ok(()),
    }
}

/// The type that the second operand of `attribute_type` names.
fn type_named(name: &Literal) -> Result<ValueType, ExprError> {
    let ValueRef::S(text) = name.raw().view() else {
        let operand = OperandType::Known(name.value_type());
        return Err(ExprError::FunctionOperandType { function: Function::AttributeType.name(), operand });
    };
    let text = String::from_utf8_lossy(text);
    ValueType::from_name(&text).ok_or_else(|| ExprError::UnknownTypeName { name: text.into_owned() })
}

fn check_ordered_types(operator: &'static str, operands: &[&Operand]) -> Result<(), ExprError> {
    for operand in operands {
        match known_type(operand) {
            None | Some(ValueType::S | ValueType::N | ValueType::B) => {}
            Some(found) => return Err(ExprError::OperatorOperandType { operator, operand: found }),
        }
    }
    Ok(())
}

/// Two literals must also be of one type, or the comparison could never hold (assumed: which of the two types the service
/// names).
fn check_ordered(operator: &'static str, operands: &[&Operand; 2]) -> Result<(), ExprError> {
    check_ordered_types(operator, operands)?;
    match operands {
        [Operand::Literal(left), Operand::Literal(right)] if left.value_type() != right.value_type() => {
            Err(ExprError::OperatorOperandType { operator, operand: right.value_type() })
        }
        _ => Ok(()),
    }
}

fn check_bounds(lower: &Operand, upper: &Operand) -> Result<(), ExprError> {
    let (Operand::Literal(lower), Operand::Literal(upper)) = (lower, upper) else { return Ok(()) };
    match lower.raw().compare(upper.raw()) {
        None => Err(ExprError::BetweenTypes { lower: lower.clone(), upper: upper.clone() }),
        Some(order) if order.is_gt() => Err(ExprError::BetweenOrder { lower: lower.clone(), upper: upper.clone() }),
        Some(_) => Ok(()),
    }
}

/// `size` of a path is asked of items; that of a literal is known.
fn size_of(node: &Node, operands: &[Option<Operand>]) -> Option<Operand> {
    let Node::Call { arguments, .. } = node else { return None };
    Some(match bound(operands, arguments[0]) {
        Operand::Path(path) => Operand::Size(path.clone()),
        Operand::Literal(literal) => {
            let size = size(literal.raw()).expect("the literal's type was checked");
            Operand::Literal(Literal::from(&Value::N(Number::from(i64::from(size)))))
        }
        Operand::Size(_) => unreachable!("a size has no size, which was checked"),
    })
}

fn check_distinct(node: &Node, function: Option<Function>, operands: &[Option<Operand>]) -> Result<(), ExprError> {
    let operator = match (node, function) {
        (_, Some(function)) => function.name(),
        (Node::Compare { comparator, .. }, _) => comparator.symbol(),
        (Node::Between { .. }, _) => "BETWEEN",
        (Node::In { .. }, _) => "IN",
        _ => return Ok(()),
    };
    let mut tested = children(node).map(|id| bound(operands, id));
    let Some(Operand::Path(path)) = tested.next() else { return Ok(()) };
    let is_repeated = tested.any(|other| matches!(other, Operand::Path(other) if other == path));
    if is_repeated { Err(ExprError::IndistinctOperands { operator, first: path.clone() }) } else { Ok(()) }
}

/// What is left to compile; taken from the end.
enum Work {
    Node(NodeId),
    Not,
    /// A skip whose end is not known yet, emitted between two conditions.
    Skip {
        when: bool,
    },
    /// The skip emitted for this pair leads here.
    Land,
}

fn compile(tree: &Tree, functions: &[Option<Function>], operands: &mut [Option<Operand>]) -> Vec<Step> {
    let (mut steps, mut work, mut open) = (Vec::new(), vec![Work::Node(tree.root())], Vec::new());
    while let Some(next) = work.pop() {
        match next {
            Work::Not => steps.push(Step::Not),
            Work::Skip { when } => {
                open.push(steps.len());
                steps.push(Step::Skip { when, to: 0 });
            }
            Work::Land => {
                let (at, end) = (open.pop().expect("every skip is emitted before its landing"), steps.len());
                if let Step::Skip { to, .. } = &mut steps[at] {
                    *to = end;
                }
            }
            Work::Node(id) => match tree.node(id) {
                Node::Not(inner) => work.extend([Work::Not, Work::Node(*inner)]),
                Node::And(left, right) => {
                    work.extend([Work::Land, Work::Node(*right), Work::Skip { when: false }, Work::Node(*left)]);
                }
                Node::Or(left, right) => {
                    work.extend([Work::Land, Work::Node(*right), Work::Skip { when: true }, Work::Node(*left)]);
                }
                node => steps.push(Step::Test(test(node, functions[id.index()], operands))),
            },
        }
    }
    steps
}

fn test(node: &Node, function: Option<Function>, operands: &mut [Option<Operand>]) -> Test {
    let mut take = |id: &NodeId| operands[id.index()].take().expect("every operand belongs to one test");
    match (node, function) {
        (Node::Call { arguments, .. }, Some(function)) => {
            let mut arguments: Vec<Operand> = arguments.iter().map(take).collect();
            call(function, arguments.swap_remove(0), arguments.pop())
        }
        (Node::Compare { comparator, left, right }, _) => Test::Compare { comparator: *comparator, left: take(left), right: take(right) },
        (Node::Between { operand, lower, upper }, _) => Test::Between { operand: take(operand), lower: take(lower), upper: take(upper) },
        (Node::In { operand, list }, _) => Test::In { operand: take(operand), list: list.iter().map(take).collect() },
        _ => unreachable!("the grammar lets only tests be conditions"),
    }
}

fn call(function: Function, first: Operand, second: Option<Operand>) -> Test {
    let path = |operand: Operand| match operand {
        Operand::Path(path) => path,
        _ => unreachable!("a path was required"),
    };
    match (function, second) {
        (Function::AttributeExists, None) => Test::Exists(path(first)),
        (Function::AttributeNotExists, None) => Test::NotExists(path(first)),
        (Function::AttributeType, Some(Operand::Literal(name))) => {
            Test::TypeIs(path(first), type_named(&name).expect("the type's name was checked"))
        }
        (Function::BeginsWith, Some(prefix)) => Test::BeginsWith { operand: first, prefix },
        (Function::Contains, Some(part)) => Test::Contains { operand: first, part },
        (function, _) => unreachable!("{} is no condition of that many operands", function.name()),
    }
}
