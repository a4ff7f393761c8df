//! stator-kv
