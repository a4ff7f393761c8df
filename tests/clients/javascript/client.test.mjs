// Stator through the AWS SDK for JavaScript v3. One table for all tests, in order: each builds on what the one before left.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  waitUntilTableExists,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
  paginateQuery,
  paginateScan,
} from "@aws-sdk/lib-dynamodb";

const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client);
const TableName = `games-${randomUUID()}`;
const waiting = { client, maxWaitTime: 30, minDelay: 1 };

before(async () => {
  const key = (partition, sort) => [
    { AttributeName: partition, KeyType: "HASH" },
    { AttributeName: sort, KeyType: "RANGE" },
  ];
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "player", AttributeType: "S" },
        { AttributeName: "game", AttributeType: "N" },
        { AttributeName: "score", AttributeType: "N" },
        { AttributeName: "level", AttributeType: "S" },
      ],
      KeySchema: key("player", "game"),
      LocalSecondaryIndexes: [{ IndexName: "by-score", KeySchema: key("player", "score"), Projection: { ProjectionType: "ALL" } }],
      GlobalSecondaryIndexes: [{ IndexName: "by-level", KeySchema: key("level", "score"), Projection: { ProjectionType: "ALL" } }],
    }),
  );
  const { state } = await waitUntilTableExists(waiting, { TableName });
  assert.equal(state, "SUCCESS");
});

after(async () => {
  await client.send(new DeleteTableCommand({ TableName }));
  const { state } = await waitUntilTableNotExists(waiting, { TableName });
  assert.equal(state, "SUCCESS");
  await assert.rejects(client.send(new DescribeTableCommand({ TableName })), ResourceNotFoundException);
});

test("documents survive", async () => {
  const Item = {
    player: "zoë",
    game: 0,
    score: 1,
    level: "hard",
    nested: { list: [1, "two", null, { deep: true }], bytes: new Uint8Array([0, 255]) },
    names: new Set(["a", "b"]),
  };
  await documents.send(new PutCommand({ TableName, Item }));
  const answer = await documents.send(new GetCommand({ TableName, Key: { player: "zoë", game: 0 }, ConsistentRead: true }));
  assert.deepEqual(answer.Item, Item);
});

test("batches write and read", async () => {
  const games = Array.from({ length: 25 }, (_, game) => ({ player: "max", game, score: 100 - game, level: game % 2 ? "hard" : "easy" }));
  const written = await documents.send(
    new BatchWriteCommand({ RequestItems: { [TableName]: games.map((Item) => ({ PutRequest: { Item } })) } }),
  );
  assert.deepEqual(written.UnprocessedItems, {});
  const read = await documents.send(
    new BatchGetCommand({ RequestItems: { [TableName]: { Keys: games.map(({ player, game }) => ({ player, game })) } } }),
  );
  assert.equal(read.Responses[TableName].length, 25);
});

test("updates are conditional", async () => {
  const Key = { player: "max", game: 3 };
  const change = {
    TableName,
    Key,
    UpdateExpression: "SET score = score + :n, #l = :level",
    ConditionExpression: "score < :limit",
    ExpressionAttributeNames: { "#l": "level" },
    ExpressionAttributeValues: { ":n": 5, ":level": "easy", ":limit": 100 },
    ReturnValues: "ALL_NEW",
  };
  const { Attributes } = await documents.send(new UpdateCommand(change));
  assert.deepEqual(Attributes, { player: "max", game: 3, score: 102, level: "easy" });
  await assert.rejects(
    documents.send(new UpdateCommand({ ...change, ReturnValuesOnConditionCheckFailure: "ALL_OLD" })),
    (error) => error instanceof ConditionalCheckFailedException && error.Item.score.N === "102",
  );
});

test("queries follow both indexes", async () => {
  const best = await documents.send(
    new QueryCommand({
      TableName,
      IndexName: "by-score",
      KeyConditionExpression: "player = :p",
      ExpressionAttributeValues: { ":p": "max" },
      ScanIndexForward: false,
      Limit: 2,
    }),
  );
  assert.deepEqual(best.Items.map(({ score }) => score), [102, 100]);
  const hard = [];
  const pages = paginateQuery(
    { client: documents, pageSize: 4 },
    { TableName, IndexName: "by-level", KeyConditionExpression: "#l = :l", ExpressionAttributeNames: { "#l": "level" }, ExpressionAttributeValues: { ":l": "hard" } },
  );
  for await (const page of pages) hard.push(...page.Items);
  assert.equal(hard.length, 12);
  assert.deepEqual(hard.map(({ score }) => score), hard.map(({ score }) => score).sort((left, right) => left - right));
});

test("scans page through everything", async () => {
  let count = 0;
  for await (const page of paginateScan({ client: documents, pageSize: 10 }, { TableName })) count += page.Count;
  assert.equal(count, 26);
});

test("errors carry their names", async () => {
  await assert.rejects(documents.send(new GetCommand({ TableName: "no-such-table", Key: { id: 1 } })), ResourceNotFoundException);
  await assert.rejects(
    documents.send(new GetCommand({ TableName, Key: { id: 1, game: 1 } })),
    (error) => error.name === "ValidationException" && error.message === "The provided key element does not match the schema",
  );
});
