//! Every published limit, once, as a named constant with its unit in the name.
//!
//! Source, unless said otherwise: the developer guide, "Quotas in Amazon DynamoDB" and "Constraints in Amazon DynamoDB".
//! What must stay true: no other file spells one of these numbers; relations between them are asserted here.

/// Significant decimal digits of a number.
pub const NUMBER_DIGITS_MAX: usize = 38;
/// Largest decimal exponent in scientific notation (9.99…E+125).
pub const NUMBER_EXPONENT_MAX: i32 = 125;
/// Smallest decimal exponent in scientific notation (1E-130).
pub const NUMBER_EXPONENT_MIN: i32 = -130;

/// An item with its attribute names.
pub const ITEM_SIZE_BYTES_MAX: usize = 400 * 1024;
/// Nesting of lists and maps inside an attribute value.
pub const DOCUMENT_DEPTH_MAX: usize = 32;
/// Partition key value of a table or index.
pub const PARTITION_KEY_BYTES_MAX: usize = 2048;
/// Sort key value of a table or index.
pub const SORT_KEY_BYTES_MAX: usize = 1024;
/// An attribute name that is not a key.
pub const ATTRIBUTE_NAME_BYTES_MAX: usize = 65_535;
/// An attribute name that is part of a key or named in an index projection.
pub const KEY_ATTRIBUTE_NAME_BYTES_MAX: usize = 255;

/// The body of one request, before and after decompression.
pub const REQUEST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// One page of Query or Scan, before the filter.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Items asked for by one BatchGetItem.
pub const BATCH_GET_KEYS_MAX: usize = 100;
/// Bytes answered by one BatchGetItem.
pub const BATCH_GET_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Puts and deletes of one BatchWriteItem.
pub const BATCH_WRITE_REQUESTS_MAX: usize = 25;
/// Actions of one transaction.
pub const TRANSACTION_ACTIONS_MAX: usize = 100;
/// Bytes of all items of one transaction.
pub const TRANSACTION_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Characters of a transaction's token.
pub const TRANSACTION_TOKEN_CHARACTERS_MAX: usize = 36;
/// How long a transaction's token counts, in ms.
pub const TRANSACTION_TOKEN_MS: u64 = 10 * 60 * 1000;
/// Statements of one BatchExecuteStatement.
pub const BATCH_STATEMENTS_MAX: usize = 25;
/// Partitions that one statement of PartiQL may ask for. Source: developer guide, PartiQL operators, IN.
pub const STATEMENT_PARTITIONS_MAX: usize = 50;
/// Characters of a PartiQL statement.
pub const STATEMENT_CHARACTERS_MAX: usize = 8192;
/// Characters of the token by which a statement goes on.
pub const STATEMENT_TOKEN_CHARACTERS_MAX: usize = 32_768;
/// Segments of a parallel Scan.
pub const SCAN_SEGMENTS_MAX: u32 = 1_000_000;

/// An expression's text.
pub const EXPRESSION_BYTES_MAX: usize = 4096;
/// Operators and functions of one expression.
pub const EXPRESSION_OPERATORS_MAX: usize = 300;
/// Operands of `IN`.
pub const IN_OPERANDS_MAX: usize = 100;
/// A `#name` or `:value` with its sigil.
pub const EXPRESSION_NAME_BYTES_MAX: usize = 255;

/// Local secondary indexes of a table.
pub const LOCAL_INDEXES_MAX: usize = 5;
/// Global secondary indexes of a table, by default quota.
pub const GLOBAL_INDEXES_MAX: usize = 20;
/// Partition attributes, and again sort attributes, of a global secondary index.
pub const INDEX_KEY_ATTRIBUTES_MAX: usize = 4;
/// Names in one NonKeyAttributes list.
pub const PROJECTED_NAMES_MAX: usize = 20;
/// Names over all INCLUDE projections of a table.
pub const PROJECTED_NAMES_PER_TABLE_MAX: usize = 100;
/// Vector indexes of a table, by default quota.
pub const VECTOR_INDEXES_MAX: usize = 5;
/// Numbers of a vector.
pub const VECTOR_DIMENSIONS_MAX: usize = 4096;
/// INLINE_FILTER elements of a search schema.
pub const VECTOR_FILTERS_MAX: usize = 18;
/// Results of a vector search.
pub const SEARCH_RESULTS_MAX: usize = 100;
/// The answer of a vector search.
pub const SEARCH_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a search of a vector index, or a write to one, is charged at least.
pub const VECTOR_REQUEST_BYTES_MIN: usize = 1024;

/// Records on one page of a stream.
pub const STREAM_PAGE_RECORDS_MAX: usize = 1000;
/// Bytes of keys and images on one page of a stream.
pub const STREAM_PAGE_BYTES_MAX: usize = 1024 * 1024;
/// An iterator of a shard counts this long.
pub const SHARD_ITERATOR_MS: u64 = 15 * 60 * 1000;
/// Streams on one page of ListStreams, shards on one page of DescribeStream.
pub const LIST_STREAMS_MAX: usize = 100;

/// Tags of one table.
pub const TAGS_MAX: usize = 50;
/// Characters of a tag's key.
pub const TAG_KEY_CHARACTERS_MAX: usize = 128;
/// Characters of a tag's value.
pub const TAG_VALUE_CHARACTERS_MAX: usize = 256;
/// Tags on one page of ListTagsOfResource.
pub const TAGS_PER_PAGE: usize = 10;

/// Table and index names.
pub const NAME_BYTES_MIN: usize = 3;
/// Table and index names.
pub const NAME_BYTES_MAX: usize = 255;
/// Tables per account and region, by default quota.
pub const TABLES_MAX: usize = 2500;
/// Tables on one page of ListTables.
pub const LIST_TABLES_MAX: usize = 100;

/// Read or write capacity units of one table, by default quota.
pub const TABLE_UNITS_MAX: u64 = 40_000;
/// Read or write capacity units of an account in a region, by default quota.
pub const ACCOUNT_UNITS_MAX: u64 = 80_000;

/// A read capacity unit.
pub const READ_UNIT_BYTES: usize = 4096;
/// A write capacity unit.
pub const WRITE_UNIT_BYTES: usize = 1024;

const _: () = assert!(SORT_KEY_BYTES_MAX < PARTITION_KEY_BYTES_MAX);
const _: () = assert!(ITEM_SIZE_BYTES_MAX < PAGE_BYTES_MAX);
const _: () = assert!(PAGE_BYTES_MAX < REQUEST_BYTES_MAX);
const _: () = assert!(PAGE_BYTES_MAX < BATCH_GET_BYTES_MAX);
const _: () = assert!(KEY_ATTRIBUTE_NAME_BYTES_MAX < ATTRIBUTE_NAME_BYTES_MAX);
const _: () = assert!(NAME_BYTES_MIN < NAME_BYTES_MAX);
const _: () = assert!(LIST_TABLES_MAX <= TABLES_MAX);
