//! What a request is about, told by the names of its members: tables, and the items that it names.
//!
//! Faults and journals of tests ask here, for requests of any operation, without knowing which one it is. What must stay
//! true: a body that no operation would take is about as much as can be read of it, and never an error.

use stator_expr::partiql::Statement;
use stator_model::Item;
use stator_model::arn::TableArn;

use crate::json::{Attributes, JsonFault, Reader};

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Touched {
    /// Names of tables, each once, in the order in which they come.
    pub tables: Vec<String>,
    /// Keys and whole items, each with the name of its table.
    pub items: Vec<(String, Item)>,
    /// Whether members may come back as unprocessed.
    pub is_batch: bool,
    /// Whether it is a transaction whose actions name their items: `items` has one for each then, in their order.
    pub is_transaction: bool,
}

/// The members of one structure that names a table and an item, in whatever order they come.
#[derive(Default)]
struct Member {
    table: Option<String>,
    item: Option<Item>,
}

/// Looks through a body.
pub fn touched(body: &[u8]) -> Touched {
    let (mut touched, mut member) = (Touched::default(), Member::default());
    // What was read before the body went wrong counts.
    let _ = Reader::body(body, |reader, name| touched.read(&mut member, reader, name));
    touched.take(member);
    touched
}

/// Reads a map of attribute values, such as a key; `None` if it is none.
pub fn attributes(json: &[u8]) -> Option<Item> {
    Attributes::read(&mut Reader::new(json)).ok().filter(|attributes| attributes.fault.is_none()).map(|attributes| attributes.item)
}

/// Whether an item has all the attributes of another.
pub fn has_all(item: &Item, wanted: &Item) -> bool {
    wanted
        .map()
        .iter()
        .all(|(name, value)| std::str::from_utf8(name).ok().and_then(|name| item.get(name)).is_some_and(|own| own.bytes() == value.bytes()))
}

impl Touched {
    fn read(&mut self, member: &mut Member, reader: &mut Reader<'_>, name: &str) -> Result<(), JsonFault> {
        match name {
            "TableName" => member.table = Some(table_name(&reader.string()?)),
            "ResourceArn" | "StreamArn" => self.add_table(table_name(&reader.string()?)),
            "Key" | "Item" => member.item = Attributes::read(reader).map(|attributes| Some(attributes.item))?,
            "Statement" => self.add_statement(&reader.string()?),
            "RequestItems" => self.read_batch(reader)?,
            "TransactItems" => {
                self.is_transaction = true;
                reader.array(|reader| reader.object(|reader, _| self.read_structure(reader)))?;
            }
            "Statements" | "TransactStatements" => reader.array(|reader| self.read_structure(reader))?,
            _ => {}
        }
        Ok(())
    }

    fn read_structure(&mut self, reader: &mut Reader<'_>) -> Result<(), JsonFault> {
        let mut member = Member::default();
        let read = reader.object(|reader, name| self.read(&mut member, reader, name));
        self.take(member);
        read
    }

    /// A table's member is a list of requests, or a structure with a list of keys.
    fn read_batch(&mut self, reader: &mut Reader<'_>) -> Result<(), JsonFault> {
        self.is_batch = true;
        reader.object(|reader, table| {
            let table = table_name(table);
            self.add_table(table.clone());
            if reader.peek()? == b'[' {
                return reader.array(|reader| {
                    reader.object(|reader, _| reader.object(|reader, name| self.read_item(&table, reader, matches!(name, "Item" | "Key"))))
                });
            }
            reader.object(|reader, name| if name == "Keys" { reader.array(|reader| self.read_item(&table, reader, true)) } else { Ok(()) })
        })
    }

    fn read_item(&mut self, table: &str, reader: &mut Reader<'_>, is_item: bool) -> Result<(), JsonFault> {
        if is_item {
            let attributes = Attributes::read(reader)?;
            self.items.push((table.to_owned(), attributes.item));
        }
        Ok(())
    }

    fn take(&mut self, member: Member) {
        let Some(table) = member.table else { return };
        self.add_table(table.clone());
        self.items.extend(member.item.map(|item| (table, item)));
    }

    fn add_statement(&mut self, text: &str) {
        if let Some(table) = statement_table(text) {
            self.add_table(table_name(&table));
        }
    }

    fn add_table(&mut self, table: String) {
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
    }
}

/// The table of a statement. Parameters are not at hand here; how many there should be, the refusal tells.
fn statement_table(text: &str) -> Option<String> {
    use stator_expr::partiql::{StatementError, parse};
    let table = |statement: Statement| statement.table().to_owned();
    match parse(text, &[]) {
        Ok(statement) => Some(table(statement)),
        Err(StatementError::ParameterCount { wanted, .. }) => {
            let parameters = vec![stator_model::Value::Null; wanted];
            parse(text, &parameters).ok().map(table)
        }
        Err(_) => None,
    }
}

/// The name in an ARN of a table, an index or a stream; a name is itself.
fn table_name(given: &str) -> String {
    if let Ok(arn) = TableArn::parse(given) {
        return arn.table;
    }
    let of_stream = given.strip_prefix("arn:").and_then(|arn| arn.split_once(":table/")).and_then(|(_, rest)| rest.split('/').next());
    of_stream.unwrap_or(given).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;

    fn about(body: &str) -> (Vec<String>, usize, bool) {
        let touched = touched(body.as_bytes());
        (touched.tables, touched.items.len(), touched.is_batch)
    }

    #[test]
    fn tables_and_items_are_found_whatever_the_operation() {
        let key = r#"{"Id":{"S":"a"}}"#;
        let one = |names: &[&str], items, is_batch| (names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), items, is_batch);
        assert_eq!(about(&format!(r#"{{"Key":{key},"TableName":"Music"}}"#)), one(&["Music"], 1, false));
        assert_eq!(
            about(&format!(r#"{{"TableName":"arn:aws:dynamodb:eu-west-1:000000000000:table/Music","Item":{key}}}"#)),
            one(&["Music"], 1, false)
        );
        assert_eq!(
            about(&format!(r#"{{"RequestItems":{{"A":[{{"PutRequest":{{"Item":{key}}}}},{{"DeleteRequest":{{"Key":{key}}}}}],"B":[]}}}}"#)),
            one(&["A", "B"], 2, true)
        );
        assert_eq!(about(&format!(r#"{{"RequestItems":{{"A":{{"Keys":[{key},{key}]}}}}}}"#)), one(&["A"], 2, true));
        assert_eq!(
            about(&format!(
                r#"{{"TransactItems":[{{"Put":{{"TableName":"A","Item":{key}}}}},{{"Get":{{"Key":{key},"TableName":"B"}}}}]}}"#
            )),
            one(&["A", "B"], 2, false)
        );
        assert_eq!(about(r#"{"Statement":"SELECT * FROM \"Music\" WHERE Id = ?"}"#), one(&["Music"], 0, false));
        assert_eq!(
            about(r#"{"StreamArn":"arn:aws:dynamodb:eu-west-1:000000000000:table/Music/stream/2026-11-24T09:25:16.120"}"#),
            one(&["Music"], 0, false)
        );
        assert_eq!(about(r#"{"TableName":"Music","Key":7"#), one(&["Music"], 0, false));
    }

    #[test]
    fn an_item_has_the_attributes_of_its_key_by_value() {
        let item = attributes(br#"{"Id":{"N":"1.0"},"More":{"S":"x"}}"#).unwrap();
        assert!(has_all(&item, &attributes(br#"{"Id":{"N":"1"}}"#).unwrap()));
        assert!(!has_all(&item, &attributes(br#"{"Id":{"S":"1"}}"#).unwrap()));
        assert!(!has_all(&item, &attributes(br#"{"Other":{"N":"1"}}"#).unwrap()));
        assert_eq!(attributes(br#"{"Id":"1"}"#), None);
    }
}
