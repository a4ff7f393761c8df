package stator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.DuplicateItemException;
import software.amazon.awssdk.services.dynamodb.model.IdempotentParameterMismatchException;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.OperationType;
import software.amazon.awssdk.services.dynamodb.model.Record;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.dynamodb.model.ShardIteratorType;
import software.amazon.awssdk.services.dynamodb.model.StreamViewType;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;
import software.amazon.awssdk.services.dynamodb.streams.DynamoDbStreamsClient;

/** Transactions, PartiQL, streams, expiry and tags through the AWS SDK for Java v2, each test on a table of its own. */
class DataPlaneTest {
    private final DynamoDbClient client = DynamoDbClient.create();
    private final DynamoDbStreamsClient streams = DynamoDbStreamsClient.create();
    private final String name = "ledger-" + UUID.randomUUID();
    private TableDescription table;

    @BeforeEach
    void createTable() {
        client.createTable(request -> request.tableName(name)
                .billingMode(BillingMode.PAY_PER_REQUEST)
                .attributeDefinitions(id -> id.attributeName("id").attributeType(ScalarAttributeType.S))
                .keySchema(id -> id.attributeName("id").keyType(KeyType.HASH))
                .streamSpecification(stream -> stream.streamEnabled(true).streamViewType(StreamViewType.NEW_AND_OLD_IMAGES))
                .tags(tag -> tag.key("team").value("blue")));
        table = client.waiter().waitUntilTableExists(request -> request.tableName(name)).matched().response().orElseThrow().table();
    }

    @AfterEach
    void deleteTable() {
        client.deleteTable(request -> request.tableName(name));
    }

    private static AttributeValue text(String value) {
        return AttributeValue.fromS(value);
    }

    private static AttributeValue number(long value) {
        return AttributeValue.fromN(Long.toString(value));
    }

    private TransactWriteItem open(String id, long balance) {
        return TransactWriteItem.builder()
                .put(put -> put.tableName(name)
                        .item(Map.of("id", text(id), "balance", number(balance)))
                        .conditionExpression("attribute_not_exists(id)")
                        .returnValuesOnConditionCheckFailure(ReturnValuesOnConditionCheckFailure.ALL_OLD))
                .build();
    }

    private List<Record> readAll() {
        List<Record> records = new ArrayList<>();
        String arn = table.latestStreamArn();
        for (var shard : streams.describeStream(request -> request.streamArn(arn)).streamDescription().shards()) {
            String iterator = streams.getShardIterator(request -> request.streamArn(arn)
                            .shardId(shard.shardId())
                            .shardIteratorType(ShardIteratorType.TRIM_HORIZON))
                    .shardIterator();
            while (iterator != null) {
                String at = iterator;
                var page = streams.getRecords(request -> request.shardIterator(at).limit(5));
                records.addAll(page.records());
                iterator = page.records().isEmpty() ? null : page.nextShardIterator();
            }
        }
        return records;
    }

    @Test
    void transactionsHappenOnceOrNotAtAll() {
        String token = UUID.randomUUID().toString();
        for (int time = 0; time < 2; time++) {
            client.transactWriteItems(request -> request.clientRequestToken(token).transactItems(open("ann", 10), open("bob", 20)));
        }
        assertThrows(
                IdempotentParameterMismatchException.class,
                () -> client.transactWriteItems(request -> request.clientRequestToken(token).transactItems(open("ann", 11))));
        var cancelled = assertThrows(
                TransactionCanceledException.class,
                () -> client.transactWriteItems(request -> request.transactItems(open("eve", 1), open("bob", 1))));
        assertEquals(
                List.of("None", "ConditionalCheckFailed"), cancelled.cancellationReasons().stream().map(CancellationReason::code).toList());
        assertEquals(number(20), cancelled.cancellationReasons().get(1).item().get("balance"));
        var read = client.transactGetItems(request -> request.transactItems(
                item -> item.get(get -> get.tableName(name).key(Map.of("id", text("ann")))),
                item -> item.get(get -> get.tableName(name).key(Map.of("id", text("eve"))))));
        assertEquals(number(10), read.responses().get(0).item().get("balance"));
        assertTrue(!read.responses().get(1).hasItem());
    }

    @Test
    void statementsOfPartiql() {
        client.executeStatement(request -> request.statement("INSERT INTO \"" + name + "\" VALUE {'id': ?, 'balance': 5}").parameters(text("ann")));
        assertThrows(
                DuplicateItemException.class,
                () -> client.executeStatement(request -> request.statement("INSERT INTO \"" + name + "\" VALUE {'id': 'ann'}")));
        var changed = client.executeStatement(request -> request.statement(
                        "UPDATE \"" + name + "\" SET balance = balance + ? WHERE id = ? RETURNING MODIFIED NEW *")
                .parameters(number(2), text("ann")));
        assertEquals(List.of(Map.of("balance", number(7))), changed.items());
        var batch = client.batchExecuteStatement(request -> request.statements(
                one -> one.statement("SELECT balance FROM \"" + name + "\" WHERE id = 'ann'"),
                one -> one.statement("SELECT balance FROM \"" + name + "\" WHERE balance = 7")));
        assertEquals(Map.of("balance", number(7)), batch.responses().get(0).item());
        assertEquals("ValidationError", batch.responses().get(1).error().codeAsString());
    }

    @Test
    void aStreamTellsEveryChangeInOrder() {
        for (int step = 0; step < 12; step++) {
            long balance = step;
            client.putItem(request -> request.tableName(name).item(Map.of("id", text("ann"), "balance", number(balance))));
        }
        client.deleteItem(request -> request.tableName(name).key(Map.of("id", text("ann"))));
        List<Record> records = readAll();
        assertEquals(13, records.size());
        assertEquals(OperationType.INSERT, records.get(0).eventName());
        for (int step = 1; step < 12; step++) {
            assertEquals(number(step), records.get(step).dynamodb().newImage().get("balance"));
            assertEquals(number(step - 1), records.get(step).dynamodb().oldImage().get("balance"));
        }
        assertEquals(OperationType.REMOVE, records.get(12).eventName());
    }

    @Test
    void itemsExpireAndTablesHaveTags() throws InterruptedException {
        client.updateTimeToLive(request -> request.tableName(name).timeToLiveSpecification(ttl -> ttl.enabled(true).attributeName("until")));
        var description = client.describeTimeToLive(request -> request.tableName(name)).timeToLiveDescription();
        assertEquals("until", description.attributeName());
        client.putItem(request -> request.tableName(name)
                .item(Map.of("id", text("due"), "until", number(Instant.now().getEpochSecond() - 1))));
        Instant end = Instant.now().plus(Duration.ofMinutes(1));
        while (client.getItem(request -> request.tableName(name).key(Map.of("id", text("due")))).hasItem()) {
            assertTrue(Instant.now().isBefore(end), "the item does not go");
            Thread.sleep(200);
        }
        List<Record> records = readAll();
        assertEquals("dynamodb.amazonaws.com", records.get(records.size() - 1).userIdentity().principalId());
        assertEquals("Service", records.get(records.size() - 1).userIdentity().type());

        client.tagResource(request -> request.resourceArn(table.tableArn()).tags(tag -> tag.key("stage").value("test")));
        client.untagResource(request -> request.resourceArn(table.tableArn()).tagKeys("team"));
        var tags = client.listTagsOfResource(request -> request.resourceArn(table.tableArn())).tags();
        assertEquals(1, tags.size());
        assertEquals("stage", tags.get(0).key());
    }
}
