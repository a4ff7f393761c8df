//! stator-model
