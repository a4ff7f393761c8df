//! stator-engine
