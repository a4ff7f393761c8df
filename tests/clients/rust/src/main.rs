//! Stator through the AWS SDK for Rust, as an application would use it. Any surprise is a panic.

mod data_plane;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, KeysAndAttributes, LocalSecondaryIndex,
    Projection, ProjectionType, PutRequest, ReturnValue, ScalarAttributeType, TableStatus, WriteRequest,
};

const WAIT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() {
    let settings = aws_config::load_from_env().await;
    let client = Client::new(&settings);
    let table = format!("tasks-{}", std::process::id());
    create_table(&client, &table).await;
    write(&client, &table).await;
    read_a_batch(&client, &table).await;
    update_under_a_condition(&client, &table).await;
    query_indexes(&client, &table).await;
    scan_in_pages(&client, &table).await;
    fail_as_expected(&client, &table).await;
    client.delete_table().table_name(&table).send().await.expect("the table is deleted");
    client.wait_until_table_not_exists().table_name(&table).wait(WAIT).await.expect("the table goes away");
    println!("ok: tables, items, conditions, indexes, pages and errors");
    data_plane::run(&client, &aws_sdk_dynamodbstreams::Client::new(&settings)).await;
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: usize) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn key_schema(partition: &str, sort: &str) -> Vec<KeySchemaElement> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("both members are set"))
        .to_vec()
}

fn projection(kind: ProjectionType) -> Projection {
    Projection::builder().projection_type(kind).build()
}

async fn create_table(client: &Client, table: &str) {
    let attributes = [("owner", ScalarAttributeType::S), ("number", ScalarAttributeType::N), ("state", ScalarAttributeType::S)];
    let definitions = attributes.map(|(name, kind)| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().expect("both members are set")
    });
    let local = LocalSecondaryIndex::builder()
        .index_name("by-owner-state")
        .set_key_schema(Some(key_schema("owner", "state")))
        .projection(projection(ProjectionType::All))
        .build();
    let global = GlobalSecondaryIndex::builder()
        .index_name("by-state")
        .set_key_schema(Some(key_schema("state", "number")))
        .projection(projection(ProjectionType::KeysOnly))
        .build();
    client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(definitions.to_vec()))
        .set_key_schema(Some(key_schema("owner", "number")))
        .local_secondary_indexes(local.expect("all members are set"))
        .global_secondary_indexes(global.expect("all members are set"))
        .send()
        .await
        .expect("the table is created");
    client.wait_until_table_exists().table_name(table).wait(WAIT).await.expect("the table comes to be");
    let answer = client.describe_table().table_name(table).send().await.expect("the table is described");
    assert_eq!(answer.table().and_then(|table| table.table_status()), Some(&TableStatus::Active));
}

async fn write(client: &Client, table: &str) {
    let requests = (0..20).map(|index| {
        let item = HashMap::from([
            ("owner".to_owned(), text("kim")),
            ("number".to_owned(), number(index)),
            ("state".to_owned(), text(if index % 4 == 0 { "done" } else { "open" })),
            ("steps".to_owned(), AttributeValue::L(vec![text("think"), AttributeValue::Bool(true), AttributeValue::Null(true)])),
        ]);
        WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().expect("an item is set")).build()
    });
    let answer = client.batch_write_item().request_items(table, requests.collect()).send().await.expect("the batch is written");
    assert!(answer.unprocessed_items().is_none_or(HashMap::is_empty));
}

async fn read_a_batch(client: &Client, table: &str) {
    let keys = [0, 19, 20].map(|index| HashMap::from([("owner".to_owned(), text("kim")), ("number".to_owned(), number(index))]));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.to_vec())).build().expect("keys are set");
    let answer = client.batch_get_item().request_items(table, keys).send().await.expect("the batch is read");
    assert_eq!(answer.responses.expect("tables are answered")[table].len(), 2);
}

async fn update_under_a_condition(client: &Client, table: &str) {
    let update = || {
        client
            .update_item()
            .table_name(table)
            .key("owner", text("kim"))
            .key("number", number(1))
            .update_expression("SET #s = :done REMOVE steps[0]")
            .condition_expression("#s = :open")
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":done", text("done"))
            .expression_attribute_values(":open", text("open"))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    let attributes = update().await.expect("the condition holds").attributes.expect("all attributes were asked for");
    assert_eq!(attributes["steps"], AttributeValue::L(vec![AttributeValue::Bool(true), AttributeValue::Null(true)]));
    let error = update().await.expect_err("the condition holds no longer");
    assert!(error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()));
}

async fn query_indexes(client: &Client, table: &str) {
    for (index, condition, expected) in [("by-state", "#s = :done", 6), ("by-owner-state", "#o = :kim AND #s = :done", 6)] {
        let mut query = client
            .query()
            .table_name(table)
            .index_name(index)
            .key_condition_expression(condition)
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":done", text("done"));
        if condition.contains("#o") {
            query = query.expression_attribute_names("#o", "owner").expression_attribute_values(":kim", text("kim"));
        }
        let items =
            query.into_paginator().page_size(4).items().send().collect::<Result<Vec<_>, _>>().await.expect("every page is answered");
        assert_eq!(items.len(), expected, "{index}");
    }
}

async fn scan_in_pages(client: &Client, table: &str) {
    let items = client.scan().table_name(table).into_paginator().page_size(3).items().send().collect::<Result<Vec<_>, _>>().await;
    assert_eq!(items.expect("every page is answered").len(), 20);
}

async fn fail_as_expected(client: &Client, table: &str) {
    let missing = client.describe_table().table_name("no-such-table").send().await.expect_err("there is no such table");
    assert_eq!(missing.code(), Some("ResourceNotFoundException"));
    let refused =
        client.get_item().table_name(table).key("id", text("1")).key("number", number(1)).send().await.expect_err("that is not the key");
    assert_eq!(
        (refused.code(), refused.message()),
        (Some("ValidationException"), Some("The provided key element does not match the schema"))
    );
}
