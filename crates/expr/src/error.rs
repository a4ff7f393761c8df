//! What can be wrong with an expression, an update of an item or a key condition: facts, never sentences.
//!
//! What must stay true: every variant carries all that the service's sentence about it mentions (the sentences live in
//! the wire crate), and nobody has to look at a text to learn what happened.

use stator_model::number::NumberError;
use stator_model::{Path, ValueType};

use crate::literal::Literal;

/// Which request parameter an expression came in; the sentence about an error begins with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionKind {
    /// `ConditionExpression`
    Condition,
    /// `FilterExpression`
    Filter,
    /// `ProjectionExpression`
    Projection,
    /// `UpdateExpression`
    Update,
    /// `KeyConditionExpression`
    KeyCondition,
    /// `SearchConditionExpression`
    SearchCondition,
}

impl ExpressionKind {
    /// The parameter's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            ExpressionKind::Condition => "ConditionExpression",
            ExpressionKind::Filter => "FilterExpression",
            ExpressionKind::Projection => "ProjectionExpression",
            ExpressionKind::Update => "UpdateExpression",
            ExpressionKind::KeyCondition => "KeyConditionExpression",
            ExpressionKind::SearchCondition => "SearchConditionExpression",
        }
    }
}

/// Which of the two substitution maps an error is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Substitution {
    /// `ExpressionAttributeNames`
    Names,
    /// `ExpressionAttributeValues`
    Values,
}

impl Substitution {
    /// The parameter's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Substitution::Names => "ExpressionAttributeNames",
            Substitution::Values => "ExpressionAttributeValues",
        }
    }
}

/// What an operand of the wrong type turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperandType {
    /// A literal, or a function's result, of this type.
    Known(ValueType),
    /// A document path: of any type until there is an item.
    AnyType,
}

/// Where two paths stand in each other's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathClash {
    /// One is the other, or leads into it.
    Overlap,
    /// One takes a container for a map, the other for a list.
    Conflict,
}

/// Why an expression, or the substitutions it shares with others, is refused before any item is read.
///
/// The order in which several errors of one text win over each other is the service's as far as known; see `parse` and `bind`.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprError {
    /// The text is empty or blank. No further fact.
    Empty,
    /// The text is longer than 4096 bytes.
    TooLong {
        /// Bytes of the text.
        bytes: usize,
    },
    /// More than 300 operators and functions.
    TooManyOperators {
        /// How many there are.
        count: usize,
    },
    /// `IN` with more than 100 operands behind it.
    TooManyInOperands {
        /// How many there are.
        count: usize,
    },
    /// A path of more than 32 levels.
    PathTooDeep {
        /// Its levels.
        levels: usize,
    },
    /// A list position that is no sensible number.
    IndexTooLarge {
        /// The digits as written.
        index: String,
    },
    /// The text does not follow the grammar.
    Syntax {
        /// The token that does not fit; `<EOF>` for the end of the text.
        token: String,
        /// The text from the token before it to the token after it.
        near: String,
        /// Byte offset of the token.
        at: usize,
    },
    /// Parentheses directly inside parentheses. No further fact.
    RedundantParentheses,
    /// A call of a function that does not exist.
    UnknownFunction {
        /// Its name as written.
        function: String,
    },
    /// A function that exists, in a kind of expression that it is not for.
    FunctionNotInUpdate {
        /// Its name.
        function: &'static str,
    },
    /// A function that exists, in a place where its result has no use (a condition as operand, `size` as condition).
    MisplacedFunction {
        /// Its name.
        function: &'static str,
    },
    /// A section of an update expression that appears twice.
    RepeatedSection {
        /// `SET`, `REMOVE`, `ADD` or `DELETE`.
        section: &'static str,
    },
    /// An attribute is called by a reserved word.
    ReservedWord {
        /// The word as written.
        word: String,
    },
    /// A `#name` that ExpressionAttributeNames lacks.
    UndefinedName {
        /// With its `#`.
        name: String,
    },
    /// A `:value` that ExpressionAttributeValues lacks.
    UndefinedValue {
        /// With its `:`.
        value: String,
    },
    /// A function with the wrong number of operands.
    OperandCount {
        /// Its name.
        function: &'static str,
        /// Operands given.
        count: usize,
    },
    /// An operand that must be a document path is not.
    PathRequired {
        /// The function's name.
        function: &'static str,
    },
    /// A function's (or `+`'s, or `-`'s) operand can never have a fitting type.
    FunctionOperandType {
        /// The function's name, or `+` or `-`.
        function: &'static str,
        /// What it is given.
        operand: OperandType,
    },
    /// A comparison's operand can never have a fitting type: `<` on types without order.
    OperatorOperandType {
        /// The operator as written: `<`, `BETWEEN`, …
        operator: &'static str,
        /// What it is given.
        operand: ValueType,
    },
    /// The operand of `ADD` or `DELETE` has a type that the section does not know.
    SectionOperandType {
        /// `ADD` or `DELETE`.
        section: &'static str,
        /// The operand's type.
        operand: ValueType,
    },
    /// The second operand of `attribute_type` names no type.
    UnknownTypeName {
        /// The name given.
        name: String,
    },
    /// The first operand appears again among the others.
    IndistinctOperands {
        /// The operator or function as written.
        operator: &'static str,
        /// The path that is repeated.
        first: Path,
    },
    /// The bounds of `BETWEEN` are literals of different types.
    BetweenTypes {
        /// Lower bound.
        lower: Literal,
        /// Upper bound.
        upper: Literal,
    },
    /// The bounds of `BETWEEN` are literals in descending order.
    BetweenOrder {
        /// Lower bound.
        lower: Literal,
        /// Upper bound.
        upper: Literal,
    },
    /// Two paths of one projection or update cannot stand together.
    Paths {
        /// In which way.
        clash: PathClash,
        /// The path that comes first in the text.
        first: Path,
        /// The other.
        second: Path,
    },
    /// The expression is a condition, but not one for keys.
    KeyShape(KeyShapeError),
    /// The expression is a condition, but not one for vector searches.
    SearchShape(SearchShapeError),
    /// A substitution map is there, but empty.
    NoSubstitutions(Substitution),
    /// A key of a substitution map does not begin with its sign or contains what a name may not.
    InvalidSubstitution {
        /// Which map.
        map: Substitution,
        /// The key.
        key: String,
    },
    /// A key of a substitution map is longer than 255 bytes.
    SubstitutionTooLong {
        /// Which map.
        map: Substitution,
        /// The key.
        key: String,
    },
    /// A `#name` stands for an empty attribute name, or one beyond 65,535 bytes.
    InvalidName {
        /// The placeholder with its `#`.
        key: String,
        /// Bytes of the name it stands for.
        bytes: usize,
    },
    /// Substitutions that no expression of the request uses.
    Unused {
        /// Which map.
        map: Substitution,
        /// Their keys, in the order given.
        keys: Vec<String>,
    },
}

/// Why a condition is none for keys, whatever the table's keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyShapeError {
    /// An operator or function that no key condition may use.
    Operator {
        /// As written: `OR`, `NOT`, `<>`, `IN`, `contains`, …
        operator: &'static str,
    },
    /// A comparison of two attributes.
    SeveralAttributes,
    /// A comparison without an attribute.
    NoAttribute,
    /// `BETWEEN` or `begins_with` whose first operand is not the attribute.
    AttributeNotFirst {
        /// `BETWEEN` or `begins_with`.
        operator: &'static str,
    },
    /// A function inside a comparison.
    NestedOperation,
    /// A path below a top-level attribute.
    NestedAttribute,
    /// Two conditions on one attribute.
    RepeatedAttribute,
}

/// Why a condition is none for a vector search, whatever the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchShapeError {
    /// A comparison other than `=`.
    Comparator,
    /// An operator or function that is no comparison, or logic other than AND.
    Operator,
    /// A comparison that is not of an attribute with a value.
    Operands,
    /// A path below a top-level attribute.
    NestedAttribute,
}

/// Why a key condition does not fit the key of a table or index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyConditionError {
    /// No condition at all, or more than the key has attributes.
    Count {
        /// Conditions given.
        given: usize,
        /// Attributes of the key.
        attributes: usize,
    },
    /// A key attribute that needs a condition has none.
    Missing {
        /// The attribute.
        attribute: String,
    },
    /// A condition on the attribute that its place in the key does not allow.
    NotSupported {
        /// The attribute.
        attribute: String,
    },
    /// An operand is not of the attribute's type.
    Type {
        /// The attribute.
        attribute: String,
    },
    /// An operand is an empty string or binary, which no key can be.
    EmptyValue {
        /// The attribute.
        attribute: String,
        /// Its type.
        value_type: ValueType,
    },
}

/// Why an update cannot be applied to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateError {
    /// A path leads through something that is not there or not a container of that kind.
    InvalidPath,
    /// An operand's attribute has a type that the operation cannot work on.
    OperandType,
    /// An attribute's type does not fit the value that a legacy ADD or DELETE brings.
    AttributeType,
    /// An operand's attribute is not in the item.
    MissingAttribute,
    /// A sum or difference is not a number of the service.
    Number(NumberError),
    /// The result nests deeper than 32 levels.
    TooDeep,
}

/// Why a legacy parameter is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyError {
    /// A comparison with the wrong number of arguments.
    ArgumentCount {
        /// The operator's name on the wire.
        operator: &'static str,
    },
    /// A comparison with an argument of a type that it does not know.
    ArgumentType {
        /// The operator's name on the wire.
        operator: &'static str,
        /// The argument's type.
        found: ValueType,
    },
    /// IN or BETWEEN whose arguments are of different types. No further fact.
    MixedArguments,
    /// BETWEEN with bounds in descending order. No further fact.
    BoundsOrder,
    /// Expected with both a value and a list of values.
    ValueAndList {
        /// The attribute.
        attribute: String,
    },
    /// Expected with both Exists and a comparison.
    ExistsAndComparison {
        /// The attribute.
        attribute: String,
    },
    /// Expected with a comparison and nothing to compare with.
    ComparisonWithoutValue {
        /// The operator's name on the wire.
        operator: &'static str,
        /// The attribute.
        attribute: String,
    },
    /// Expected with a list of values, yet without a comparison.
    ListWithoutComparison {
        /// The attribute.
        attribute: String,
    },
    /// Expected says (or leaves open) that the attribute exists, yet not with which value.
    ExistsWithoutValue {
        /// The attribute.
        attribute: String,
        /// Whether Exists was written, as true.
        is_written: bool,
    },
    /// Expected says that the attribute does not exist, yet gives a value.
    AbsentWithValue {
        /// The attribute.
        attribute: String,
    },
    /// ConditionalOperator with fewer than two conditions.
    NothingToJoin {
        /// Conditions given.
        conditions: usize,
    },
    /// PUT or ADD without a value. No further fact.
    ActionWithoutValue,
    /// ADD or DELETE with a value of a type that the action does not know.
    ActionType {
        /// The action.
        action: crate::legacy::Action,
        /// The value's type.
        found: ValueType,
    },
    /// A comparison that key conditions do not know. No further fact.
    KeyOperator,
    /// The same name twice in AttributesToGet.
    RepeatedAttribute {
        /// The name.
        attribute: String,
    },
}
