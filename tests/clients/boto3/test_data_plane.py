"""The rest of what an application calls at run time, through boto3: transactions, PartiQL, streams, expiry and tags."""

import concurrent.futures
import time
import unittest
import uuid

import boto3
from botocore.exceptions import ClientError

CLIENT = boto3.client("dynamodb")
STREAMS = boto3.client("dynamodbstreams")
RESOURCE = boto3.resource("dynamodb")
# How long something may take that happens in the background.
PATIENCE_S = 60


def make_table(case, **more):
    name = f"accounts-{uuid.uuid4()}"
    CLIENT.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        **more,
    )
    CLIENT.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    case.addCleanup(CLIENT.delete_table, TableName=name)
    return RESOURCE.Table(name)


def eventually(condition):
    """Waits until the condition answers something true, and answers that."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


class Transactions(unittest.TestCase):
    def transfer(self, table, amount, token=None):
        def move(account, by):
            return {
                "Update": {
                    "TableName": table.name,
                    "Key": {"id": {"S": account}},
                    "UpdateExpression": "SET balance = balance + :by",
                    "ConditionExpression": "balance >= :least",
                    "ExpressionAttributeValues": {":by": {"N": str(by)}, ":least": {"N": str(max(0, -by))}},
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            }

        more = {"ClientRequestToken": token} if token else {}
        return CLIENT.transact_write_items(
            TransactItems=[move("ann", -amount), move("bob", amount)], ReturnConsumedCapacity="TOTAL", **more
        )

    def balances(self, table):
        gets = [{"Get": {"TableName": table.name, "Key": {"id": {"S": account}}}} for account in ("ann", "bob")]
        answer = CLIENT.transact_get_items(TransactItems=gets)
        return [int(response["Item"]["balance"]["N"]) for response in answer["Responses"]]

    def test_money_moves_whole_or_not_at_all(self):
        table = make_table(self)
        for account in ("ann", "bob"):
            table.put_item(Item={"id": account, "balance": 10})
        capacity = self.transfer(table, 7)["ConsumedCapacity"][0]
        self.assertEqual((capacity["CapacityUnits"], capacity["WriteCapacityUnits"]), (4, 4))
        self.assertEqual(self.balances(table), [3, 17])
        with self.assertRaises(CLIENT.exceptions.TransactionCanceledException) as caught:
            self.transfer(table, 7)
        reasons = caught.exception.response["CancellationReasons"]
        self.assertEqual([reason["Code"] for reason in reasons], ["ConditionalCheckFailed", "None"])
        self.assertEqual(reasons[0]["Item"]["balance"], {"N": "3"})
        self.assertEqual(self.balances(table), [3, 17])

    def test_those_who_meet_are_told_to_come_back_and_lose_nothing(self):
        table = make_table(self)
        table.put_item(Item={"id": "hot", "count": 0})
        update = {
            "TableName": table.name,
            "Key": {"id": {"S": "hot"}},
            "UpdateExpression": "ADD #c :one",
            "ExpressionAttributeNames": {"#c": "count"},
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }

        def count(worker):
            done, met = 0, set()
            for _ in range(40):
                try:
                    if worker % 4 == 0:
                        CLIENT.update_item(**update)
                    else:
                        CLIENT.transact_write_items(TransactItems=[{"Update": update}])
                    done += 1
                except CLIENT.exceptions.TransactionCanceledException as error:
                    met |= {reason["Code"] for reason in error.response["CancellationReasons"]}
                except CLIENT.exceptions.TransactionConflictException:
                    met.add("plain")
            return done, met

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(count, range(8)))
        self.assertEqual(table.get_item(Key={"id": "hot"}, ConsistentRead=True)["Item"]["count"], sum(done for done, _ in outcomes))
        met = set().union(*(met for _, met in outcomes))
        self.assertIn("TransactionConflict", met)
        self.assertLessEqual(met, {"TransactionConflict", "plain"})

    def test_a_token_makes_a_transaction_happen_once(self):
        table = make_table(self)
        for account in ("ann", "bob"):
            table.put_item(Item={"id": account, "balance": 10})
        token = str(uuid.uuid4())
        self.transfer(table, 1, token)
        again = self.transfer(table, 1, token)
        self.assertEqual(again["ConsumedCapacity"][0]["ReadCapacityUnits"], 4)
        self.assertEqual(self.balances(table), [9, 11])
        with self.assertRaises(CLIENT.exceptions.IdempotentParameterMismatchException):
            self.transfer(table, 2, token)


class Statements(unittest.TestCase):
    def execute(self, statement, *parameters, **more):
        given = {"Parameters": list(parameters)} if parameters else {}
        return CLIENT.execute_statement(Statement=statement, **given, **more)

    def test_statements_write_read_and_delete(self):
        table = make_table(self)
        for number in range(5):
            self.execute(f"INSERT INTO \"{table.name}\" VALUE {{'id': ?, 'number': ?}}", {"S": f"n{number}"}, {"N": str(number)})
        with self.assertRaises(CLIENT.exceptions.DuplicateItemException):
            self.execute(f"INSERT INTO \"{table.name}\" VALUE {{'id': 'n1'}}")
        changed = self.execute(
            f"UPDATE \"{table.name}\" SET tags = <<'a', 'b'>> SET number = number + 10 WHERE id = 'n3' RETURNING ALL NEW *"
        )
        self.assertEqual(changed["Items"], [{"id": {"S": "n3"}, "number": {"N": "13"}, "tags": {"SS": ["a", "b"]}}])
        found = self.execute(f'SELECT id FROM "{table.name}" WHERE number > 2 AND tags IS MISSING')
        self.assertEqual(found["Items"], [{"id": {"S": "n4"}}])
        gone = self.execute(f"DELETE FROM \"{table.name}\" WHERE id = 'n4' RETURNING ALL OLD *")
        self.assertEqual(gone["Items"], [{"id": {"S": "n4"}, "number": {"N": "4"}}])
        with self.assertRaises(ClientError) as caught:
            self.execute(f'SELEC * FROM "{table.name}"')
        self.assertIn("Statement wasn't well formed", caught.exception.response["Error"]["Message"])

    def test_pages_go_on_by_token(self):
        table = make_table(self)
        with table.batch_writer() as batch:
            for number in range(10):
                batch.put_item(Item={"id": f"n{number}"})
        seen, more = [], {}
        while True:
            page = self.execute(f'SELECT * FROM "{table.name}"', Limit=3, **more)
            seen += [item["id"]["S"] for item in page["Items"]]
            if "NextToken" not in page:
                break
            more = {"NextToken": page["NextToken"]}
        self.assertEqual(sorted(seen), [f"n{number}" for number in range(10)])

    def test_batches_fail_one_by_one_and_transactions_whole(self):
        table = make_table(self)
        insert = f"INSERT INTO \"{table.name}\" VALUE {{'id': ?}}"
        of = lambda name: {"Statement": insert, "Parameters": [{"S": name}]}
        answer = CLIENT.batch_execute_statement(Statements=[of("a"), of("a"), of("b")])["Responses"]
        self.assertEqual([response.get("Error", {}).get("Code") for response in answer], [None, "DuplicateItem", None])
        with self.assertRaises(CLIENT.exceptions.TransactionCanceledException) as caught:
            CLIENT.execute_transaction(TransactStatements=[of("c"), of("a")])
        reasons = caught.exception.response["CancellationReasons"]
        self.assertEqual([reason["Code"] for reason in reasons], ["None", "DuplicateItem"])
        self.assertEqual(table.scan(Select="COUNT")["Count"], 2)
        read = CLIENT.execute_transaction(
            TransactStatements=[{"Statement": f"SELECT * FROM \"{table.name}\" WHERE id = '{name}'"} for name in ("a", "c")]
        )
        self.assertEqual(read["Responses"], [{"Item": {"id": {"S": "a"}}}, {}])


def read_all(arn):
    """Reads every record of a stream, as consumers do: shard after shard, parents before children."""
    shards, last = [], {}
    while True:
        description = STREAMS.describe_stream(StreamArn=arn, **last)["StreamDescription"]
        shards += description["Shards"]
        if "LastEvaluatedShardId" not in description:
            break
        last = {"ExclusiveStartShardId": description["LastEvaluatedShardId"]}
    records = []
    for shard in shards:
        iterator = STREAMS.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while iterator:
            page = STREAMS.get_records(ShardIterator=iterator, Limit=7)
            records += page["Records"]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return records


class Streams(unittest.TestCase):
    def test_every_change_is_met_once_and_in_order(self):
        table = make_table(self, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        for step in range(6):
            for name in ("a", "b", "c", "d", "e"):
                table.put_item(Item={"id": name, "step": step})
        table.put_item(Item={"id": "a", "step": 5})
        table.delete_item(Key={"id": "e"})
        records = read_all(table.latest_stream_arn)
        self.assertEqual(len(records), 31, "a write that changes nothing makes no record")
        for name in ("a", "b", "c", "d", "e"):
            own = [record for record in records if record["dynamodb"]["Keys"]["id"]["S"] == name]
            steps = [int(record["dynamodb"]["NewImage"]["step"]["N"]) for record in own if record["eventName"] != "REMOVE"]
            self.assertEqual(steps, list(range(6)))
            self.assertEqual(own[0]["eventName"], "INSERT")
            numbers = [int(record["dynamodb"]["SequenceNumber"]) for record in own]
            self.assertEqual(numbers, sorted(set(numbers)))
        removed = [record for record in records if record["eventName"] == "REMOVE"]
        self.assertEqual([record["dynamodb"]["OldImage"]["step"]["N"] for record in removed], ["5"])
        self.assertEqual(len({record["eventID"] for record in records}), len(records))

    def test_a_stream_is_listed_disabled_and_still_read(self):
        table = make_table(self, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
        table.put_item(Item={"id": "a"})
        arn = table.latest_stream_arn
        self.assertEqual([stream["StreamArn"] for stream in STREAMS.list_streams(TableName=table.name)["Streams"]], [arn])
        CLIENT.update_table(TableName=table.name, StreamSpecification={"StreamEnabled": False})
        described = STREAMS.describe_stream(StreamArn=arn)["StreamDescription"]
        self.assertIn(described["StreamStatus"], ("DISABLING", "DISABLED"))
        self.assertEqual([record["eventName"] for record in read_all(arn)], ["INSERT"])
        other = arn[: arn.rindex("/")] + "/2001-01-01T00:00:00.000"
        with self.assertRaises(STREAMS.exceptions.ResourceNotFoundException):
            STREAMS.describe_stream(StreamArn=other)


class Expiry(unittest.TestCase):
    def test_items_go_when_their_time_has_come(self):
        table = make_table(self, StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"})
        specification = {"Enabled": True, "AttributeName": "until"}
        answer = CLIENT.update_time_to_live(TableName=table.name, TimeToLiveSpecification=specification)
        self.assertEqual(answer["TimeToLiveSpecification"], specification)
        status = lambda: CLIENT.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
        eventually(lambda: status() == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"})
        with self.assertRaises(ClientError) as caught:
            CLIENT.update_time_to_live(TableName=table.name, TimeToLiveSpecification=specification)
        self.assertEqual(caught.exception.response["Error"]["Message"], "TimeToLive is already enabled")
        now = int(time.time())
        table.put_item(Item={"id": "due", "until": now - 1})
        table.put_item(Item={"id": "later", "until": now + 1000})
        table.put_item(Item={"id": "text", "until": str(now - 1)})
        eventually(lambda: "Item" not in table.get_item(Key={"id": "due"}))
        self.assertEqual(sorted(item["id"] for item in table.scan()["Items"]), ["later", "text"])
        removed = [record for record in read_all(table.latest_stream_arn) if record["eventName"] == "REMOVE"]
        self.assertEqual([record["dynamodb"]["Keys"]["id"]["S"] for record in removed], ["due"])
        self.assertEqual(removed[0]["userIdentity"], {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"})


class Tags(unittest.TestCase):
    def test_tags_come_and_go(self):
        table = make_table(self, Tags=[{"Key": "team", "Value": "blue"}])
        arn = table.table_arn
        tags = lambda: {tag["Key"]: tag["Value"] for page in CLIENT.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn) for tag in page["Tags"]}
        CLIENT.tag_resource(ResourceArn=arn, Tags=[{"Key": f"k{number}", "Value": str(number)} for number in range(30)])
        self.assertEqual(len(tags()), 31)
        CLIENT.untag_resource(ResourceArn=arn, TagKeys=[f"k{number}" for number in range(30)])
        self.assertEqual(tags(), {"team": "blue"})
        with self.assertRaises(CLIENT.exceptions.ResourceNotFoundException):
            CLIENT.list_tags_of_resource(ResourceArn=arn + "x")


if __name__ == "__main__":
    unittest.main()
