//! Transactions, PartiQL, streams, expiry and tags. Any surprise is a panic.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, Get, KeySchemaElement, KeyType, Put, ReturnValuesOnConditionCheckFailure,
    ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription, Tag, TimeToLiveSpecification, TransactGetItem,
    TransactWriteItem,
};
use aws_sdk_dynamodbstreams::types::{OperationType, Record, ShardIteratorType};

/// How long an item may outlive its time here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs everything, on tables of its own.
pub async fn run(client: &Client, streams: &aws_sdk_dynamodbstreams::Client) {
    let name = format!("ledger-{}", std::process::id());
    let table = create_table(client, &name).await;
    let arn = table.latest_stream_arn().expect("the table has a stream");
    transact(client, &name).await;
    state(client, &name).await;
    expire(client, &name).await;
    tag(client, table.table_arn().expect("a table has an ARN")).await;
    let records = read_all(streams, arn).await;
    let of_ann = records.iter().filter(|record| text_of(record, "id").as_deref() == Some("ann")).map(|record| record.event_name.clone());
    assert_eq!(of_ann.collect::<Vec<_>>(), [Some(OperationType::Insert), Some(OperationType::Modify)]);
    let expired = records.iter().find(|record| record.user_identity.is_some()).expect("the service removed an item");
    assert_eq!(text_of(expired, "id").as_deref(), Some("due"));
    assert_eq!(expired.user_identity().and_then(|by| by.principal_id()), Some("dynamodb.amazonaws.com"));
    client.delete_table().table_name(&name).send().await.expect("the table is deleted");
    println!("ok: transactions, statements, streams, expiry and tags");
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text_of(record: &Record, name: &str) -> Option<String> {
    record.dynamodb()?.keys()?.get(name)?.as_s().ok().cloned()
}

async fn create_table(client: &Client, name: &str) -> TableDescription {
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S).build().expect("both are set");
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash).build().expect("both are set");
    let stream =
        StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::KeysOnly).build().expect("both are set");
    let tag = Tag::builder().key("team").value("blue").build().expect("both are set");
    let request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let request = request.attribute_definitions(id).key_schema(key).stream_specification(stream).tags(tag);
    let created = request.send().await.expect("the table is made");
    created.table_description.expect("the answer describes the table")
}

fn open(table: &str, id: &str, balance: u64) -> TransactWriteItem {
    let put = Put::builder()
        .table_name(table)
        .item("id", text(id))
        .item("balance", number(balance))
        .condition_expression("attribute_not_exists(id)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build();
    TransactWriteItem::builder().put(put.expect("both are set")).build()
}

async fn transact(client: &Client, table: &str) {
    for _ in 0..2 {
        let request = client.transact_write_items().client_request_token("accounts");
        request
            .transact_items(open(table, "ann", 10))
            .transact_items(open(table, "bob", 20))
            .send()
            .await
            .expect("both accounts are opened");
    }
    let again = client.transact_write_items().transact_items(open(table, "eve", 1)).transact_items(open(table, "bob", 1)).send().await;
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = again.expect_err("bob is there").into_service_error() else {
        panic!("another error");
    };
    let codes: Vec<_> = cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or_default()).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed"]);
    assert_eq!(cancelled.cancellation_reasons()[1].item().and_then(|item| item.get("balance")), Some(&number(20)));
    let get = |id: &str| {
        let get = Get::builder().table_name(table).key("id", text(id)).build().expect("both are set");
        TransactGetItem::builder().get(get).build()
    };
    let read = client.transact_get_items().transact_items(get("ann")).transact_items(get("eve")).send().await.expect("they are read");
    let found: Vec<bool> = read.responses().iter().map(|response| response.item().is_some()).collect();
    assert_eq!(found, [true, false]);
}

async fn state(client: &Client, table: &str) {
    let statement = format!(r#"UPDATE "{table}" SET balance = balance + ? WHERE id = ? RETURNING ALL NEW *"#);
    let changed = client.execute_statement().statement(statement).parameters(number(5)).parameters(text("ann")).send().await;
    assert_eq!(changed.expect("it is changed").items()[0]["balance"], number(15));
    let broken = client.execute_statement().statement("SELEC").send().await.expect_err("no statement");
    assert!(format!("{broken:?}").contains("Statement wasn't well formed"), "{broken:?}");
}

async fn expire(client: &Client, table: &str) {
    let until = TimeToLiveSpecification::builder().enabled(true).attribute_name("until").build().expect("both are set");
    client.update_time_to_live().table_name(table).time_to_live_specification(until).send().await.expect("expiry is on");
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past the epoch").as_secs();
    client.put_item().table_name(table).item("id", text("due")).item("until", number(now_s - 1)).send().await.expect("it is put");
    let start = SystemTime::now();
    while client.get_item().table_name(table).key("id", text("due")).send().await.expect("it is asked for").item().is_some() {
        assert!(start.elapsed().is_ok_and(|waited| waited < PATIENCE), "the item does not go");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn tag(client: &Client, arn: &str) {
    let stage = Tag::builder().key("stage").value("test").build().expect("both are set");
    client.tag_resource().resource_arn(arn).tags(stage).send().await.expect("it is tagged");
    client.untag_resource().resource_arn(arn).tag_keys("team").send().await.expect("a tag is gone");
    let tags = client.list_tags_of_resource().resource_arn(arn).send().await.expect("tags are listed");
    let tags: Vec<_> = tags.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(tags, [("stage", "test")]);
}

async fn read_all(streams: &aws_sdk_dynamodbstreams::Client, arn: &str) -> Vec<Record> {
    let described = streams.describe_stream().stream_arn(arn).send().await.expect("the stream is described");
    let mut records = Vec::new();
    for shard in described.stream_description().map(|stream| stream.shards()).unwrap_or_default() {
        let begin = streams.get_shard_iterator().stream_arn(arn).shard_iterator_type(ShardIteratorType::TrimHorizon);
        let begin = begin.set_shard_id(shard.shard_id.clone()).send().await.expect("the shard can be read");
        let mut iterator = begin.shard_iterator;
        while let Some(at) = iterator {
            let page = streams.get_records().shard_iterator(at).limit(2).send().await.expect("records are read");
            iterator = page.next_shard_iterator.clone().filter(|_| !page.records().is_empty());
            records.extend(page.records.unwrap_or_default());
        }
    }
    records
}
