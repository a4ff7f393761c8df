//! Operations and expressions as trees.
//!
//! What must stay true: a tree can be written out as a valid request, whatever it holds; what makes a request invalid from
//! the start is for scripts to test.

use stator_model::Value;

use super::Attributes;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a map.
    Name(&'static str),
    /// Into a list.
    At(usize),
}

/// A path into an item; it begins with a name.
pub type Path = Vec<Step>;

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// Partition key.
    pub partition: &'static str,
    /// Sort key.
    pub sort: i64,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// The value at a path.
    Path(Path),
    /// `size` of it.
    Size(Path),
    /// A value of the request.
    Literal(Value),
}

/// A condition or a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A comparison.
    Compare(Comparator, Operand, Operand),
    /// `BETWEEN`
    Between(Operand, Operand, Operand),
    /// `IN`
    In(Operand, Vec<Operand>),
    /// `attribute_exists`
    Exists(Path),
    /// `attribute_not_exists`
    Missing(Path),
    /// `attribute_type`
    HasType(Path, &'static str),
    /// `begins_with`
    BeginsWith(Path, Value),
    /// `contains`
    Contains(Path, Value),
    /// `NOT`
    Not(Box<Condition>),
    /// `AND`
    And(Box<Condition>, Box<Condition>),
    /// `OR`
    Or(Box<Condition>, Box<Condition>),
}

/// A value of an assignment.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// The value at a path.
    Path(Path),
    /// A value of the request.
    Literal(Value),
    /// `if_not_exists`
    PathOr(Path, Value),
}

/// The right side of `SET`.
#[derive(Debug, Clone, PartialEq)]
pub enum Assigned {
    /// A value as it is.
    Term(Term),
    /// `+`
    Sum(Term, Term),
    /// `-`
    Difference(Term, Term),
    /// `list_append`
    Joined(Term, Term),
}

/// One change of an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `SET`
    Set(Path, Assigned),
    /// `REMOVE`
    Remove(Path),
    /// `ADD`
    Add(Path, Value),
    /// `DELETE`
    Delete(Path, Value),
}

impl Action {
    /// What it changes.
    pub fn path(&self) -> &Path {
        match self {
            Action::Set(path, _) | Action::Remove(path) | Action::Add(path, _) | Action::Delete(path, _) => path,
        }
    }
}

/// ReturnValues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// `NONE`
    Nothing,
    /// `ALL_OLD`
    AllOld,
    /// `ALL_NEW`
    AllNew,
    /// `UPDATED_OLD`
    UpdatedOld,
    /// `UPDATED_NEW`
    UpdatedNew,
}

/// An update of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Which item.
    pub id: Id,
    /// The changes; paths do not overlap.
    pub actions: Vec<Action>,
    /// What to answer.
    pub returned: Returned,
}

/// A member of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    /// Put.
    Put(Attributes),
    /// Update.
    Update(Update),
    /// Delete.
    Delete(Id),
    /// ConditionCheck.
    Check(Id),
}

/// The table, or one of its indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The table: pk, sk.
    Table,
    /// Local index: pk, l; carries n.
    ByL,
    /// Global index: g, h; carries all.
    ByG,
    /// Global index: h; carries keys.
    ByH,
}

/// Rows to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Find {
    /// Where.
    pub view: View,
    /// For a query: the partition key, and a comparison of the sort key, the view having one.
    pub partition: Option<(Value, Option<(Comparator, Value)>)>,
    /// What to let pass.
    pub filter: Option<Condition>,
    /// What to show; everything, if nothing is named.
    pub projection: Vec<Path>,
    /// Descending; queries only.
    pub backward: bool,
    /// Rows of a page.
    pub limit: Option<usize>,
    /// Segments to read one after the other; scans only.
    pub segments: usize,
    /// Only how many.
    pub counts_only: bool,
}

/// A statement of PartiQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// INSERT, which finds no item there.
    Insert(Attributes),
    /// UPDATE, which finds one.
    Update(Update, Option<Condition>),
    /// DELETE, with what is answered of the old item.
    Delete(Id, Option<Condition>, bool),
    /// SELECT, in one page.
    Select(Find),
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// PutItem, with what is answered of the old item.
    Put(Attributes, Option<Condition>, bool),
    /// UpdateItem.
    Update(Update, Option<Condition>),
    /// DeleteItem, with what is answered of the old item.
    Delete(Id, Option<Condition>, bool),
    /// GetItem.
    Get(Id, Vec<Path>),
    /// Query or Scan, page by page.
    Find(Find),
    /// BatchGetItem.
    BatchGet(Vec<Id>, Vec<Path>),
    /// BatchWriteItem: items to put, keys to delete.
    BatchWrite(Vec<Attributes>, Vec<Id>),
    /// TransactWriteItems.
    TransactWrite(Vec<(Member, Option<Condition>)>),
    /// TransactGetItems.
    TransactGet(Vec<(Id, Vec<Path>)>),
    /// ExecuteStatement.
    Statement(Statement),
    /// So many half hours pass.
    Pass(u64),
    /// An operation in the parameters from before expressions.
    Legacy(Box<Operation>),
}

impl Operation {
    /// What is asked for, however it is said.
    pub fn meaning(&self) -> &Operation {
        match self {
            Operation::Legacy(operation) => operation,
            operation => operation,
        }
    }
}
