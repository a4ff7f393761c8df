//! What an expression says, before its `#names` and `:values` are looked up.
//!
//! What must stay true: a tree depends on the text alone, so that a cache keyed by the text may keep it; children stand
//! before their parents, so that whoever walks a tree can do it in one loop; printing a tree and parsing that gives the
//! tree again.

use crate::condition::Comparator;

/// A name in a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// As written.
    Plain(String),
    /// A `#name`, with its `#`.
    Placeholder(String),
}

/// One step from a container to an element of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// `.name`
    Name(Name),
    /// `[position]`
    Index(usize),
}

/// A document path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The top-level attribute.
    pub root: Name,
    /// The steps into it.
    pub steps: Vec<Step>,
}

/// Where a node stands in its tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One operand, operator or call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// A document path.
    Path(Path),
    /// A `:value`, with its `:`.
    Value(String),
    /// A call. Whether the function exists is asked when the tree is bound.
    Call {
        /// Its name as written.
        function: String,
        /// At least one.
        arguments: Vec<NodeId>,
    },
    /// A comparison.
    Compare {
        /// The operator.
        comparator: Comparator,
        /// Before it.
        left: NodeId,
        /// Behind it.
        right: NodeId,
    },
    /// `operand BETWEEN lower AND upper`
    Between {
        /// Tested operand.
        operand: NodeId,
        /// Lower bound.
        lower: NodeId,
        /// Upper bound.
        upper: NodeId,
    },
    /// `operand IN (list)`
    In {
        /// Tested operand.
        operand: NodeId,
        /// At least one.
        list: Vec<NodeId>,
    },
    /// `NOT condition`
    Not(NodeId),
    /// `condition AND condition`
    And(NodeId, NodeId),
    /// `condition OR condition`
    Or(NodeId, NodeId),
    /// `operand + operand`, in SET only.
    Plus(NodeId, NodeId),
    /// `operand - operand`, in SET only.
    Minus(NodeId, NodeId),
}

impl Node {
    fn children(&self) -> Vec<NodeId> {
        match self {
            Node::Path(_) | Node::Value(_) => Vec::new(),
            Node::Call { arguments, .. } => arguments.clone(),
            Node::Compare { left, right, .. } => vec![*left, *right],
            Node::Between { operand, lower, upper } => vec![*operand, *lower, *upper],
            Node::In { operand, list } => std::iter::once(*operand).chain(list.iter().copied()).collect(),
            Node::Not(inner) => vec![*inner],
            Node::And(left, right) | Node::Or(left, right) | Node::Plus(left, right) | Node::Minus(left, right) => vec![*left, *right],
        }
    }

    /// This node in a tree that lacks the first nodes.
    fn moved(&self, by: u32) -> Node {
        let at = |id: &NodeId| NodeId(id.0 - by);
        match self {
            Node::Path(_) | Node::Value(_) => self.clone(),
            Node::Call { function, arguments } => Node::Call { function: function.clone(), arguments: arguments.iter().map(at).collect() },
            Node::Compare { comparator, left, right } => Node::Compare { comparator: *comparator, left: at(left), right: at(right) },
            Node::Between { operand, lower, upper } => Node::Between { operand: at(operand), lower: at(lower), upper: at(upper) },
            Node::In { operand, list } => Node::In { operand: at(operand), list: list.iter().map(at).collect() },
            Node::Not(inner) => Node::Not(at(inner)),
            Node::And(left, right) => Node::And(at(left), at(right)),
            Node::Or(left, right) => Node::Or(at(left), at(right)),
            Node::Plus(left, right) => Node::Plus(at(left), at(right)),
            Node::Minus(left, right) => Node::Minus(at(left), at(right)),
        }
    }
}

/// The tree of a condition, or of one value of SET: its nodes, children first; the last one is the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// Whether parentheses stood directly inside parentheses. The service refuses that, though only after syntax errors.
    pub has_redundant_parentheses: bool,
}

impl Tree {
    /// The node that stands for the whole.
    pub fn root(&self) -> NodeId {
        NodeId(u32::try_from(self.nodes.len()).expect("expressions are short") - 1)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.root()
    }

    /// The tree below a node. Children stand before their parents, so it is one run of nodes.
    pub(crate) fn below(&self, root: NodeId) -> Tree {
        let mut first = root.0;
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            first = first.min(id.0);
            open.extend(self.node(id).children());
        }
        let nodes = self.nodes[first as usize..=root.index()].iter().map(|node| node.moved(first)).collect();
        Tree { nodes, has_redundant_parentheses: false }
    }

    /// Operators and functions.
    pub fn operators(&self) -> usize {
        self.nodes.iter().filter(|node| !matches!(node, Node::Path(_) | Node::Value(_))).count()
    }
}

/// A condition, filter or key condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConditionText(pub Tree);

/// A projection: its paths, at least one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProjectionText(pub Vec<Path>);

/// An update: its clauses in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpdateText {
    /// The clauses, at least one.
    pub clauses: Vec<Clause>,
    /// The first section that begins a second time. The service refuses that, though only after syntax errors.
    pub repeated_section: Option<Section>,
}

impl UpdateText {
    /// Operators and functions of all values.
    pub fn operators(&self) -> usize {
        let operators = |clause: &Clause| if let Clause::Set(_, value) = clause { value.operators() } else { 0 };
        self.clauses.iter().map(operators).sum()
    }
}

/// A section of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Section {
    /// `SET`
    Set,
    /// `REMOVE`
    Remove,
    /// `ADD`
    Add,
    /// `DELETE`
    Delete,
}

impl Section {
    /// Its keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Section::Set => "SET",
            Section::Remove => "REMOVE",
            Section::Add => "ADD",
            Section::Delete => "DELETE",
        }
    }
}

/// One action of an update.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Clause {
    /// `SET path = value`
    Set(Path, Tree),
    /// `REMOVE path`
    Remove(Path),
    /// `ADD path :value`
    Add(Path, String),
    /// `DELETE path :value`
    Delete(Path, String),
}

impl Clause {
    /// The section that it stands in.
    pub fn section(&self) -> Section {
        match self {
            Clause::Set(..) => Section::Set,
            Clause::Remove(_) => Section::Remove,
            Clause::Add(..) => Section::Add,
            Clause::Delete(..) => Section::Delete,
        }
    }
}
