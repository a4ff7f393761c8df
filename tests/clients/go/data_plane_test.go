package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func number(value int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(value, 10)}
}

// ledger makes a table of accounts that expire, with tags and a stream; it goes with the test.
func ledger(t *testing.T, client *dynamodb.Client) *types.TableDescription {
	t.Helper()
	ctx, name := context.Background(), fmt.Sprintf("ledger-%d", time.Now().UnixNano())
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		StreamSpecification:  &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
		Tags:                 []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Error(err)
		}
	})
	waiter := dynamodb.NewTableExistsWaiter(client, func(options *dynamodb.TableExistsWaiterOptions) { options.MinDelay = time.Second })
	described, err := waiter.WaitForOutput(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return described.Table
}

// readAll reads every record of a stream, shard after shard.
func readAll(t *testing.T, arn *string) []streamtypes.Record {
	t.Helper()
	ctx := context.Background()
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		t.Fatal(err)
	}
	streams := dynamodbstreams.NewFromConfig(settings)
	described, err := streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	var records []streamtypes.Record
	for _, shard := range described.StreamDescription.Shards {
		begin, err := streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: arn, ShardId: shard.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			t.Fatal(err)
		}
		for iterator := begin.ShardIterator; iterator != nil; {
			page, err := streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator, Limit: aws.Int32(3)})
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, page.Records...)
			if iterator = page.NextShardIterator; len(page.Records) == 0 {
				break
			}
		}
	}
	return records
}

func TestTransactionsStatementsAndStreams(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	table := ledger(t, client)
	name := *table.TableName

	put := func(id string, balance int64) types.TransactWriteItem {
		return types.TransactWriteItem{Put: &types.Put{
			TableName: &name, Item: map[string]types.AttributeValue{"id": text(id), "balance": number(balance)},
			ConditionExpression:                 aws.String("attribute_not_exists(id)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}
	}
	write := &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: aws.String("both-accounts"),
		TransactItems:      []types.TransactWriteItem{put("ann", 10), put("bob", 20)},
	}
	for range 2 {
		if _, err := client.TransactWriteItems(ctx, write); err != nil {
			t.Fatal(err)
		}
	}
	write.ClientRequestToken = nil
	_, err := client.TransactWriteItems(ctx, write)
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) || *cancelled.CancellationReasons[1].Code != "ConditionalCheckFailed" {
		t.Fatal(err)
	}
	if balance := cancelled.CancellationReasons[1].Item["balance"].(*types.AttributeValueMemberN).Value; balance != "20" {
		t.Fatal(balance)
	}

	statement := fmt.Sprintf(`UPDATE "%s" SET balance = balance - ? WHERE id = ? RETURNING ALL NEW *`, name)
	updated, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
		Statement: &statement, Parameters: []types.AttributeValue{number(4), text("ann")},
	})
	if err != nil || updated.Items[0]["balance"].(*types.AttributeValueMemberN).Value != "6" {
		t.Fatal(err, updated)
	}
	read, err := client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: &name, Key: map[string]types.AttributeValue{"id": text("ann")}}},
		{Get: &types.Get{TableName: &name, Key: map[string]types.AttributeValue{"id": text("nobody")}}},
	}})
	if err != nil || len(read.Responses) != 2 || read.Responses[0].Item == nil || read.Responses[1].Item != nil {
		t.Fatal(err, read)
	}

	var events []streamtypes.OperationType
	for _, record := range readAll(t, table.LatestStreamArn) {
		if record.Dynamodb.Keys["id"].(*streamtypes.AttributeValueMemberS).Value == "ann" {
			events = append(events, record.EventName)
		}
	}
	if len(events) != 2 || events[0] != streamtypes.OperationTypeInsert || events[1] != streamtypes.OperationTypeModify {
		t.Fatal(events)
	}
}

func TestExpiryAndTags(t *testing.T) {
	ctx, client := context.Background(), connect(t)
	table := ledger(t, client)
	_, err := client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               table.TableName,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	described, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: table.TableName})
	if err != nil || *described.TimeToLiveDescription.AttributeName != "until" {
		t.Fatal(err, described)
	}
	item := map[string]types.AttributeValue{"id": text("due"), "until": number(time.Now().Unix() - 1)}
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table.TableName, Item: item}); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		counted, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: table.TableName, Select: types.SelectCount})
		if err != nil || time.Since(start) > time.Minute {
			t.Fatal("the item does not go", err)
		}
		if counted.Count == 0 {
			break
		}
	}
	records := readAll(t, table.LatestStreamArn)
	if by := records[len(records)-1].UserIdentity; by == nil || *by.PrincipalId != "dynamodb.amazonaws.com" || *by.Type != "Service" {
		t.Fatal(by)
	}

	if _, err := client.TagResource(ctx, &dynamodb.TagResourceInput{
		ResourceArn: table.TableArn, Tags: []types.Tag{{Key: aws.String("stage"), Value: aws.String("test")}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: table.TableArn, TagKeys: []string{"team"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: table.TableArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "test" {
		t.Fatal(err, tags)
	}
}
