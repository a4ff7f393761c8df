// The rest of what an application calls at run time, through the AWS SDK for JavaScript v3: transactions, PartiQL, streams,
// expiry and tags. Each test makes its own table.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DuplicateItemException,
  DynamoDBClient,
  IdempotentParameterMismatchException,
  ListTagsOfResourceCommand,
  TagResourceCommand,
  TransactionCanceledException,
  UntagResourceCommand,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import {
  BatchExecuteStatementCommand,
  DynamoDBDocumentClient,
  ExecuteStatementCommand,
  ExecuteTransactionCommand,
  GetCommand,
  PutCommand,
  TransactGetCommand,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";

const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client);
const streams = new DynamoDBStreamsClient({});

async function makeTable(context, more = {}) {
  const TableName = `ledger-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      ...more,
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1 }, { TableName });
  context.after(() => client.send(new DeleteTableCommand({ TableName })));
  return (await client.send(new DescribeTableCommand({ TableName }))).Table;
}

async function eventually(condition) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await condition()) return;
    await sleep(200);
  }
  assert.fail("it did not happen in time");
}

// Reads a stream to its end, as a poller does: every shard once its parent has been read.
async function readAll(StreamArn) {
  const shards = [];
  let ExclusiveStartShardId;
  do {
    const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn, ExclusiveStartShardId }));
    shards.push(...StreamDescription.Shards);
    ExclusiveStartShardId = StreamDescription.LastEvaluatedShardId;
  } while (ExclusiveStartShardId);
  const records = [];
  for (const { ShardId } of shards) {
    let { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" }));
    while (ShardIterator) {
      const page = await streams.send(new GetRecordsCommand({ ShardIterator, Limit: 10 }));
      records.push(...page.Records);
      ShardIterator = page.Records.length > 0 ? page.NextShardIterator : undefined;
    }
  }
  return records;
}

test("transactions happen whole, once, or not at all", async (context) => {
  const { TableName } = await makeTable(context);
  for (const id of ["ann", "bob"]) await documents.send(new PutCommand({ TableName, Item: { id, balance: 10 } }));
  const transfer = (amount, ClientRequestToken) => {
    const move = (id, by) => ({
      Update: {
        TableName,
        Key: { id },
        UpdateExpression: "SET balance = balance + :by",
        ConditionExpression: "balance >= :least",
        ExpressionAttributeValues: { ":by": by, ":least": Math.max(0, -by) },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    });
    return documents.send(new TransactWriteCommand({ ClientRequestToken, TransactItems: [move("ann", -amount), move("bob", amount)] }));
  };
  const balances = async () => {
    const gets = ["ann", "bob"].map((id) => ({ Get: { TableName, Key: { id } } }));
    const { Responses } = await documents.send(new TransactGetCommand({ TransactItems: gets }));
    return Responses.map(({ Item }) => Item.balance);
  };
  const token = randomUUID();
  await transfer(7, token);
  await transfer(7, token);
  assert.deepEqual(await balances(), [3, 17]);
  await assert.rejects(transfer(1, token), IdempotentParameterMismatchException);
  await assert.rejects(
    transfer(7),
    (error) =>
      error instanceof TransactionCanceledException &&
      error.CancellationReasons.map(({ Code }) => Code).join() === "ConditionalCheckFailed,None" &&
      error.CancellationReasons[0].Item.balance.N === "3",
  );
  assert.deepEqual(await balances(), [3, 17]);
});

test("statements of PartiQL", async (context) => {
  const { TableName } = await makeTable(context);
  const execute = (Statement, Parameters) => documents.send(new ExecuteStatementCommand({ Statement, Parameters }));
  await execute(`INSERT INTO "${TableName}" VALUE {'id': ?, 'steps': ?, 'map': {'deep': [1, 'two', null, true]}}`, ["a", [1]]);
  await assert.rejects(execute(`INSERT INTO "${TableName}" VALUE {'id': ?}`, ["a"]), DuplicateItemException);
  const changed = await execute(`UPDATE "${TableName}" SET steps = list_append(steps, ?) WHERE id = ? RETURNING MODIFIED NEW *`, [[2], "a"]);
  assert.deepEqual(changed.Items, [{ steps: [1, 2] }]);
  const selected = await execute(`SELECT map.deep[1] FROM "${TableName}" WHERE id = ?`, ["a"]);
  assert.equal(selected.Items.length, 1);
  const { Responses } = await documents.send(
    new BatchExecuteStatementCommand({
      Statements: [
        { Statement: `SELECT * FROM "${TableName}" WHERE id = ?`, Parameters: ["a"] },
        { Statement: `SELECT * FROM "${TableName}" WHERE steps = ?`, Parameters: [1] },
      ],
    }),
  );
  assert.deepEqual(Responses[0].Item.steps, [1, 2]);
  assert.equal(Responses[1].Error.Code, "ValidationError");
  const insert = (id) => ({ Statement: `INSERT INTO "${TableName}" VALUE {'id': ?}`, Parameters: [id] });
  await assert.rejects(
    documents.send(new ExecuteTransactionCommand({ TransactStatements: [insert("b"), insert("a")] })),
    (error) => error instanceof TransactionCanceledException && error.CancellationReasons[1].Code === "DuplicateItem",
  );
  assert.equal((await documents.send(new GetCommand({ TableName, Key: { id: "b" } }))).Item, undefined);
});

test("a stream tells every change in order", async (context) => {
  const specification = { StreamEnabled: true, StreamViewType: "NEW_IMAGE" };
  const { TableName, LatestStreamArn } = await makeTable(context, { StreamSpecification: specification });
  for (let step = 0; step < 20; step += 1) {
    await Promise.all(["a", "b", "c"].map((id) => documents.send(new PutCommand({ TableName, Item: { id, step } }))));
  }
  const { Streams } = await streams.send(new ListStreamsCommand({ TableName }));
  assert.deepEqual(Streams.map(({ StreamArn }) => StreamArn), [LatestStreamArn]);
  const records = await readAll(LatestStreamArn);
  assert.equal(records.length, 60);
  for (const id of ["a", "b", "c"]) {
    const own = records.filter(({ dynamodb }) => dynamodb.Keys.id.S === id);
    assert.deepEqual(own.map(({ dynamodb }) => Number(dynamodb.NewImage.step.N)), [...Array(20).keys()]);
    assert.deepEqual(new Set(own.map(({ eventName }) => eventName)), new Set(["INSERT", "MODIFY"]));
    assert.ok(own[0].dynamodb.ApproximateCreationDateTime instanceof Date);
  }
});

test("items expire, and the stream says who removed them", async (context) => {
  const specification = { StreamEnabled: true, StreamViewType: "KEYS_ONLY" };
  const { TableName, LatestStreamArn } = await makeTable(context, { StreamSpecification: specification });
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: "until" } }));
  await eventually(async () => {
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    return TimeToLiveDescription.TimeToLiveStatus === "ENABLED";
  });
  await documents.send(new PutCommand({ TableName, Item: { id: "due", until: Math.floor(Date.now() / 1000) - 1 } }));
  await eventually(async () => (await documents.send(new GetCommand({ TableName, Key: { id: "due" } }))).Item === undefined);
  const [, removed] = await readAll(LatestStreamArn);
  assert.equal(removed.eventName, "REMOVE");
  assert.deepEqual({ ...removed.userIdentity }, { PrincipalId: "dynamodb.amazonaws.com", Type: "Service" });
});

test("tables have tags", async (context) => {
  const { TableArn: ResourceArn } = await makeTable(context, { Tags: [{ Key: "team", Value: "blue" }] });
  await client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: "stage", Value: "test" }] }));
  await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["team"] }));
  const { Tags } = await client.send(new ListTagsOfResourceCommand({ ResourceArn }));
  assert.deepEqual(Tags, [{ Key: "stage", Value: "test" }]);
});
