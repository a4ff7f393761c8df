"""Loads every record of the machine's Debian package index into a table, then asks it questions.

Each answer is compared with a plain pass over the index; a difference ends the program with status 1.

    AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000 python3 load.py
"""

import concurrent.futures
import itertools
import multiprocessing
import sys
import time

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config

import index

TABLE = "DebianPackages"
PROCESSES = 2
SEGMENTS = 4


def table_of(resource):
    return resource.Table(TABLE)


def connect():
    return boto3.resource("dynamodb", config=Config(max_pool_connections=SEGMENTS, retries={"mode": "standard"}))


def create(resource):
    string, number = "S", "N"
    attributes = {"name": string, "version": string, "section": string, "installed_size": number, "maintainer": string}

    def key(partition, sort):
        return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]

    resource.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()],
        KeySchema=key("name", "version"),
        GlobalSecondaryIndexes=[
            {"IndexName": "by-section", "KeySchema": key("section", "installed_size"), "Projection": {"ProjectionType": "KEYS_ONLY"}},
            {
                "IndexName": "by-maintainer",
                "KeySchema": key("maintainer", "name"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["homepage"]},
            },
        ],
    )
    resource.meta.client.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})


def item_of(record):
    """A record as an item: lower-case names, numbers as numbers, the packages it needs as a string set."""
    item = {}
    for field, text in record.items():
        name = field.lower().replace("-", "_")
        item[name] = int(text) if field in index.NUMBERS else text
    item["name"] = item.pop("package")
    item.setdefault("installed_size", 0)
    if needs := index.depends_on(record):
        item["depends_on"] = needs
    return item


def load_part(records):
    """Runs in a process of its own; answers how many items it wrote."""
    with table_of(connect()).batch_writer() as batch:
        for record in records:
            batch.put_item(Item=item_of(record))
    return len(records)


def load(records):
    """Writes every record, showing progress; answers the seconds it took."""
    started, done = time.monotonic(), 0
    parts = iter(lambda source=iter(records): list(itertools.islice(source, 500)), [])
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        for count in pool.imap_unordered(load_part, parts):
            done += count
            show_progress(done, len(records), time.monotonic() - started)
    return time.monotonic() - started


def show_progress(done, total, seconds):
    """A bar that redraws itself on a terminal, and one line per tenth elsewhere."""
    share = done / total
    text = f"[{'#' * int(share * 30):<30}] {done:>6}/{total} {done / max(seconds, 0.001):>6.0f} items/s"
    if sys.stderr.isatty():
        print(f"\r{text}", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done == total or int(share * 10) != int((done - 500) / total * 10):
        print(text, file=sys.stderr, flush=True)


def pages(operation, **arguments):
    """All items of a Query or Scan, page after page."""
    while True:
        page = operation(**arguments)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def keys_of(items):
    return sorted((item["name"], item["version"]) for item in items)


def needing(table, name):
    """A parallel scan with a filter on a set."""

    def segment(number):
        return list(
            pages(
                table.scan,
                Segment=number,
                TotalSegments=SEGMENTS,
                FilterExpression=Attr("depends_on").contains(name),
                ProjectionExpression="#n, version",
                ExpressionAttributeNames={"#n": "name"},
            )
        )

    with concurrent.futures.ThreadPoolExecutor(SEGMENTS) as pool:
        return keys_of(item for items in pool.map(segment, range(SEGMENTS)) for item in items)


def questions(table, plain):
    """Yields a question, the table's answer, the plain answer and how to show it."""
    for name in ("bash", "libssl3", "linux-image-amd64", "python3"):
        versions = [item["version"] for item in pages(table.query, KeyConditionExpression=Key("name").eq(name))]
        yield f"newest version of {name}", max(versions, key=index.version_key), plain.newest(name), str

    maintainer = plain.busiest_maintainer()
    found = pages(table.query, IndexName="by-maintainer", KeyConditionExpression=Key("maintainer").eq(maintainer))
    yield f"packages of {maintainer}", keys_of(found), plain.by_maintainer(maintainer), len

    yield "packages that need libssl3", needing(table, "libssl3"), plain.needing("libssl3"), len

    for section, count in plain.sections().most_common():
        page = table.query(
            IndexName="by-section", KeyConditionExpression=Key("section").eq(section), ScanIndexForward=False, Limit=10
        )
        largest = [int(item["installed_size"]) for item in page["Items"]]
        yield f"ten largest of {count} in {section} (KiB)", largest, plain.largest(section, 10), lambda sizes: sizes[:3]

    counted = sum(page["Count"] for page in table.meta.client.get_paginator("scan").paginate(TableName=TABLE, Select="COUNT"))
    yield "records by COUNT", counted, len(plain.by_key), str
    yield "records by ItemCount", table.meta.client.describe_table(TableName=TABLE)["Table"]["ItemCount"], len(plain.by_key), str


def main():
    records = list(index.read())
    plain = index.Plain(records)
    unique = list(plain.by_key.values())
    print(f"{len(records)} records in the index, {len(unique)} distinct by name and version")

    resource = connect()
    create(resource)
    seconds = load(unique)
    print(f"loaded {len(unique)} items in {seconds:.1f} s: {len(unique) / seconds:.0f} items/s")

    wrong = 0
    for question, answer, expected, show in questions(table_of(resource), plain):
        verdict = "ok" if answer == expected else f"WRONG, a plain pass says {show(expected)}"
        wrong += answer != expected
        print(f"{question}: {show(answer)} ({verdict})")
    table_of(resource).delete()
    print("every answer equals the plain pass" if wrong == 0 else f"{wrong} answers differ from the plain pass")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
