//! The one-line form of a table's definition.
//!
//! ```text
//! table T pk:S sk:N; lsi L other:N keys; gsi G p1:S,p2:N s1:S include:a,b; provisioned 5 5
//! table T pk:S; stream NEW_AND_OLD_IMAGES
//! table T pk:S; vec V embedding:3 COSINE hash:tenant:S filter:kind:S keys
//! ```
//!
//! What must stay true: it only ever makes a `CreateTable` request that one could have written out.

use crate::json::Json;

/// The `CreateTable` request of a definition (all after the word `table`).
///
/// # Errors
/// The word that has no place.
pub fn create_request(text: &str) -> Result<Json, String> {
    let mut clauses = text.split(';').map(|clause| clause.split_whitespace().collect::<Vec<_>>());
    let head = clauses.next().unwrap_or_default();
    let [name, keys @ ..] = head.as_slice() else { return Err("a table needs a name".to_owned()) };
    let mut definitions = Vec::new();
    let mut request = vec![("TableName".to_owned(), Json::text(*name)), ("KeySchema".to_owned(), key_schema(keys, &mut definitions)?)];
    let (mut locals, mut globals, mut vectors) = (Vec::new(), Vec::new(), Vec::new());
    let (mut throughput, mut stream) = (None, None);
    for clause in clauses {
        match clause.as_slice() {
            ["lsi", index @ ..] => locals.push(index_of(index, request[1].1.elements().first(), &mut definitions)?),
            ["gsi", index @ ..] => globals.push(index_of(index, None, &mut definitions)?),
            ["vec", index @ ..] => vectors.push(vector_index_of(index, &mut definitions)?),
            ["provisioned", read, write] => throughput = Some(provisioned(read, write)),
            ["stream", view] => stream = Some(stream_of(view)),
            [] => {}
            other => return Err(format!("what is {other:?}?")),
        }
    }
    if let Some(throughput) = &throughput {
        for index in &mut globals {
            if let Json::Object(members) = index {
                members.push(("ProvisionedThroughput".to_owned(), throughput.clone()));
            }
        }
    }
    request.push(match throughput {
        Some(throughput) => ("ProvisionedThroughput".to_owned(), throughput),
        None => ("BillingMode".to_owned(), Json::text("PAY_PER_REQUEST")),
    });
    request.extend(stream.map(|stream| ("StreamSpecification".to_owned(), stream)));
    for (member, indexes) in [("LocalSecondaryIndexes", locals), ("GlobalSecondaryIndexes", globals), ("VectorIndexes", vectors)] {
        if !indexes.is_empty() {
            request.push((member.to_owned(), Json::Array(indexes)));
        }
    }
    request.push(("AttributeDefinitions".to_owned(), Json::Array(definitions)));
    Ok(Json::Object(request))
}

fn stream_of(view: &str) -> Json {
    Json::Object(vec![("StreamEnabled".to_owned(), Json::Bool(true)), ("StreamViewType".to_owned(), Json::text(view))])
}

fn provisioned(read: &str, write: &str) -> Json {
    Json::Object(vec![
        ("ReadCapacityUnits".to_owned(), Json::Number(read.to_owned())),
        ("WriteCapacityUnits".to_owned(), Json::Number(write.to_owned())),
    ])
}

/// A name, keys (of a local index the sort key alone), and a projection, which is all unless said otherwise.
fn index_of(words: &[&str], table_partition: Option<&Json>, definitions: &mut Vec<Json>) -> Result<Json, String> {
    let [name, keys @ ..] = words else { return Err("an index needs a name".to_owned()) };
    let (keys, projection) = projection_of(keys);
    let schema = match table_partition {
        Some(partition) => {
            let Json::Array(sort) = key_schema(&[&["ignored:S"], keys].concat(), definitions)? else { return Err("keys".to_owned()) };
            definitions.retain(|definition| definition.get("AttributeName").and_then(Json::as_str) != Some("ignored"));
            Json::Array([vec![partition.clone()], sort[1..].to_vec()].concat())
        }
        None => key_schema(keys, definitions)?,
    };
    Ok(Json::Object(vec![
        ("IndexName".to_owned(), Json::text(*name)),
        ("KeySchema".to_owned(), schema),
        ("Projection".to_owned(), projection),
    ]))
}

/// A name, the attribute with its dimensions, the distance, elements of the search schema, and a projection.
fn vector_index_of(words: &[&str], definitions: &mut Vec<Json>) -> Result<Json, String> {
    let [name, vector, distance, rest @ ..] = words else { return Err("a vector index needs a name, vectors and a distance".to_owned()) };
    let (attribute, dimensions) = vector.split_once(':').ok_or_else(|| format!("{vector} lacks dimensions"))?;
    let (elements, projection) = projection_of(rest);
    let mut schema = Vec::new();
    for element in elements {
        let (role, declared) = element.split_once(':').ok_or_else(|| format!("what is {element}?"))?;
        key_schema(&[declared], definitions)?;
        let attribute = declared.split(':').next().unwrap_or_default();
        schema.push(pair("AttributeName", attribute, "SearchSchemaElementType", if role == "hash" { "HASH" } else { "INLINE_FILTER" }));
    }
    let mut members = vec![
        ("IndexName".to_owned(), Json::text(*name)),
        ("VectorAttribute".to_owned(), Json::single("AttributeName", Json::text(attribute))),
        ("Dimensions".to_owned(), Json::Number(dimensions.to_owned())),
        ("DistanceFunction".to_owned(), Json::text(*distance)),
        ("Projection".to_owned(), projection),
    ];
    if !schema.is_empty() {
        members.push(("SearchSchema".to_owned(), Json::Array(schema)));
    }
    Ok(Json::Object(members))
}

/// The words before a projection, and the projection, which is all unless said otherwise.
fn projection_of<'w, 't>(words: &'w [&'t str]) -> (&'w [&'t str], Json) {
    let (words, projection) = match words {
        [words @ .., last] if *last == "all" || *last == "keys" || last.starts_with("include:") => (words, *last),
        words => (words, "all"),
    };
    let kind = match projection {
        "all" => "ALL",
        "keys" => "KEYS_ONLY",
        _ => "INCLUDE",
    };
    let mut members = vec![("ProjectionType".to_owned(), Json::text(kind))];
    if let Some(names) = projection.strip_prefix("include:") {
        members.push(("NonKeyAttributes".to_owned(), Json::Array(names.split(',').map(Json::text).collect())));
    }
    (words, Json::Object(members))
}

/// The first word lists the partition attributes, the second the sort attributes, both as `name:type,name:type`.
fn key_schema(words: &[&str], definitions: &mut Vec<Json>) -> Result<Json, String> {
    if words.is_empty() || words.len() > 2 {
        return Err(format!("keys are one or two words, not {words:?}"));
    }
    let mut schema = Vec::new();
    for (word, role) in words.iter().zip(["HASH", "RANGE"]) {
        for attribute in word.split(',') {
            let (name, kind) = attribute.split_once(':').ok_or_else(|| format!("{attribute} lacks a type"))?;
            schema.push(pair("AttributeName", name, "KeyType", role));
            let definition = pair("AttributeName", name, "AttributeType", kind);
            if !definitions.contains(&definition) {
                definitions.push(definition);
            }
        }
    }
    Ok(Json::Array(schema))
}

fn pair(first: &str, first_value: &str, second: &str, second_value: &str) -> Json {
    Json::Object(vec![(first.to_owned(), Json::text(first_value)), (second.to_owned(), Json::text(second_value))])
}

#[cfg(test)]
mod tests {
    use super::create_request;

    #[test]
    fn a_line_becomes_a_whole_request() {
        assert_eq!(
            create_request("T pk:S; lsi L n:N keys; gsi G a:S,b:N pk:S include:x,y; provisioned 2 3").unwrap().render(),
            concat!(
                r#"{"TableName":"T","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],"#,
                r#""ProvisionedThroughput":{"ReadCapacityUnits":2,"WriteCapacityUnits":3},"#,
                r#""LocalSecondaryIndexes":[{"IndexName":"L","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},"#,
                r#"{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}],"#,
                r#""GlobalSecondaryIndexes":[{"IndexName":"G","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},"#,
                r#"{"AttributeName":"b","KeyType":"HASH"},{"AttributeName":"pk","KeyType":"RANGE"}],"#,
                r#""Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["x","y"]},"#,
                r#""ProvisionedThroughput":{"ReadCapacityUnits":2,"WriteCapacityUnits":3}}],"#,
                r#""AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"},"#,
                r#"{"AttributeName":"a","AttributeType":"S"},{"AttributeName":"b","AttributeType":"N"}]}"#
            )
        );
        let stream = r#""StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}"#;
        assert!(create_request("T pk:S; stream KEYS_ONLY").unwrap().render().contains(stream));
        assert!(create_request("T pk").is_err());
        assert!(create_request("T pk:S; vec V e:3 COSINE hash:t:S filter:k:N keys").unwrap().render().contains(concat!(
            r#""VectorIndexes":[{"IndexName":"V","VectorAttribute":{"AttributeName":"e"},"Dimensions":3,"DistanceFunction":"COSINE","#,
            r#""Projection":{"ProjectionType":"KEYS_ONLY"},"SearchSchema":[{"AttributeName":"t","SearchSchemaElementType":"HASH"},"#,
            r#"{"AttributeName":"k","SearchSchemaElementType":"INLINE_FILTER"}]}]"#
        )));
    }
}
