//! Items in a short notation, so that a test's line shows what goes in and what comes out.
//!
//! `{a: 1, s: "x", l: [1, [2]], m: {k: null}, ss: <"a" "b">, ns: <1 2>, t: true, b: 0x01ff}`

use std::fmt::Write;

use stator_model::{Item, Number, Value};

/// Reads one value. Panics on what is not in the notation.
pub(crate) fn value(text: &str) -> Value {
    let mut rest = text;
    let value = read(&mut rest);
    assert!(rest.trim().is_empty(), "left over: {rest}");
    value
}

/// Reads an item.
pub(crate) fn item(text: &str) -> Item {
    let Value::M(attributes) = value(text) else { panic!("an item is a map: {text}") };
    attributes.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

/// Writes an item.
pub(crate) fn show(item: &Item) -> String {
    let mut out = String::new();
    write(&Value::from(stator_model::RawValue::new(item.as_bytes())), &mut out);
    out
}

fn read(rest: &mut &str) -> Value {
    *rest = rest.trim_start();
    match rest.chars().next().expect("a value is expected") {
        '{' => Value::M(
            elements(rest, '{', '}', |rest| {
                let (name, tail) = rest.trim_start().split_once(": ").expect("a name has its colon");
                *rest = tail;
                (name.to_owned(), read(rest))
            })
            .into_iter()
            .collect(),
        ),
        '[' => Value::L(elements(rest, '[', ']', read)),
        '<' => set(&elements(rest, '<', '>', read)),
        '"' => {
            let (text, tail) = rest[1..].split_once('"').expect("a string ends");
            *rest = tail;
            Value::S(text.to_owned())
        }
        _ => {
            let end = rest.find([',', ' ', ']', '}', '>']).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            *rest = tail;
            scalar(word)
        }
    }
}

fn scalar(word: &str) -> Value {
    match word {
        "null" => Value::Null,
        "true" | "false" => Value::Bool(word == "true"),
        _ => match word.strip_prefix("0x") {
            Some(hex) => {
                Value::B((0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex digits")).collect())
            }
            None => Value::N(Number::parse(word).expect("a number")),
        },
    }
}

fn set(elements: &[Value]) -> Value {
    let text = |value: &Value| if let Value::S(text) = value { Some(text.clone()) } else { None };
    let number = |value: &Value| if let Value::N(number) = value { Some(*number) } else { None };
    let bytes = |value: &Value| if let Value::B(bytes) = value { Some(bytes.clone()) } else { None };
    match elements.first().expect("sets have elements") {
        Value::S(_) => Value::SS(elements.iter().filter_map(text).collect()),
        Value::N(_) => Value::NS(elements.iter().filter_map(number).collect()),
        _ => Value::BS(elements.iter().filter_map(bytes).collect()),
    }
}

fn elements<T>(rest: &mut &str, open: char, close: char, mut read: impl FnMut(&mut &str) -> T) -> Vec<T> {
    *rest = rest.strip_prefix(open).expect("it was looked at");
    let mut elements = Vec::new();
    loop {
        *rest = rest.trim_start_matches([' ', ',']);
        if let Some(tail) = rest.strip_prefix(close) {
            *rest = tail;
            return elements;
        }
        elements.push(read(rest));
    }
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => write!(out, "{value}").expect("strings grow"),
        Value::S(text) => write!(out, "\"{text}\"").expect("strings grow"),
        Value::N(number) => write!(out, "{number}").expect("strings grow"),
        Value::B(bytes) => {
            out.push_str("0x");
            bytes.iter().for_each(|byte| write!(out, "{byte:02x}").expect("strings grow"));
        }
        Value::SS(set) => write_all(set.iter().cloned().map(Value::S), ["<", " ", ">"], out),
        Value::NS(set) => write_all(set.iter().copied().map(Value::N), ["<", " ", ">"], out),
        Value::BS(set) => write_all(set.iter().cloned().map(Value::B), ["<", " ", ">"], out),
        Value::L(list) => write_all(list.iter().cloned(), ["[", ", ", "]"], out),
        Value::M(map) => {
            out.push('{');
            for (at, (name, value)) in map.iter().enumerate() {
                write!(out, "{}{name}: ", if at == 0 { "" } else { ", " }).expect("strings grow");
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn write_all(values: impl Iterator<Item = Value>, [open, between, close]: [&str; 3], out: &mut String) {
    out.push_str(open);
    for (at, value) in values.enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        write(&value, out);
    }
    out.push_str(close);
}
