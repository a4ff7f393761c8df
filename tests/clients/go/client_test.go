// Package client drives Stator through the AWS SDK for Go v2, as an application would.
package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

type reading struct {
	Sensor string            `dynamodbav:"sensor"`
	Time   int               `dynamodbav:"time"`
	Value  float64           `dynamodbav:"value"`
	Site   string            `dynamodbav:"site"`
	Labels map[string]string `dynamodbav:"labels,omitempty"`
}

func connect(t *testing.T) *dynamodb.Client {
	t.Helper()
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return dynamodb.NewFromConfig(settings)
}

func key(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: &partition, KeyType: types.KeyTypeHash},
		{AttributeName: &sort, KeyType: types.KeyTypeRange},
	}
}

func createTable(t *testing.T, client *dynamodb.Client) string {
	t.Helper()
	name := fmt.Sprintf("readings-%d", time.Now().UnixNano())
	define := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
	}
	_, err := client.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName:   &name,
		BillingMode: types.BillingModeProvisioned,
		ProvisionedThroughput: &types.ProvisionedThroughput{
			ReadCapacityUnits: aws.Int64(1000), WriteCapacityUnits: aws.Int64(1000),
		},
		AttributeDefinitions: []types.AttributeDefinition{
			define("sensor", types.ScalarAttributeTypeS), define("time", types.ScalarAttributeTypeN),
			define("value", types.ScalarAttributeTypeN), define("site", types.ScalarAttributeTypeS),
		},
		KeySchema: key("sensor", "time"),
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{
			IndexName: aws.String("by-value"), KeySchema: key("sensor", "value"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-site"), KeySchema: key("site", "time"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			ProvisionedThroughput: &types.ProvisionedThroughput{
				ReadCapacityUnits: aws.Int64(1000), WriteCapacityUnits: aws.Int64(1000),
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client, func(options *dynamodb.TableExistsWaiterOptions) { options.MinDelay = time.Second })
	if err := waiter.Wait(context.Background(), &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	return name
}

func write(t *testing.T, client *dynamodb.Client, table string, readings []reading) {
	t.Helper()
	for start := 0; start < len(readings); start += 25 {
		var requests []types.WriteRequest
		for _, reading := range readings[start:min(start+25, len(readings))] {
			item, err := attributevalue.MarshalMap(reading)
			if err != nil {
				t.Fatal(err)
			}
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		}
		answer, err := client.BatchWriteItem(context.Background(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table: requests},
		})
		if err != nil || len(answer.UnprocessedItems) != 0 {
			t.Fatal(err, answer)
		}
	}
}

func TestAnApplicationsDay(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	table := createTable(t, client)
	var readings []reading
	for time := range 60 {
		readings = append(readings, reading{
			Sensor: fmt.Sprintf("s%d", time%2), Time: time, Value: float64(60-time) / 2, Site: "roof", Labels: map[string]string{"unit": "K"},
		})
	}
	write(t, client, table, readings)

	t.Run("queries page through an index", func(t *testing.T) {
		where, err := expression.NewBuilder().
			WithKeyCondition(expression.KeyAnd(expression.Key("site").Equal(expression.Value("roof")), expression.Key("time").GreaterThan(expression.Value(9)))).
			WithFilter(expression.Name("labels.unit").Equal(expression.Value("K"))).Build()
		if err != nil {
			t.Fatal(err)
		}
		pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{
			TableName: &table, IndexName: aws.String("by-site"), Limit: aws.Int32(8),
			KeyConditionExpression: where.KeyCondition(), FilterExpression: where.Filter(),
			ExpressionAttributeNames: where.Names(), ExpressionAttributeValues: where.Values(),
		})
		var found []reading
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var part []reading
			if err := attributevalue.UnmarshalListOfMaps(page.Items, &part); err != nil {
				t.Fatal(err)
			}
			found = append(found, part...)
		}
		if len(found) != 50 || found[0].Time != 10 || found[49].Time != 59 || found[0].Labels["unit"] != "K" {
			t.Fatalf("found %d: %v", len(found), found)
		}
	})

	t.Run("batches read what batches wrote", func(t *testing.T) {
		key := func(sensor string, time int) map[string]types.AttributeValue {
			key, err := attributevalue.MarshalMap(map[string]any{"sensor": sensor, "time": time})
			if err != nil {
				t.Fatal(err)
			}
			return key
		}
		answer, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{table: {
				Keys: []map[string]types.AttributeValue{key("s0", 0), key("s1", 1), key("s1", 1000)}, ConsistentRead: aws.Bool(true),
			}},
		})
		if err != nil || len(answer.Responses[table]) != 2 || len(answer.UnprocessedKeys) != 0 {
			t.Fatal(err, answer)
		}
	})

	t.Run("a local index orders by its own key", func(t *testing.T) {
		answer, err := client.Query(ctx, &dynamodb.QueryInput{
			TableName: &table, IndexName: aws.String("by-value"), ConsistentRead: aws.Bool(true), Limit: aws.Int32(1), ScanIndexForward: aws.Bool(false),
			KeyConditionExpression:    aws.String("sensor = :s"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberS{Value: "s0"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if value := answer.Items[0]["value"].(*types.AttributeValueMemberN).Value; value != "30" || len(answer.Items[0]) != 3 {
			t.Fatal(answer.Items)
		}
	})

	t.Run("conditions hold", func(t *testing.T) {
		update := &dynamodb.UpdateItemInput{
			TableName:        &table,
			Key:              map[string]types.AttributeValue{"sensor": &types.AttributeValueMemberS{Value: "s1"}, "time": &types.AttributeValueMemberN{Value: "1"}},
			UpdateExpression: aws.String("SET checked = :t"), ConditionExpression: aws.String("attribute_not_exists(checked)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":t": &types.AttributeValueMemberBOOL{Value: true}},
		}
		if _, err := client.UpdateItem(ctx, update); err != nil {
			t.Fatal(err)
		}
		_, err := client.UpdateItem(ctx, update)
		var failed *types.ConditionalCheckFailedException
		if !errors.As(err, &failed) {
			t.Fatal(err)
		}
	})

	t.Run("errors carry their codes", func(t *testing.T) {
		_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("no-such-table")})
		var missing *types.ResourceNotFoundException
		if !errors.As(err, &missing) {
			t.Fatal(err)
		}
		_, err = client.Scan(ctx, &dynamodb.ScanInput{TableName: &table, FilterExpression: aws.String("(")})
		var refused smithy.APIError
		if !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
			t.Fatal(err)
		}
	})

	if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table}); err != nil {
		t.Fatal(err)
	}
	gone := dynamodb.NewTableNotExistsWaiter(client, func(options *dynamodb.TableNotExistsWaiterOptions) { options.MinDelay = time.Second })
	if err := gone.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, 30*time.Second); err != nil {
		t.Fatal(err)
	}
}
