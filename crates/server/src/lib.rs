//! stator-server
