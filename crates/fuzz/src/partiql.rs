//! PartiQL statements, with as many parameters as they have question marks.

use stator_expr::partiql;
use stator_model::{Number, Value};

use crate::{Target, text, way};

pub(crate) const TARGET: Target = Target {
    name: "partiql",
    words: &[
        "SELECT ",
        "* ",
        " FROM ",
        " WHERE ",
        "INSERT INTO ",
        " VALUE ",
        "UPDATE ",
        " SET ",
        " REMOVE ",
        "DELETE FROM ",
        " RETURNING ALL OLD *",
        " ORDER BY ",
        " DESC",
        "EXISTS(",
        " AND ",
        " OR ",
        "NOT ",
        " BETWEEN ",
        " IN ",
        " IS MISSING",
        " IS NULL",
        "\"Music\"",
        "\"by-year\"",
        "'text'",
        "<<",
        ">>",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "?",
        ", ",
        " = ",
        " <> ",
        "1.5e10",
        "true",
        "null",
        ";",
    ],
    run,
};

/// Statements with more than that are refused before.
const PARAMETERS_MAX: usize = 16;

fn run(input: &[u8]) -> String {
    let text = text(input);
    let wanted = text.matches('?').count().min(PARAMETERS_MAX);
    let parameters: Vec<Value> =
        (0..wanted).map(|at| if at % 2 == 0 { Value::S("text".into()) } else { Value::N(Number::from(3)) }).collect();
    match partiql::parse(&text, &parameters) {
        Ok(statement) => match statement.binder() {
            Ok(_) => format!("{} {}", statement.is_read(), way(&statement)),
            Err(error) => way(&error),
        },
        Err(error) => way(&error),
    }
}
