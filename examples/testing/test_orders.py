"""What can be tested with the /_stator/ API, one test for each of its parts."""

import time

import pytest
from botocore.exceptions import ClientError


def put(client, order, **attributes):
    item = {"Id": {"S": order}, "Customer": {"S": "ada"}, **attributes}
    client.put_item(TableName="Orders", Item=item)


def get(client, order):
    return client.get_item(TableName="Orders", Key={"Id": {"S": order}}).get("Item")


def of_customer(client, customer):
    found = client.query(
        TableName="Orders",
        IndexName="ByCustomer",
        KeyConditionExpression="Customer = :c",
        ExpressionAttributeValues={":c": {"S": customer}},
    )
    return sorted(item["Id"]["S"] for item in found["Items"])


@pytest.mark.parametrize("order", ["first", "second"])
def test_every_test_begins_with_empty_tables(stator, client, order):
    assert client.scan(TableName="Orders")["Count"] == 0
    put(client, order)
    assert client.scan(TableName="Orders")["Count"] == 1


def test_a_snapshot_is_a_place_to_come_back_to(stator, client):
    for number in range(100):
        put(client, f"order-{number}")
    stator.call("PUT", "snapshots/hundred")
    client.delete_item(TableName="Orders", Key={"Id": {"S": "order-7"}})
    restored = stator.call("POST", "snapshots/hundred/restore")
    assert restored["took_us"] < 100_000
    assert client.scan(TableName="Orders")["Count"] == 100


def test_a_reservation_expires_without_waiting(stator, client):
    put(client, "reserved", ReservedUntil={"N": str(int(time.time()) + 15 * 60)})
    stator.advance("14min")
    assert get(client, "reserved")
    stator.advance("2min")
    assert get(client, "reserved") is None


def test_an_expired_item_goes_when_it_is_swept(stator, client):
    put(client, "old", ReservedUntil={"N": str(int(time.time()) - 60)})
    stator.call("POST", "ttl/sweep")
    assert get(client, "old") is None


def test_a_throttled_write_is_tried_again(stator, client):
    stator.fault(
        match={"operation": "PutItem", "table": "Orders"}, times=2, exception="ProvisionedThroughputExceededException"
    )
    put(client, "persistent")
    assert [request["status"] for request in stator.requests("PutItem")] == [400, 400, 200]


def test_an_answer_that_is_lost_does_not_charge_twice(stator, client):
    put(client, "account", Balance={"N": "100"})
    stator.fault(match={"operation": "TransactWriteItems"}, times=1, drop=True, after=True)
    # boto3 gives every transaction a token of its own, and sends it again when it repeats one.
    client.transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": "Orders",
                    "Key": {"Id": {"S": "account"}},
                    "UpdateExpression": "SET Balance = Balance - :price",
                    "ExpressionAttributeValues": {":price": {"N": "30"}},
                }
            }
        ]
    )
    assert get(client, "account")["Balance"] == {"N": "70"}
    assert [request["status"] for request in stator.requests("TransactWriteItems")] == [None, 200]


def test_one_poisonous_item_fails_alone(stator, client):
    stator.fault(match={"key": {"Id": {"S": "poison"}}}, exception="ValidationException", message="not this one")
    put(client, "harmless")
    with pytest.raises(ClientError, match="not this one"):
        put(client, "poison")


def test_a_slow_answer_runs_into_the_timeout_of_the_client(stator, client):
    stator.fault(match={"operation": "GetItem"}, times=1, delay="3s")
    assert get(client, "missing") is None
    assert len(stator.requests("GetItem")) == 1, "the second attempt is answered while the first still waits"


def test_what_a_batch_gives_back_is_sent_again(stator, client):
    stator.fault(match={"operation": "BatchWriteItem"}, times=2, unprocessed=1)
    pending = {"Orders": [{"PutRequest": {"Item": {"Id": {"S": f"order-{number}"}}}} for number in range(3)]}
    rounds = 0
    while pending:
        pending = client.batch_write_item(RequestItems=pending)["UnprocessedItems"]
        rounds += 1
    assert (rounds, client.scan(TableName="Orders")["Count"]) == (3, 3)


def test_a_program_lives_with_an_index_that_lags(stator, client):
    stator.call("PUT", "index-lag", {"lag": "held"})
    put(client, "fresh")
    assert of_customer(client, "ada") == []
    stator.call("POST", "index-lag/release")
    assert of_customer(client, "ada") == ["fresh"]


def test_a_program_waits_for_its_table(stator, client):
    stator.call("PUT", "table-states", {"transition": "held"})
    client.create_table(
        TableName="Invoices",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
    )
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.put_item(TableName="Invoices", Item={"Id": {"S": "1"}})
    stator.call("POST", "table-states/release", {"table": "Invoices"})
    client.put_item(TableName="Invoices", Item={"Id": {"S": "1"}})


def test_it_can_be_told_what_a_call_cost_and_how_it_was_made(stator, client):
    put(client, "counted")
    of_customer(client, "ada")
    [query] = stator.requests("Query")
    assert query["consumed"][0]["units"] == 0.5
    assert query["request"]["IndexName"] == "ByCustomer"
    assert "ConsistentRead" not in query["request"]
    [written] = stator.requests("PutItem")
    assert written["consumed"][0]["global_indexes"] == {"ByCustomer": 1.0}


def test_a_mistake_in_a_call_is_explained(stator):
    with pytest.raises(RuntimeError, match="unknown field `exeption`"):
        stator.fault(exeption="InternalServerError")
