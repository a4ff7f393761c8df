//! stator-api
