//! stator-testkit
