"""Stator through boto3: client and resource, waiters and paginators, every attribute type, and the errors that matter.

Each test makes its own table, so that any of them can run alone.
"""

import decimal
import time
import unittest
import uuid

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

CLIENT = boto3.client("dynamodb")
RESOURCE = boto3.resource("dynamodb")


def make_table(case):
    """A table of orders: by customer and number, locally by date, globally by status and total."""
    name = f"orders-{uuid.uuid4()}"
    attributes = {"customer": "S", "number": "N", "date": "S", "status": "S", "total": "N"}
    CLIENT.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in attributes.items()],
        KeySchema=[{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "number", "KeyType": "RANGE"}],
        LocalSecondaryIndexes=[
            {
                "IndexName": "by-date",
                "KeySchema": [{"AttributeName": "customer", "KeyType": "HASH"}, {"AttributeName": "date", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-status",
                "KeySchema": [{"AttributeName": "status", "KeyType": "HASH"}, {"AttributeName": "total", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]},
            }
        ],
    )
    CLIENT.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    case.addCleanup(CLIENT.delete_table, TableName=name)
    return RESOURCE.Table(name)


def order(customer, number, **attributes):
    defaults = {"date": f"2026-01-{number % 28 + 1:02}", "status": "open" if number % 3 else "paid", "total": number * 10}
    return {"customer": customer, "number": number, **defaults, **attributes}


def fill(table, count=30):
    with table.batch_writer() as batch:
        for number in range(count):
            batch.put_item(Item=order("ann", number, note=f"note {number}"))


class Items(unittest.TestCase):
    def test_every_attribute_type_survives(self):
        table = make_table(self)
        item = order(
            "bob",
            1,
            text="grüße",
            empty="",
            exact=decimal.Decimal("1234567890123456789012345678.0123456789"),
            tiny=decimal.Decimal("1E-130"),
            binary=b"\x00\xff",
            yes=True,
            nothing=None,
            texts={"a", "b"},
            numbers={1, decimal.Decimal("2.5")},
            binaries={b"x", b""},
            nested={"list": [1, "two", {"deep": [None, False]}], "empty": {}},
        )
        table.put_item(Item=item)
        stored = table.get_item(Key={"customer": "bob", "number": 1}, ConsistentRead=True)["Item"]
        stored["binary"] = stored["binary"].value
        stored["binaries"] = {value.value for value in stored["binaries"]}
        self.assertEqual(stored, item)

    def test_update_answers_what_was_asked_for(self):
        table = make_table(self)
        table.put_item(Item=order("ann", 1, counters={"seen": 1}, tags=["a", "b"]))
        answer = table.update_item(
            Key={"customer": "ann", "number": 1},
            UpdateExpression="SET counters.seen = counters.seen + :one, tags = list_append(tags, :more) REMOVE note",
            ExpressionAttributeValues={":one": 1, ":more": ["c"]},
            ReturnValues="UPDATED_NEW",
        )
        self.assertEqual(answer["Attributes"], {"counters": {"seen": 2}, "tags": ["a", "b", "c"]})
        old = table.delete_item(Key={"customer": "ann", "number": 1}, ReturnValues="ALL_OLD")["Attributes"]
        self.assertEqual(old["tags"], ["a", "b", "c"])
        self.assertNotIn("Item", table.get_item(Key={"customer": "ann", "number": 1}))

    def test_a_failed_condition_says_so_and_brings_the_item(self):
        table = make_table(self)
        item = order("ann", 1)
        table.put_item(Item=item, ConditionExpression=Attr("customer").not_exists())
        with self.assertRaises(CLIENT.exceptions.ConditionalCheckFailedException) as caught:
            table.put_item(
                Item=item, ConditionExpression=Attr("customer").not_exists(), ReturnValuesOnConditionCheckFailure="ALL_OLD"
            )
        error = caught.exception.response
        self.assertEqual(error["Error"]["Message"], "The conditional request failed")
        self.assertEqual(error["Item"]["customer"], {"S": "ann"})
        self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], 400)

    def test_batches_write_and_read(self):
        table = make_table(self)
        fill(table, 60)
        keys = [{"customer": "ann", "number": number} for number in range(60)]
        answer = RESOURCE.batch_get_item(RequestItems={table.name: {"Keys": keys, "ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": "number"}}})
        self.assertEqual(sorted(item["number"] for item in answer["Responses"][table.name]), list(range(60)))
        self.assertEqual(answer["UnprocessedKeys"], {})


class Reads(unittest.TestCase):
    def test_query_ranges_filters_and_order(self):
        table = make_table(self)
        fill(table)
        answer = table.query(
            KeyConditionExpression=Key("customer").eq("ann") & Key("number").between(5, 15),
            FilterExpression=Attr("status").eq("paid"),
            ScanIndexForward=False,
            ReturnConsumedCapacity="TOTAL",
        )
        self.assertEqual([item["number"] for item in answer["Items"]], [15, 12, 9, 6])
        self.assertEqual((answer["Count"], answer["ScannedCount"]), (4, 11))
        self.assertEqual(answer["ConsumedCapacity"]["CapacityUnits"], 0.5)

    def test_local_index_fetches_what_it_does_not_project(self):
        table = make_table(self)
        fill(table, 5)
        answer = table.query(
            IndexName="by-date",
            KeyConditionExpression=Key("customer").eq("ann") & Key("date").begins_with("2026-01"),
            Select="ALL_ATTRIBUTES",
        )
        self.assertEqual([item["note"] for item in answer["Items"]], [f"note {number}" for number in range(5)])

    def test_global_index_follows_every_write(self):
        table = make_table(self)
        fill(table, 9)
        paid = Key("status").eq("paid")
        numbers = lambda: [item["number"] for item in table.query(IndexName="by-status", KeyConditionExpression=paid)["Items"]]
        self.assertEqual(numbers(), [0, 3, 6])
        table.update_item(
            Key={"customer": "ann", "number": 1},
            UpdateExpression="SET #s = :paid, #t = :total",
            ExpressionAttributeNames={"#s": "status", "#t": "total"},
            ExpressionAttributeValues={":paid": "paid", ":total": 45},
        )
        table.delete_item(Key={"customer": "ann", "number": 3})
        self.assertEqual(numbers(), [0, 1, 6])
        item = table.query(IndexName="by-status", KeyConditionExpression=paid, Limit=1)["Items"][0]
        self.assertEqual(set(item), {"customer", "number", "status", "total", "note"})

    def test_paginators_walk_everything_once(self):
        table = make_table(self)
        fill(table, 100)
        for operation, arguments in {
            "scan": {},
            "query": {"KeyConditionExpression": "customer = :c", "ExpressionAttributeValues": {":c": {"S": "ann"}}},
        }.items():
            pages = list(CLIENT.get_paginator(operation).paginate(TableName=table.name, PaginationConfig={"PageSize": 7}, **arguments))
            numbers = [int(item["number"]["N"]) for page in pages for item in page["Items"]]
            self.assertEqual(sorted(numbers), list(range(100)))
            self.assertEqual(len(pages), 15)

    def test_parallel_scan_covers_the_table(self):
        table = make_table(self)
        with table.batch_writer() as batch:
            for number in range(200):
                batch.put_item(Item=order(f"customer {number}", number))
        seen = []
        for segment in range(5):
            seen += [item["number"] for item in table.scan(Segment=segment, TotalSegments=5)["Items"]]
        self.assertEqual(sorted(seen), list(range(200)))


class Tables(unittest.TestCase):
    def test_description_counts_items(self):
        table = make_table(self)
        fill(table, 12)
        description = CLIENT.describe_table(TableName=table.name)["Table"]
        self.assertEqual((description["TableStatus"], description["ItemCount"]), ("ACTIVE", 12))
        self.assertRegex(description["TableArn"], rf"^arn:aws:dynamodb:[\w-]+:\d{{12}}:table/{table.name}$")
        self.assertIn(table.name, [name for page in CLIENT.get_paginator("list_tables").paginate() for name in page["TableNames"]])

    def test_an_index_is_added_to_a_full_table_and_dropped(self):
        table = make_table(self)
        fill(table, 50)
        CLIENT.update_table(
            TableName=table.name,
            AttributeDefinitions=[{"AttributeName": "note", "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[
                {"Create": {"IndexName": "by-note", "KeySchema": [{"AttributeName": "note", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}}
            ],
        )
        self.wait_for_indexes(table, {"by-status": "ACTIVE", "by-note": "ACTIVE"})
        found = table.query(IndexName="by-note", KeyConditionExpression=Key("note").eq("note 7"))["Items"]
        self.assertEqual([item["number"] for item in found], [7])
        CLIENT.update_table(TableName=table.name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-note"}}])
        self.wait_for_indexes(table, {"by-status": "ACTIVE"})

    def wait_for_indexes(self, table, expected):
        waiter = CLIENT.get_waiter("table_exists")
        for _ in range(60):
            waiter.wait(TableName=table.name, WaiterConfig={"Delay": 1})
            indexes = CLIENT.describe_table(TableName=table.name)["Table"].get("GlobalSecondaryIndexes", [])
            states = {index["IndexName"]: index["IndexStatus"] for index in indexes}
            if states == expected:
                return
        self.fail(f"indexes are {states}, not {expected}")

    def test_waiting_for_the_end_of_a_table(self):
        name = f"short-{uuid.uuid4()}"
        CLIENT.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        CLIENT.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        with self.assertRaises(CLIENT.exceptions.ResourceInUseException):
            CLIENT.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            )
        CLIENT.delete_table(TableName=name)
        CLIENT.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        with self.assertRaises(CLIENT.exceptions.ResourceNotFoundException):
            CLIENT.describe_table(TableName=name)


class Errors(unittest.TestCase):
    def check(self, code, message, operation, **arguments):
        with self.assertRaises(ClientError) as caught:
            operation(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code)
        self.assertIn(message, error["Message"])

    def test_errors_carry_the_services_codes(self):
        table = make_table(self)
        self.check("ResourceNotFoundException", "Requested resource not found", CLIENT.get_item, TableName="no-such-table", Key={"id": {"S": "1"}})
        self.check(
            "ValidationException", "The provided key element does not match the schema", CLIENT.get_item, TableName=table.name, Key={"id": {"S": "1"}, "number": {"N": "1"}}
        )
        self.check(
            "ValidationException",
            "Syntax error",
            CLIENT.scan,
            TableName=table.name,
            FilterExpression="a = = :b",
            ExpressionAttributeValues={":b": {"S": "1"}},
        )
        self.check(
            "ValidationException",
            "The table does not have the specified index",
            CLIENT.scan,
            TableName=table.name,
            IndexName="unknown-index",
        )

    def test_a_wrong_secret_is_refused(self):
        stranger = boto3.client("dynamodb", aws_secret_access_key="x" * 40, aws_access_key_id=boto3.Session().get_credentials().access_key)
        self.check("InvalidSignatureException", "does not match the signature you provided", stranger.list_tables)
        unknown = boto3.client("dynamodb", aws_secret_access_key="x" * 40, aws_access_key_id="AKIAXXXXXXXXXXXXXXXX")
        self.check("UnrecognizedClientException", "The security token included in the request is invalid", unknown.list_tables)


class Vectors(unittest.TestCase):
    def test_the_nearest_are_found_also_by_an_index_made_later(self):
        name = f"songs-{uuid.uuid4()}"
        definitions = [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "genre", "AttributeType": "S"}]
        index = {
            "IndexName": "by-sound",
            "VectorAttribute": {"AttributeName": "sound"},
            "Dimensions": 2,
            "DistanceFunction": "EUCLIDEAN",
            "SearchSchema": [{"AttributeName": "genre", "SearchSchemaElementType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        CLIENT.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=definitions,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            VectorIndexes=[index],
        )
        CLIENT.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        self.addCleanup(CLIENT.delete_table, TableName=name)
        table = RESOURCE.Table(name)
        for number, genre in enumerate(["jazz", "jazz", "soul"]):
            table.put_item(Item={"id": f"song {number}", "genre": genre, "sound": [decimal.Decimal("0.5"), number]})
        later = {**index, "IndexName": "later", "DistanceFunction": "COSINE", "Projection": {"ProjectionType": "ALL"}}
        CLIENT.update_table(TableName=name, AttributeDefinitions=definitions, VectorIndexUpdates=[{"Create": later}])

        def search(index_name, **more):
            return CLIENT.search_vectors(
                TableName=name,
                IndexName=index_name,
                TopK=5,
                SearchVector=[{"N": "0.5"}, {"N": "1"}],
                SearchConditionExpression="genre = :g",
                ExpressionAttributeValues={":g": {"S": "jazz"}},
                **more,
            )

        found = search("by-sound", ReturnConsumedCapacity="TOTAL")
        results = [(result["Item"]["id"]["S"], result["Score"]) for result in found["SearchResults"]]
        self.assertEqual(results, [("song 1", 0.0), ("song 0", 1.0)])
        self.assertEqual(found["ConsumedCapacity"], {"VectorSearchRequestBytes": 1024.0})
        for _ in range(100):
            description = CLIENT.describe_table(TableName=name)["Table"]
            if all(index["IndexStatus"] == "ACTIVE" for index in description["VectorIndexes"]):
                break
            time.sleep(0.1)
        found = search("later", ProjectionExpression="sound")["SearchResults"]
        self.assertEqual(found[0]["Item"], {"sound": {"L": [{"N": "0.5"}, {"N": "1"}]}})
        with self.assertRaises(ClientError) as raised:
            table.put_item(Item={"id": "song 3", "sound": [1]})
        self.assertIn("Invalid size for parameter sound, Expected: 2, Actual: 1", str(raised.exception))


if __name__ == "__main__":
    unittest.main()
