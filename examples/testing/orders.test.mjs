// What can be tested with the /_stator/ API, from node's own test runner: one test for each of its parts.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import {
  CreateTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteCommand,
} from "@aws-sdk/lib-dynamodb";
import { Stator } from "./stator.mjs";

const TableName = "Orders";
let stator;
let client;
let documents;

before(async () => {
  stator = await Stator.start();
  client = new DynamoDBClient({
    endpoint: stator.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
    maxAttempts: 4,
  });
  documents = DynamoDBDocumentClient.from(client);
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [
        { AttributeName: "Id", AttributeType: "S" },
        { AttributeName: "Customer", AttributeType: "S" },
      ],
      KeySchema: [{ AttributeName: "Id", KeyType: "HASH" }],
      GlobalSecondaryIndexes: [
        {
          IndexName: "ByCustomer",
          KeySchema: [{ AttributeName: "Customer", KeyType: "HASH" }],
          Projection: { ProjectionType: "ALL" },
        },
      ],
    }),
  );
  const TimeToLiveSpecification = { Enabled: true, AttributeName: "ReservedUntil" };
  await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  await stator.call("PUT", "snapshots/tables");
});

beforeEach(async () => {
  await stator.call("POST", "reset");
  await stator.call("POST", "snapshots/tables/restore");
});

after(async () => {
  client.destroy();
  await stator.stop();
});

const put = (Id, attributes = {}) =>
  documents.send(new PutCommand({ TableName, Item: { Id, Customer: "ada", ...attributes } }));
const get = async (Id) => (await documents.send(new GetCommand({ TableName, Key: { Id } }))).Item;
const count = async () => (await documents.send(new ScanCommand({ TableName }))).Count;
const ofCustomer = async (customer) => {
  const query = new QueryCommand({
    TableName,
    IndexName: "ByCustomer",
    KeyConditionExpression: "Customer = :c",
    ExpressionAttributeValues: { ":c": customer },
  });
  return (await documents.send(query)).Items.map((item) => item.Id);
};

for (const order of ["first", "second"]) {
  test(`every test begins with empty tables: ${order}`, async () => {
    assert.equal(await count(), 0);
    await put(order);
    assert.equal(await count(), 1);
  });
}

test("a snapshot is a place to come back to", async () => {
  await put("kept");
  await stator.call("PUT", "snapshots/one");
  await put("lost");
  await stator.call("POST", "snapshots/one/restore");
  assert.deepEqual([await count(), (await get("kept")).Id], [1, "kept"]);
});

test("a reservation expires without waiting", async () => {
  await put("reserved", { ReservedUntil: Math.floor(Date.now() / 1000) + 15 * 60 });
  await stator.advance("14min");
  assert.ok(await get("reserved"));
  await stator.advance("2min");
  assert.equal(await get("reserved"), undefined);
});

test("a throttled write is tried again", async () => {
  const match = { operation: "PutItem", table: TableName };
  await stator.fault({ match, times: 2, exception: "ProvisionedThroughputExceededException" });
  await put("persistent");
  const statuses = (await stator.requests("PutItem")).map((request) => request.status);
  assert.deepEqual(statuses, [400, 400, 200]);
});

test("an answer that is lost does not charge twice", async () => {
  await put("account", { Balance: 100 });
  await stator.fault({ match: { operation: "TransactWriteItems" }, times: 1, drop: true, after: true });
  const Update = {
    TableName,
    Key: { Id: "account" },
    UpdateExpression: "SET Balance = Balance - :price",
    ExpressionAttributeValues: { ":price": 30 },
  };
  // The SDK gives every transaction a token of its own, and sends it again when it repeats one.
  await documents.send(new TransactWriteCommand({ TransactItems: [{ Update }] }));
  assert.equal((await get("account")).Balance, 70);
});

test("what a batch gives back is asked for again", async () => {
  await Promise.all(["a", "b", "c"].map((id) => put(id)));
  await stator.fault({ match: { operation: "BatchGetItem" }, times: 1, unprocessed: 2 });
  let pending = { [TableName]: { Keys: ["a", "b", "c"].map((Id) => ({ Id })) } };
  const sizes = [];
  while (pending && Object.keys(pending).length > 0) {
    const answer = await documents.send(new BatchGetCommand({ RequestItems: pending }));
    sizes.push(answer.Responses[TableName].length);
    pending = answer.UnprocessedKeys;
  }
  assert.deepEqual(sizes, [1, 2]);
});

test("a program lives with an index that lags", async () => {
  await stator.call("PUT", "clock", { frozen: true });
  await stator.call("PUT", "index-lag", { lag: "5s" });
  await put("fresh");
  assert.deepEqual(await ofCustomer("ada"), []);
  await stator.advance("5s");
  assert.deepEqual(await ofCustomer("ada"), ["fresh"]);
});

test("a program waits for its table", async () => {
  await stator.call("PUT", "table-states", { transition: "held" });
  const invoices = {
    TableName: "Invoices",
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "Id", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "Id", KeyType: "HASH" }],
  };
  await client.send(new CreateTableCommand(invoices));
  const write = () => documents.send(new PutCommand({ TableName: "Invoices", Item: { Id: "1" } }));
  await assert.rejects(write(), ResourceNotFoundException);
  await stator.call("POST", "table-states/release");
  await write();
});

test("it can be told what a call cost and how it was made", async () => {
  await put("counted");
  await ofCustomer("ada");
  const [query] = await stator.requests("Query");
  assert.equal(query.consumed[0].units, 0.5);
  assert.equal(query.request.IndexName, "ByCustomer");
});

test("a mistake in a call is explained", async () => {
  await assert.rejects(stator.fault({ exeption: "InternalServerError" }), /unknown field `exeption`/);
});
