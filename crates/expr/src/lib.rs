//! stator-expr
