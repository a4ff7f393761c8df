//! stator-iam
