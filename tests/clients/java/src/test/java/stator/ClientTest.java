package stator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbEnhancedClient;
import software.amazon.awssdk.enhanced.dynamodb.DynamoDbTable;
import software.amazon.awssdk.enhanced.dynamodb.Key;
import software.amazon.awssdk.enhanced.dynamodb.TableSchema;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbBean;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondaryPartitionKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSecondarySortKey;
import software.amazon.awssdk.enhanced.dynamodb.mapper.annotations.DynamoDbSortKey;
import software.amazon.awssdk.enhanced.dynamodb.model.Page;
import software.amazon.awssdk.enhanced.dynamodb.model.QueryConditional;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.PutRequest;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;

/** Stator through the AWS SDK for Java v2: the plain client and the enhanced one, each test on a table of its own. */
class ClientTest {
    private final DynamoDbClient client = DynamoDbClient.create();
    private final DynamoDbEnhancedClient enhanced = DynamoDbEnhancedClient.builder().dynamoDbClient(client).build();
    private final String name = "parcels-" + UUID.randomUUID();
    private final DynamoDbTable<Parcel> table = enhanced.table(name, TableSchema.fromBean(Parcel.class));

    /** A parcel of a customer: by weight within the customer, by city over all. */
    @DynamoDbBean
    public static class Parcel {
        private String customer;
        private Integer number;
        private Integer weight;
        private String city;
        private List<String> stops;

        @DynamoDbPartitionKey
        public String getCustomer() {
            return customer;
        }

        public void setCustomer(String customer) {
            this.customer = customer;
        }

        @DynamoDbSortKey
        public Integer getNumber() {
            return number;
        }

        public void setNumber(Integer number) {
            this.number = number;
        }

        @DynamoDbSecondarySortKey(indexNames = "by-weight")
        public Integer getWeight() {
            return weight;
        }

        public void setWeight(Integer weight) {
            this.weight = weight;
        }

        @DynamoDbSecondaryPartitionKey(indexNames = "by-city")
        public String getCity() {
            return city;
        }

        public void setCity(String city) {
            this.city = city;
        }

        public List<String> getStops() {
            return stops;
        }

        public void setStops(List<String> stops) {
            this.stops = stops;
        }
    }

    private static Parcel parcel(int number) {
        Parcel parcel = new Parcel();
        parcel.setCustomer("lee");
        parcel.setNumber(number);
        parcel.setWeight(100 - number);
        parcel.setCity(number % 2 == 0 ? "Oslo" : "Bonn");
        parcel.setStops(List.of("depot", "stop " + number));
        return parcel;
    }

    @BeforeEach
    void createTable() {
        table.createTable(request -> request
                .localSecondaryIndices(index -> index.indexName("by-weight").projection(p -> p.projectionType(ProjectionType.ALL)))
                .globalSecondaryIndices(index -> index.indexName("by-city").projection(p -> p.projectionType(ProjectionType.ALL))));
        client.waiter().waitUntilTableExists(request -> request.tableName(name));
    }

    @AfterEach
    void deleteTable() {
        client.deleteTable(request -> request.tableName(name));
        client.waiter().waitUntilTableNotExists(request -> request.tableName(name));
    }

    private void fill(int count) {
        for (int start = 0; start < count; start += 25) {
            List<WriteRequest> requests = IntStream.range(start, Math.min(start + 25, count))
                    .mapToObj(number -> table.tableSchema().itemToMap(parcel(number), true))
                    .map(item -> WriteRequest.builder().putRequest(PutRequest.builder().item(item).build()).build())
                    .collect(Collectors.toList());
            var answer = client.batchWriteItem(request -> request.requestItems(Map.of(name, requests)));
            assertEquals(Map.of(), answer.unprocessedItems());
        }
    }

    @Test
    void beansSurviveAndUpdatesAreConditional() {
        table.putItem(parcel(7));
        Parcel stored = table.getItem(Key.builder().partitionValue("lee").sortValue(7).build());
        assertEquals(List.of("depot", "stop 7"), stored.getStops());
        stored.setCity("Rome");
        assertEquals("Rome", table.updateItem(stored).getCity());
        assertThrows(ConditionalCheckFailedException.class, () -> client.putItem(request -> request
                .tableName(name)
                .item(table.tableSchema().itemToMap(parcel(7), true))
                .conditionExpression("attribute_not_exists(customer)")));
    }

    @Test
    void indexesAndPagesCoverEveryItem() {
        fill(40);
        QueryConditional lee = QueryConditional.keyEqualTo(Key.builder().partitionValue("lee").build());
        List<Integer> weights = table.index("by-weight").query(request -> request.queryConditional(lee).limit(7)).stream()
                .map(Page::items).flatMap(List::stream).map(Parcel::getWeight).collect(Collectors.toList());
        assertEquals(IntStream.rangeClosed(61, 100).boxed().collect(Collectors.toList()), weights);

        QueryConditional oslo = QueryConditional.keyEqualTo(Key.builder().partitionValue("Oslo").build());
        long found = table.index("by-city").query(oslo).stream().mapToLong(page -> page.items().size()).sum();
        assertEquals(20, found);

        List<Integer> scanned = new ArrayList<>();
        table.scan(request -> request.limit(9)).items().forEach(parcel -> scanned.add(parcel.getNumber()));
        assertEquals(IntStream.range(0, 40).boxed().collect(Collectors.toList()), scanned);
    }

    @Test
    void errorsCarryTheirCodes() {
        assertThrows(ResourceNotFoundException.class, () -> client.describeTable(request -> request.tableName("no-such-table")));
        DynamoDbException refused = assertThrows(DynamoDbException.class, () -> client.getItem(request -> request
                .tableName(name)
                .key(Map.of("id", AttributeValue.fromS("1"), "number", AttributeValue.fromN("1")))));
        assertEquals("ValidationException", refused.awsErrorDetails().errorCode());
        assertEquals("The provided key element does not match the schema", refused.awsErrorDetails().errorMessage());
    }
}
