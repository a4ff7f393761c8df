"""Fixtures: one server for the run, tables made once, and every test begins with them empty."""

import boto3
import pytest
from botocore.config import Config

from stator import Stator


@pytest.fixture(scope="session")
def server():
    server = Stator()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def client(server):
    config = Config(retries={"mode": "standard", "max_attempts": 4}, read_timeout=2)
    return boto3.client(
        "dynamodb",
        endpoint_url=server.url,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )


@pytest.fixture(scope="session")
def tables(server, client):
    client.create_table(
        TableName="Orders",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "Id", "AttributeType": "S"},
            {"AttributeName": "Customer", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ByCustomer",
                "KeySchema": [{"AttributeName": "Customer", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    client.update_time_to_live(
        TableName="Orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ReservedUntil"}
    )
    server.call("PUT", "snapshots/tables")


@pytest.fixture
def stator(server, tables):
    """The server as it was when the tables had been made: no faults, no lag, the real time, no requests."""
    server.call("POST", "reset")
    server.call("POST", "snapshots/tables/restore")
    return server
