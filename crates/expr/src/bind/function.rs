//! The table of functions: a further function is one line here and one arm where it is bound.
//!
//! What must stay true: names are matched as written, in lower case, as the service does.

/// The functions of all expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Contains,
    Size,
    IfNotExists,
    ListAppend,
}

/// Where a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// As a condition.
    Condition,
    /// As an operand of a condition.
    Operand,
    /// As a value of SET.
    Update,
}

const FUNCTIONS: [(&str, Function, Place, usize); 8] = [
    ("attribute_exists", Function::AttributeExists, Place::Condition, 1),
    ("attribute_not_exists", Function::AttributeNotExists, Place::Condition, 1),
    ("attribute_type", Function::AttributeType, Place::Condition, 2),
    ("begins_with", Function::BeginsWith, Place::Condition, 2),
    ("contains", Function::Contains, Place::Condition, 2),
    ("size", Function::Size, Place::Operand, 1),
    ("if_not_exists", Function::IfNotExists, Place::Update, 2),
    ("list_append", Function::ListAppend, Place::Update, 2),
];

impl Function {
    pub(super) fn find(name: &str) -> Option<Function> {
        FUNCTIONS.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    fn row(self) -> &'static (&'static str, Function, Place, usize) {
        FUNCTIONS.iter().find(|row| row.1 == self).expect("the table has every function")
    }

    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    pub(super) fn place(self) -> Place {
        self.row().2
    }

    pub(super) fn operands(self) -> usize {
        self.row().3
    }
}
